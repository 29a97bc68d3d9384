"""A stack in this process: the API's real function behind HTTP, an account in moto beneath, and a client of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

import api
from tests.api.account import INBOX, READABLE, Account, account
from tests.api.gateway import STAGE, Gateway
from tunedrop.client.job import Job
from tunedrop.client.tunedrop import Tunedrop
from tunedrop.domain.job_request import JobRequest

URL = f"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/{STAGE}"


class Stack:
    """What a test looks at."""

    def __init__(self, made: Account, gateway: Gateway) -> None:
        self.account = made
        self.gateway = gateway

    def objects(self, bucket: str) -> dict[str, bytes]:
        s3 = boto3.client("s3")
        found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}

    def secrets(self) -> dict[str, str]:
        client = boto3.client("secretsmanager")
        return {
            each["Name"]: client.get_secret_value(SecretId=each["Name"])["SecretString"]
            for each in client.list_secrets()["SecretList"]
        }

    def request(self, job: Job) -> JobRequest:
        """What the stack has recorded of what was asked for."""
        found = self.account.jobs.get(job.job_id).request
        assert found is not None
        return found

    def bodies(self) -> list[dict[str, Any]]:
        """Of what was sent to create a job, without what was only validated."""
        return [
            json.loads(event["body"])
            for event in self.gateway.events
            if event["path"] == "/v1/jobs" and event["httpMethod"] == "POST" and not event["queryStringParameters"]
        ]

    def is_untouched(self) -> bool:
        """No file, no secret, no job."""
        files = [*self.objects(INBOX), *self.objects(READABLE)]
        return not files and not self.secrets() and not self.account.items()


@pytest.fixture(scope="package")
def shared_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        nowhere = tmp_path_factory.mktemp("aws") / "config"
        patch.setenv("AWS_CONFIG_FILE", str(nowhere))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere))
        patch.delenv("AWS_PROFILE", raising=False)
        with account() as made:
            yield made


@pytest.fixture
def stack(shared_account: Account) -> Stack:
    """Empty."""
    shared_account.forget_everything()
    s3, secrets = boto3.client("s3"), boto3.client("secretsmanager")
    for bucket in (INBOX, READABLE):
        for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
    for each in secrets.list_secrets()["SecretList"]:
        secrets.delete_secret(SecretId=each["Name"], ForceDeleteWithoutRecovery=True)
    return Stack(shared_account, Gateway(api.handler))


@pytest.fixture
def tunedrop(stack: Stack) -> Iterator[Tunedrop]:
    with Tunedrop(URL, transport=httpx.WSGITransport(app=stack.gateway)) as made:
        yield made


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """As the guide's first example, and enough of them for every provider."""
    return [
        {
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": f"What is the capital of France? {number}"},
                {"role": "assistant", "content": "The capital of France is Paris."},
            ]
        }
        for number in range(12)
    ]


@pytest.fixture
def rows_file(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    file = tmp_path / "train.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file
