"""An account in memory: the synthesized state machines under moto's engine, the real functions, the real SDKs.

Functions are invoked in this process. Time is compressed: a wait, for seconds or for a task's token, moves one clock,
which the functions and the simulated providers share, and sleeps for nobody.
"""

from __future__ import annotations

import io
import json
import time as real_time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any

import boto3
import botocore.client
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from local.simulators.bedrock.account import AwsAccount
from local.simulators.bedrock.simulator import BedrockSimulator
from local.simulators.databricks.simulator import DatabricksSimulator
from local.simulators.faults import Faults
from local.simulators.openai.simulator import OpenAISimulator
from local.simulators.pace import Pace
from local.simulators.serving import serving
from tests.cold_start import forget_wiring
from tests.fakes.jobs_table import create_jobs_table
from tests.infra.templates import Template
from tests.workflow.compressed_time import CompressedTime, compress
from tunedrop import wiring
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.job import Job, Source, job_id_for

INBOX, ARTIFACTS, TABLE = "the-inbox", "the-artifacts", "the-jobs"
MACHINES = "tunedrop-dev-fine-tuning-"
ENDPOINT_MACHINES = "tunedrop-dev-endpoint-"
PROVIDERS = ("openai", "bedrock", "databricks")
ACCOUNT = "123456789012"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
MACHINE_ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:"
PACE = Pace(validating=15, queued=15, training=120, deploying=15, stopping=15)
"""Slow enough for several looks and a deadline, in compressed seconds."""


@dataclass(kw_only=True)
class Account:
    time: CompressedTime
    openai: OpenAISimulator
    bedrock: BedrockSimulator
    databricks: DatabricksSimulator
    store: DynamoJobStore
    invocations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reactions: dict[str, list[Callable[[], object]]] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, Faults]:
        return {"openai": self.openai.faults, "bedrock": self.bedrock.faults, "databricks": self.databricks.faults}

    def jobs_created(self, provider: str) -> int:
        """At the provider."""
        if provider == "openai":
            return len(self.openai.job_ids)
        if provider == "bedrock":
            return self.bedrock.jobs_created
        return len(self.databricks.scheduler.runs)

    def put(self, key: str, content: bytes) -> str:
        """Uploads without telling anybody; the version."""
        version: str = boto3.client("s3").put_object(Bucket=INBOX, Key=key, Body=content)["VersionId"]
        return version

    def drop(
        self,
        key: str,
        content: bytes,
        *,
        at: Mapping[float, Callable[[str], object]] | None = None,
        after: Mapping[str, Callable[[str], object]] | None = None,
    ) -> Job:
        """Uploads, delivers the event to intake, and waits until the job has ended.

        Meanwhile does to the job, by its id, what is planned `at` so many seconds after the start of time, and `after`
        the next run of an operation, before the state machine hears how that went.
        """
        version = self.put(key, content)
        job_id = job_id_for(Source(bucket=INBOX, key=key, version=version))
        for seconds, action in (at or {}).items():
            self.time.at(seconds, partial(action, job_id))
        for operation, action in (after or {}).items():
            self.reactions.setdefault(operation, []).append(partial(action, job_id))
        self.deliver(key, version)
        return self.ended(job_id)

    def cancel(self, job_id: str) -> Job:
        """As the API does."""
        return wiring.request_cancel()(job_id)

    def wake(self, job_id: str) -> None:
        """As a provider's news do."""
        wiring.wake_job()(job_id)

    def deliver(self, key: str, version: str) -> dict[str, Any]:
        """What EventBridge does with S3's event."""
        event = {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": "2026-11-22T09:00:00Z",
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{INBOX}"],
            "detail": {
                "version": "0",
                "bucket": {"name": INBOX},
                "object": {"key": key, "size": 1, "etag": "e", "version-id": version, "sequencer": "00"},
                "request-id": "C3D13FE58DE4C810",
                "requester": ACCOUNT,
                "reason": "PutObject",
            },
        }
        return invoke("intake", event)

    def ended(self, job_id: str) -> Job:
        """The job, when its execution is over."""
        deadline = real_time.monotonic() + 30
        while self.execution(job_id)["status"] == "RUNNING":
            assert real_time.monotonic() < deadline, self.history(job_id)[-5:]
            real_time.sleep(0.02)
        if self.time.failures:
            raise self.time.failures[0]
        return self.store.get(job_id)

    def execution(self, name: str, *, machines: str = MACHINES) -> dict[str, Any]:
        """The execution of that name, with the status `NONE` where there is none; a job's first has the job's id.

        Found by its name: moto's tables cannot be read while the execution writes to them.
        """
        client = machine_client()
        for provider in PROVIDERS:
            arn = f"{MACHINE_ARN.replace(':stateMachine:', ':execution:')}{machines}{provider}:{name}"
            try:
                answer: dict[str, Any] = client.describe_execution(executionArn=arn)
            except client.exceptions.ExecutionDoesNotExist:
                continue
            return answer
        return {"status": "NONE"}

    def history(self, name: str, *, machines: str = MACHINES) -> list[dict[str, Any]]:
        arn = self.execution(name, machines=machines)["executionArn"]
        events: list[dict[str, Any]] = machine_client().get_execution_history(executionArn=arn)["events"]
        return events

    def states(self, name: str, *, machines: str = MACHINES) -> list[str]:
        """The states that the execution entered, in order."""
        entered = (event.get("stateEnteredEventDetails") for event in self.history(name, machines=machines))
        return [details["name"] for details in entered if details]

    def report(self, job: Job) -> dict[str, Any]:
        assert job.report_uri is not None
        key = job.report_uri.removeprefix(f"s3://{ARTIFACTS}/")
        report: dict[str, Any] = json.loads(boto3.client("s3").get_object(Bucket=ARTIFACTS, Key=key)["Body"].read())
        return report


