"""An account in moto with what the API's function needs, and jobs in it in whichever state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from tests.cold_start import forget_wiring
from tests.fakes.jobs_table import create_jobs_table
from tunedrop import env
from tunedrop.aws.endpoint_store import DynamoEndpointStore
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import Job

TABLE, INBOX, ARTIFACTS, READABLE = "jobs", "inbox", "artifacts", "datasets"
PREFIX = "arn:aws:states:us-east-1:123456789012:stateMachine:tunedrop-test"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    env.STAGE: "test",
    env.JOBS_TABLE: TABLE,
    env.INBOX_BUCKET: INBOX,
    env.ARTIFACTS_BUCKET: ARTIFACTS,
    env.READABLE_BUCKETS: READABLE,
    env.STATE_MACHINE_ARN_PREFIX: f"{PREFIX}-fine-tuning-",
    env.ENDPOINT_MACHINE_ARN_PREFIX: f"{PREFIX}-endpoint-",
}
MACHINES = (
    "fine-tuning-openai",
    "fine-tuning-bedrock",
    "fine-tuning-databricks",
    "endpoint-bedrock",
    "endpoint-databricks",
)
ROWS = b"".join(
    b'{"messages": [{"role": "user", "content": "q%d"}, {"role": "assistant", "content": "a%d"}]}\n' % (n, n)
    for n in range(20)
)


class Account:
    """What the real account would hold."""

    def __init__(self) -> None:
        self.table: Any = boto3.client("dynamodb")
        self.jobs = DynamoJobStore(client=self.table, table=TABLE)
        self.endpoints = DynamoEndpointStore(client=self.table, table=TABLE)

    def hold(self, job: Job, endpoint: Endpoint | None = None) -> str:
        """Records both as they are; the job's id."""
        assert self.jobs.create(job)
        if endpoint is not None:
            assert self.endpoints.create(msgspec.structs.replace(endpoint, job_id=job.job_id))
        return job.job_id

    def put(self, uri: str, content: bytes = ROWS) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def job_records(self) -> list[dict[str, Any]]:
        return [item for item in self.items() if item["sk"]["S"] == "JOB"]

    def items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.table.scan(TableName=TABLE)["Items"]
        return items

    def forget_everything(self) -> None:
        for item in self.items():
            self.table.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})

    def executions(self, machine: str) -> list[str]:
        """Their names."""
        found = boto3.client("stepfunctions").list_executions(stateMachineArn=f"{PREFIX}-{machine}")["executions"]
        return [execution["name"] for execution in found]


@contextmanager
def account() -> Iterator[Account]:
    """In this process, until the context ends."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        forget_wiring()
        _create_resources()
        yield Account()
    forget_wiring()


def _create_resources() -> None:
    create_jobs_table(TABLE)
    s3, machines = boto3.client("s3"), boto3.client("stepfunctions")
    for bucket in (INBOX, ARTIFACTS, READABLE):
        s3.create_bucket(Bucket=bucket)
    wait_for_ever = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 99999, "End": True}}}
    for machine in MACHINES:
        machines.create_state_machine(
            name=f"tunedrop-test-{machine}",
            definition=json.dumps(wait_for_ever),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
