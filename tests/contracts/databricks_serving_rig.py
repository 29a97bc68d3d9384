"""Databricks for the serving contract: serving endpoints of a registered model version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from databricks.sdk.service.serving import ChatMessage, ChatMessageRole, EndpointCoreConfigInput, ServedEntityInput

from local.simulators.faults import Faults
from tests.contracts.databricks_rig import CLIENT_ID, CLIENT_SECRET, DatabricksRig, databricks_rig, training_file
from tests.contracts.serving_rig import ANSWER, QUESTION
from tunedrop.domain.endpoint import Call, endpoint_token
from tunedrop.domain.serving_ports import EndpointOrder
from tunedrop.providers.databricks_serving import DatabricksServing, endpoint_name


class DatabricksServingRig:
    """A ServingRig; also the rig underneath, for tests of the adapter."""

    operations: Mapping[str, str] = {
        "create": "serving_endpoints.create",
        "look": "serving_endpoints.get",
        "delete": "serving_endpoints.delete",
    }

    def __init__(self, databricks: DatabricksRig) -> None:
        self.databricks = databricks
        self.serving = self.connect()
        self.faults: Faults = databricks.faults
        self.model = self.train("lighthouse")
        self.sdk = databricks.sdk()

    def connect(self, **changes: str) -> DatabricksServing:
        secret = {"host": self.databricks.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return DatabricksServing(secret=secret | changes)

    def train(self, name: str) -> str:
        """Returns the name and version of a registered model."""
        order = self.databricks.order(name)
        self.databricks.objects.put(order.training_uri, training_file([(QUESTION, ANSWER), ("Anything else?", "No.")]))
        run = self.databricks.provider.create(order)
        self.advance(60)
        return str(self.databricks.provider.status(run).tuned_model)

    def order(self, name: str, **changes: Any) -> EndpointOrder:
        order = EndpointOrder(
            job_id=name,
            token=endpoint_token(name, 1),
            tuned_model=self.model,
            kind="serving",
            model_units=None,
        )
        return msgspec.structs.replace(order, **changes)

    def endpoints(self) -> int:
        found = self.databricks.simulator.serving.endpoints.values()
        return sum(not endpoint.pay_per_token for endpoint in found)

    def make_foreign(self, order: EndpointOrder) -> str:
        name = endpoint_name(order.job_id)
        self.serve(name, order.tuned_model)
        return name

    def serve(self, name: str, tuned_model: str, **changes: Any) -> None:
        """Makes an endpoint by hand."""
        model, _, version = tuned_model.partition("/")
        entity = ServedEntityInput(entity_name=model, entity_version=version, workload_size="Small")
        config = EndpointCoreConfigInput(name=name, served_entities=[entity])
        self.sdk.serving_endpoints.create(name, config=config, **changes)

    def advance(self, seconds: float) -> None:
        self.databricks.advance(seconds)

    def ask(self, call: Call, question: str) -> str:
        messages = [ChatMessage(role=ChatMessageRole.USER, content=question)]
        choices = self.sdk.serving_endpoints.query(call.model_id, messages=messages).choices
        return str(choices[0].message.content) if choices and choices[0].message else ""

    def break_credentials(self) -> None:
        self.databricks.break_credentials()


@contextmanager
def databricks_serving_rig(tmp_path: Path) -> Iterator[DatabricksServingRig]:
    with databricks_rig(tmp_path) as databricks:
        yield DatabricksServingRig(databricks)