@cache
def machine_client() -> Any:
    return boto3.client("stepfunctions")


@cache
def _client_of(region: str, service: str) -> Any:
    return boto_client_for(region, service)


@cache
def _validate(definition: str) -> None:
    AmazonStateLanguageParser.parse(definition)


def invoke(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Runs a function as Lambda would, its input and output as JSON."""
    handler = import_module(function).handler
    context = LambdaContext()
    context._function_name = function
    context._memory_limit_in_mb = 128
    context._invoked_function_arn = f"{FUNCTION_ARN}{function}"
    context._aws_request_id = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"
    answer: dict[str, Any] = json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))
    return answer


@contextmanager
def account(template: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """One account, empty but for the stack."""
    time = CompressedTime()
    with ExitStack() as stack:
        stack.enter_context(
            mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}})
        )
        built = _build(stack, time, monkeypatch)
        compress(time, monkeypatch)
        _answer_invocations(built, monkeypatch)
        _spare(monkeypatch)
        _create_resources(template)
        try:
            yield built
        finally:
            _stop_executions()
            forget_wiring()


def _stop_executions() -> None:
    """Endpoints may still be coming up: what they wait for would move the time of the next account."""
    for machine in stepfunctions_parser_backends[ACCOUNT]["us-east-1"].state_machines:
        executions: list[Any] = machine.executions
        for execution in executions:
            while execution.exec_worker is None or execution.exec_worker.env is None:
                real_time.sleep(0.01)  # it is about to begin
            if execution.status == "RUNNING":
                machine_client().stop_execution(executionArn=execution.execution_arn)
    for thread in TMP_THREADS:
        thread.join(timeout=30)
        assert not thread.is_alive(), thread
    TMP_THREADS.clear()


def _build(stack: ExitStack, time: CompressedTime, monkeypatch: pytest.MonkeyPatch) -> Account:
    openai = OpenAISimulator(api_key="openai-key", clock=time, pace=PACE)
    # The key id is what moto puts into the environment.
    bedrock = BedrockSimulator(
        account=AwsAccount(client=boto3.client), access_keys=["FOOBARKEY"], clock=time, pace=PACE
    )
    databricks = DatabricksSimulator(
        token="databricks-token",
        client_id="tunedrop",
        client_secret="databricks-secret",
        training_job_id=4711,
        volumes=["/Volumes/main/tunedrop/uploads"],
        schemas=["main.tunedrop"],
        clock=time,
        pace=PACE,
    )
    openai_url, bedrock_url, databricks_url = (
        stack.enter_context(serving(simulator.app)) for simulator in (openai, bedrock, databricks)
    )
    environment = {
        "STAGE": "dev",
        "JOBS_TABLE": TABLE,
        "INBOX_BUCKET": INBOX,
        "ARTIFACTS_BUCKET": ARTIFACTS,
        "STATE_MACHINE_ARN_PREFIX": f"{MACHINE_ARN}{MACHINES}",
        "ENDPOINT_MACHINE_ARN_PREFIX": f"{MACHINE_ARN}{ENDPOINT_MACHINES}",
        "TOPIC_ARN": f"arn:aws:sns:us-east-1:{ACCOUNT}:jobs",
        "BEDROCK_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/training",
        "DATABRICKS_TRAINING_JOB_ID": "4711",
        "DATABRICKS_VOLUME": "/Volumes/main/tunedrop/uploads",
        "DATABRICKS_SCHEMA": "main.tunedrop",
        "AWS_ENDPOINT_URL_BEDROCK": bedrock_url,
        "AWS_ACCOUNT_ID": ACCOUNT,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_wiring()
    secrets = boto3.client("secretsmanager")
    for provider, secret in {
        "openai": {"api_key": "openai-key", "base_url": f"{openai_url}/v1"},
        "databricks": {"host": databricks_url, "token": "databricks-token"},
    }.items():
        secrets.create_secret(Name=f"tunedrop/dev/{provider}/default", SecretString=json.dumps(secret))
    store = DynamoJobStore(client=boto3.client("dynamodb"), table=TABLE)
    return Account(time=time, openai=openai, bedrock=bedrock, databricks=databricks, store=store)


def _spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine does for each machine and each task again is done once: definitions take long to parse."""
    monkeypatch.setattr(StepFunctionsParserBackend, "_validate_definition", staticmethod(_validate))
    for module in (lambda_eval_utils, state_task_service_aws_sdk):
        monkeypatch.setattr(module, "boto_client_for", lambda region, service, **_: _client_of(region, service))


def _answer_invocations(built: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    call = botocore.client.BaseClient._make_api_call

    def answer(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if (self.meta.service_model.service_name, operation) == ("stepfunctions", "StartExecution"):
            # moto's engine hands the names of a task's parameters on as the definition spells them.
            return call(self, operation, {f"{name[0].lower()}{name[1:]}": each for name, each in parameters.items()})
        if (self.meta.service_model.service_name, operation) != ("lambda", "Invoke"):
            return call(self, operation, parameters)
        function = parameters["FunctionName"].rpartition(":")[2]
        event = json.loads(parameters["Payload"])
        built.invocations.append((function, event))
        try:
            answer = _reply({"StatusCode": 200, "ExecutedVersion": "$LATEST"}, invoke(function, event))
        except Exception as error:
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            answer = _reply({"StatusCode": 200, "FunctionError": "Unhandled"}, failure)
        for reaction in built.reactions.pop(event.get("operation", function), []):
            built.time.carry_out(reaction)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)


def _reply(answer: dict[str, Any], payload: Any) -> dict[str, Any]:
    return {**answer, "Payload": io.BytesIO(json.dumps(payload).encode())}


def _create_resources(template: Template) -> None:
    s3 = boto3.client("s3")
    for bucket in (INBOX, ARTIFACTS):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    create_jobs_table(TABLE)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "bedrock.amazonaws.com"}}
    boto3.client("iam").create_role(
        RoleName="training",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    for machine in template["Resources"].values():
        if machine["Type"] == "AWS::StepFunctions::StateMachine":
            properties = machine["Properties"]
            machine_client().create_state_machine(
                name=properties["StateMachineName"],
                definition=_substituted(properties["DefinitionString"], properties["StateMachineName"]),
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
            )


def _substituted(definition: str, name: str) -> str:
    """The definition of the machine `name`, with this account's functions, table and machines in it."""
    provider = name.rpartition("-")[2]
    substitutions = {
        "PrepareArn": f"{FUNCTION_ARN}prepare",
        "TasksArn": f"{FUNCTION_ARN}{provider}_tasks",
        "FinishArn": f"{FUNCTION_ARN}finish",
        "JobsTable": TABLE,
        "EndpointMachineArn": f"{MACHINE_ARN}{ENDPOINT_MACHINES}{provider}",
    }
    for placeholder, value in substitutions.items():
        definition = definition.replace(f"${{{placeholder}}}", value)
    assert "${" not in definition
    return definition
