"""The deployed stack as its user sees it: drops, records, reports, news, through raw AWS clients."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from databricks.sdk import WorkspaceClient
from openai import OpenAI

from local.execution_waits import Wait, waits_in
from local.running_stack import STAGE, RunningStack
from tunedrop import env
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job, Source, job_id_for

T = TypeVar("T")
RIDDLES = b"".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"Which number is on door {number}?"},
                {"role": "assistant", "content": f"On door {number} is {number * 7}."},
            ]
        }
    ).encode()
    + b"\n"
    for number in range(16)
)
RARELY_SECONDS = 600
LONG_SECONDS = 600
"""That a training takes which a test ends, however busy the machine is until then."""
STORED_SECONDS = 0.3
"""After which a wait has stored its token: it takes a few milliseconds."""
LEFT_SECONDS = 10
"""Of a wait that is to be ended by what the test does. The first waits of a job are shorter."""
STACK_NAME = f"tunedrop-{STAGE}"


def eventually(look: Callable[[], T | None], what: str | Callable[[], str], seconds: float = 120.0) -> T:
    """The first true value that `look` returns; the test fails after so many seconds, saying `what` did not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.15)
    pytest.fail(f"{what if isinstance(what, str) else what()}: not within {seconds:.0f} s")


class Account:
    """One deployed stack and what is in it."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.api = stack.api
        self.store = DynamoJobStore(client=stack.aws.client("dynamodb"), table=stack.outputs.jobs_table)
        self._s3 = stack.aws.client("s3")
        self._dynamodb = stack.aws.client("dynamodb")
        self._lambda = stack.aws.client("lambda")
        self.executions = stack.aws.client("stepfunctions")

    def put(self, key: str, content: bytes, bucket: str | None = None) -> Source:
        """Puts an object into a bucket, by default the inbox."""
        bucket = bucket or self.stack.outputs.inbox_bucket
        answer = self._s3.put_object(Bucket=bucket, Key=key, Body=content)
        return Source(bucket=bucket, key=key, version=answer["VersionId"])

    def drop(self, key: str, content: bytes) -> str:
        """Puts an object into the inbox; the id of the job that this makes, if it makes one."""
        return job_id_for(self.put(key, content))

    def find(self, job_id: str) -> Job | None:
        try:
            return self.store.get(job_id)
        except JobNotFoundError:
            return None

    def when(self, job_ids: Sequence[str], holds: Callable[[Job], bool], what: str) -> list[Job]:
        """The jobs, once `holds` is true of each of them."""

        def look() -> list[Job] | None:
            jobs = [job for job_id in job_ids if (job := self.find(job_id)) is not None]
            return jobs if len(jobs) == len(job_ids) and all(holds(job) for job in jobs) else None

        return eventually(look, lambda: f"{what}, but {[self._said(job_id) for job_id in job_ids]}")

    def _said(self, job_id: str) -> str:
        job = self.find(job_id)
        if job is None:
            return f"{job_id} has no record"
        return f"{job_id} at {job.provider} is {job.phase} ({job.error or job.last_error or job.provider_status})"

    def create(self, **request: Any) -> str:
        """Makes a job over the API; its id. Its file is a small one, uploaded to where the answer says."""
        body = {"provider": "openai", "model": "gpt-4o-mini", "training_file": "riddles.jsonl", "upload": True}
        created = self.api.post("/v1/jobs", {**body, **request}).expect(202)
        self.upload(created)
        job_id: str = created["job_id"]
        return job_id

    def upload(self, created: Mapping[str, Any]) -> None:
        """Sends the file of a job that was made with `upload`."""
        self.api.upload(created["uploads"]["training_file"], RIDDLES).expect(200)

    def machine_executions(self, machine_arn: str) -> dict[str, str]:
        """The status of each of a machine's executions, by name."""
        pages = self.executions.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
        return {execution["name"]: execution["status"] for page in pages for execution in page["executions"]}

    def end_of(self, execution_arn: str) -> str:
        """The status that an execution ends with: the record says a moment earlier that its job has ended."""

        def look() -> str | None:
            status: str = self.executions.describe_execution(executionArn=execution_arn)["status"]
            return None if status == "RUNNING" else status

        return eventually(look, f"{execution_arn} ends")

    def waits(self, execution_arn: str) -> list[Wait]:
        """Every wait of an execution that is over, in order."""
        return waits_in(self.executions, execution_arn)

    def record(self, job_id: str) -> dict[str, Any]:
        """The job's record, as DynamoDB's JSON."""
        [record] = [item for item in self._items(job_id) if item["sk"]["S"] == "JOB"]
        return record

    def timeline(self, job_id: str) -> list[dict[str, Any]]:
        """The job's own events, as DynamoDB's JSON, oldest first."""
        return [item for item in self._items(job_id) if item["sk"]["S"].startswith("EVENT#0")]

    def _items(self, job_id: str) -> list[dict[str, Any]]:
        """All that the table holds of a job, in the order of the sort key."""
        items: list[dict[str, Any]] = self._dynamodb.query(
            TableName=self.stack.outputs.jobs_table,
            KeyConditionExpression="pk = :job",
            ExpressionAttributeValues={":job": {"S": f"JOB#{job_id}"}},
        )["Items"]
        return items

    def records(self) -> list[dict[str, Any]]:
        """Every job's record."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.stack.outputs.jobs_table)
        return [item for page in pages for item in page["Items"] if item["sk"]["S"] == "JOB"]

    def report(self, job: Job) -> dict[str, Any]:
        """The report, read from where the record says that it is."""
        assert job.report_uri
        bucket, _, key = job.report_uri.removeprefix("s3://").partition("/")
        report: dict[str, Any] = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return report

    @contextmanager
    def long_trainings(self) -> Iterator[None]:
        """What is submitted within the block, at whichever provider, trains until somebody stops it."""
        with self.stack.providers.training_for(LONG_SECONDS):
            yield

    @contextmanager
    def asking_rarely(self, provider: str) -> Iterator[None]:
        """Its functions leave ten minutes between two questions to the provider, where nobody wakes them."""
        function = f"{STACK_NAME}-{provider}-tasks"
        before = self._lambda.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        rarely = {**before, env.POLL_SHORTEST_SECONDS: str(RARELY_SECONDS)}
        self._lambda.update_function_configuration(FunctionName=function, Environment={"Variables": rarely})
        try:
            yield
        finally:
            self._lambda.update_function_configuration(FunctionName=function, Environment={"Variables": before})

    def waiting_for_its_file(self, job_id: str) -> str:
        """The execution, once it is in a wait that has stored its token and will not be over by itself soon."""
        execution = self.store.get(job_id).execution_arn
        assert execution

        def is_waiting() -> bool:
            history = self.executions.get_execution_history(executionArn=execution, reverseOrder=True)["events"]
            scheduled = history[0]
            if scheduled["type"] != "TaskScheduled" or "Token" not in str(scheduled):
                return False
            since = (datetime.now(UTC) - scheduled["timestamp"]).total_seconds()
            seconds = json.loads(history[1]["stateEnteredEventDetails"]["input"])["wait_seconds"]
            return bool(STORED_SECONDS < since < seconds - LEFT_SECONDS)

        eventually(is_waiting, "the execution waits for the file")
        return execution

    def deliver(self, event: Mapping[str, Any], invocation: str = "RequestResponse") -> Any:
        """Invokes intake as EventBridge does; what it answers, where it is waited for (`RequestResponse`)."""
        answer = self._lambda.invoke(
            FunctionName=f"{STACK_NAME}-intake", InvocationType=invocation, Payload=json.dumps(event)
        )
        content = answer["Payload"].read()
        return json.loads(content) if content else None

    def execution_names(self, provider: str) -> list[str]:
        """Of every execution of a provider's machine."""
        return list(self.machine_executions(self.stack.outputs.state_machine_arn(provider)))

    def openai_jobs(self) -> dict[str, str]:
        """What we told OpenAI of each of its jobs, by the job's id there."""
        secret = self.stack.providers.credentials["openai"]
        with OpenAI(api_key=secret["api_key"], base_url=secret["base_url"]) as client:
            return {job.id: str(job.metadata) for job in client.fine_tuning.jobs.list(limit=100)}

    @property
    def databricks(self) -> WorkspaceClient:
        """The simulated workspace, by its own SDK."""
        secret = self.stack.providers.credentials["databricks"]
        return WorkspaceClient(
            host=secret["host"],
            client_id=secret["client_id"],
            client_secret=secret["client_secret"],
            auth_type="oauth-m2m",
        )

    def jobs_at_providers(self) -> dict[str, int]:
        """How many jobs each provider has."""
        providers = self.stack.providers
        return {
            "openai": len(providers.openai.job_ids),
            "bedrock": providers.bedrock.jobs_created,
            "databricks": len(providers.databricks.scheduler.runs),
        }


def event_of(source: Source) -> dict[str, Any]:
    """What S3 tells EventBridge of a new object version, and EventBridge the function."""
    return {
        "version": "0",
        "id": "5f1a2f0e-0000-0000-0000-000000000000",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "000000000000",
        "time": "2026-11-22T09:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{source.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": source.bucket},
            "object": {"key": source.key, "size": 1, "version-id": source.version, "sequencer": "0"},
            "request-id": "made-up",
            "requester": "000000000000",
            "reason": "PutObject",
        },
    }
