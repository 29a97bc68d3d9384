"""Bedrock for the serving contract: deployments on demand, and provisioned throughput."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from local.simulators.faults import Faults
from tests.contracts.bedrock_rig import BUCKET, BedrockRig, bedrock_rig, training_file
from tests.contracts.serving_rig import ANSWER, QUESTION
from tunedrop.domain.endpoint import Call, EndpointKind, endpoint_token
from tunedrop.domain.serving_ports import EndpointOrder
from tunedrop.providers.bedrock_serving import BedrockServing

_OPERATIONS: Mapping[str, Mapping[str, str]] = {
    "on_demand": {
        "create": "CreateCustomModelDeployment",
        "look": "GetCustomModelDeployment",
        "delete": "DeleteCustomModelDeployment",
    },
    "provisioned": {
        "create": "CreateProvisionedModelThroughput",
        "look": "GetProvisionedModelThroughput",
        "delete": "DeleteProvisionedModelThroughput",
    },
}


class BedrockServingRig:
    """A ServingRig; also the rig underneath, for tests of the adapter."""

    def __init__(self, bedrock: BedrockRig, kind: EndpointKind) -> None:
        self.bedrock = bedrock
        self.kind = kind
        self.operations = _OPERATIONS[kind]
        self.serving = BedrockServing(client=bedrock.client)
        self.faults: Faults = bedrock.faults
        self.model = self.train("lighthouse")

    def train(self, name: str) -> str:
        """Returns the ARN of a custom model."""
        order = self.bedrock.order(name)
        pairs = [*((f"Where is boat {number}?", f"At pier {number}.") for number in range(12)), (QUESTION, ANSWER)]
        self.bedrock.account.write(f"s3://{BUCKET}/prepared/{name}/train.jsonl", training_file(pairs))
        job = self.bedrock.provider.create(order)
        self.advance(60)
        return str(self.bedrock.provider.status(job).tuned_model)

    def order(self, name: str, **changes: Any) -> EndpointOrder:
        order = EndpointOrder(
            job_id=name,
            token=endpoint_token(name, 1),
            tuned_model=self.model,
            kind=self.kind,
            model_units=1 if self.kind == "provisioned" else None,
        )
        return msgspec.structs.replace(order, **changes)

    def endpoints(self) -> int:
        deployments = self.bedrock.client.list_custom_model_deployments()["modelDeploymentSummaries"]
        throughputs = self.bedrock.client.list_provisioned_model_throughputs()["provisionedModelSummaries"]
        return len(deployments) + len(throughputs)

    def make_foreign(self, order: EndpointOrder) -> str:
        client, token, model = self.bedrock.client, order.token, order.tuned_model
        if self.kind == "on_demand":
            made = client.create_custom_model_deployment(modelDeploymentName=token, modelArn=model)
            return str(made["customModelDeploymentArn"])
        made = client.create_provisioned_model_throughput(provisionedModelName=token, modelId=model, modelUnits=1)
        return str(made["provisionedModelArn"])

    def advance(self, seconds: float) -> None:
        self.bedrock.advance(seconds)

    def ask(self, call: Call, question: str) -> str:
        turn = {"role": "user", "content": [{"text": question}]}
        answer = self.bedrock.connect("bedrock-runtime").converse(modelId=call.model_id, messages=[turn])
        said: str = answer["output"]["message"]["content"][0]["text"]
        return said

    def break_credentials(self) -> None:
        self.bedrock.break_credentials()


@contextmanager
def bedrock_serving_rig(
    tmp_path: Path, kind: EndpointKind = "on_demand", **settings: Any
) -> Iterator[BedrockServingRig]:
    """`settings` go to the simulator."""
    with bedrock_rig(tmp_path, **settings) as bedrock:
        yield BedrockServingRig(bedrock, kind)
