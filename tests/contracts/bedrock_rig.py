"""Bedrock's adapter on boto3, against the simulator, with S3 and IAM in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import msgspec
from botocore.config import Config

from local.simulators.bedrock.simulator import BedrockSimulator
from local.simulators.faults import Faults
from local.simulators.pace import Pace
from local.simulators.serving import serving
from tests.fakes.clock import ManualClock
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.aws.clients import CLIENT_CONFIG
from tunedrop.domain.provider_ports import TrainingOrder
from tunedrop.providers.bedrock import BedrockProvider

ACCESS_KEY = "AKIDEXAMPLE"
ROLE = "arn:aws:iam::000000000000:role/tunedrop-training"
BUCKET = "tunedrop-artifacts"
MODEL = "amazon.nova-lite-v1:0:300k"


class MemoryAccount:
    """The simulator's view of an account that has one bucket, one role, and the objects of a MemoryObjectStore."""

    def __init__(self, objects: MemoryObjectStore) -> None:
        self.objects = objects
        self.buckets = {BUCKET}
        self.roles = {ROLE}

    def read(self, uri: str) -> bytes | None:
        return self.objects.objects.get(uri)

    def write(self, uri: str, content: bytes) -> None:
        self.objects.put(uri, content)

    def has_bucket(self, bucket: str) -> bool:
        return bucket in self.buckets

    def trusts_bedrock(self, role_arn: str) -> bool:
        return role_arn in self.roles


class BedrockRig:
    operations: Mapping[str, str] = {
        "create": "CreateModelCustomizationJob",
        "status": "GetModelCustomizationJob",
        "find": "GetModelCustomizationJob",
        "stop": "StopModelCustomizationJob",
    }

    def __init__(self, simulator: BedrockSimulator, account: MemoryAccount, clock: ManualClock, url: str) -> None:
        self.simulator = simulator
        self.account = account
        self.faults: Faults = simulator.faults
        self._clock = clock
        self.url = url
        # One attempt a call, so that one fault is one failed call. The state machine repeats what fails for good.
        once = CLIENT_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
        self._clients: list[Any] = []
        self.client = self.connect(config=once)
        self.provider = BedrockProvider(
            client=self.client,
            objects=account.objects,
            role_arn=ROLE,
            output_uri_prefix=f"s3://{BUCKET}/outputs",
        )

    def connect(self, service: str = "bedrock", **settings: Any) -> Any:
        """A boto3 client of the simulator, closed with the rig."""
        client = bedrock_client(self.url, service, **settings)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def order(self, name: str, *, rows: int = 12, **changes: Any) -> TrainingOrder:
        uri = f"s3://{BUCKET}/prepared/{name}/train.jsonl"
        self.account.write(uri, training_file((f"question {number}", f"answer {number}") for number in range(rows)))
        order = TrainingOrder(
            job_id=name,
            token=f"tunedrop-{name}",
            base_model=MODEL,
            training_uri=uri,
            training_sha256="0" * 64,
            validation_uri=None,
            hyperparameters={"epochCount": 3, "learningRate": 1e-5},
            format="chat",
            job_name=None,
            register_to=None,
            task_type=None,
            created_at=datetime(2026, 11, 22, tzinfo=UTC),
        )
        return msgspec.structs.replace(order, **changes)

    def jobs_created(self) -> int:
        return self.simulator.jobs_created

    def advance(self, seconds: float) -> None:
        self._clock.seconds += seconds

    def stop_in_console(self, provider_job_id: str) -> None:
        self.client.stop_model_customization_job(jobIdentifier=provider_job_id)

    def break_credentials(self) -> None:
        self.simulator.access_keys.clear()


def bedrock_client(
    url: str,
    service: str = "bedrock",
    *,
    config: Config | None = None,
    region: str = "us-east-1",
    access_key: str = ACCESS_KEY,
) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key="not-verified",
        config=config or CLIENT_CONFIG,
    )


def training_file(pairs: Any, *, system: str | None = None) -> bytes:
    """Questions and answers in the format of Nova."""
    lines = []
    for question, answer in pairs:
        row: dict[str, Any] = {"schemaVersion": "bedrock-conversation-2024"}
        if system:
            row["system"] = [{"text": system}]
        row["messages"] = [
            {"role": "user", "content": [{"text": question}]},
            {"role": "assistant", "content": [{"text": answer}]},
        ]
        lines.append(json.dumps(row))
    return "".join(f"{line}\n" for line in lines).encode()


@contextmanager
def bedrock_rig(tmp_path: Path, **settings: Any) -> Iterator[BedrockRig]:
    """`settings` go to the simulator."""
    clock = ManualClock()
    account = MemoryAccount(MemoryObjectStore())
    simulator = BedrockSimulator(
        account=account, access_keys={ACCESS_KEY}, clock=clock, **({"pace": Pace()} | settings)
    )
    with serving(simulator.app) as url:
        rig = BedrockRig(simulator, account, clock, url)
        try:
            yield rig
        finally:
            rig.close()
