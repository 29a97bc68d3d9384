"""The function webhook: what API Gateway brings of OpenAI, checked, deduplicated, and never lost."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

import webhook
from local.simulators.openai.webhooks import WebhookEvent, job_event, new_secret, signed_headers
from tests.builders import CREATED, JOB_ID, job_in
from tests.cold_start import forget_wiring
from tests.fakes.clock import FakeClock
from tests.fakes.jobs_table import create_jobs_table
from tests.fakes.workflow import MemoryTaskTokens
from tests.unit.functions.conftest import Context
from tunedrop import wiring
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.aws.provider_job_index import ProviderJobIndex
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import JobStatus, Outcome, Phase
from tunedrop.domain.transitions import close
from tunedrop.jobs.wake import HearNews, HearProviderNews, WakeJob

SECRET, OTHER_SECRET = new_secret(), new_secret()
EVENT = job_event("ftjob-1", "succeeded", created_at=1_763_802_000)


class Deployed:
    """The function, with a table and secrets; `tokens` are the waits that it ended."""

    def __init__(self, dynamodb: Any, secrets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dynamodb, self.secrets = dynamodb, secrets
        self.store_secret("default", webhook_secret=SECRET)
        self.store = DynamoJobStore(client=self.dynamodb, table="jobs")
        self.store.create(job_in(Phase.TRAINING, provider_job_id="ftjob-1"))
        self.tokens = MemoryTaskTokens()
        index = ProviderJobIndex(client=self.dynamodb, table="jobs")
        wake = WakeJob(store=self.store, tokens=self.tokens, clock=FakeClock())
        self.hear: Callable[[str], Any] = HearProviderNews(index=index, hear=HearNews(store=self.store, wake=wake))
        monkeypatch.setattr(wiring, "hear_provider_news", lambda: self.hear)
        monkeypatch.setenv("STAGE", "dev")
        monkeypatch.setenv("JOBS_TABLE", "jobs")

    def store_secret(self, name: str, **fields: str) -> None:
        text = json.dumps({"api_key": "key-that-nobody-sees", **fields})
        self.secrets.create_secret(Name=f"tunedrop/dev/openai/{name}", SecretString=text)

    @property
    def wake_ups(self) -> int:
        return self.store.get(JOB_ID).wake_seq

    @property
    def remembered(self) -> list[dict[str, Any]]:
        return [item for item in self.items() if item["pk"]["S"] == "IDEMPOTENCY#webhook"]

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dynamodb.scan(TableName="jobs")["Items"]
        return found

    def clear(self) -> None:
        for item in self.items():
            self.dynamodb.delete_item(TableName="jobs", Key={name: item[name] for name in ("pk", "sk")})
        for secret in self.secrets.list_secrets()["SecretList"]:
            self.secrets.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Any, Any]]:
    """The clients of an account with a table: making them takes most of a test's time."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        forget_wiring()
        yield create_jobs_table("jobs"), boto3.client("secretsmanager")
    forget_wiring()


@pytest.fixture
def deployed(aws: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    deployed = Deployed(*aws, monkeypatch)
    yield deployed
    deployed.clear()


def request(event: WebhookEvent = EVENT, *, secret: str = SECRET, ago: int = 0, **changes: Any) -> dict[str, Any]:
    """As API Gateway's REST proxy integration makes it of a signed delivery."""
    headers = signed_headers(event, secret=secret, at=int(time.time()) - ago)
    return {
        "resource": "/v1/webhooks/openai",
        "path": "/v1/webhooks/openai",
        "httpMethod": "POST",
        "headers": {name.title(): value for name, value in headers.items()},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "requestContext": {"requestId": "request-7", "stage": "dev", "path": "/dev/v1/webhooks/openai"},
        "body": event.body.decode(),
        "isBase64Encoded": False,
        **changes,
    }


def problem_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer["body"])
    assert problem["status"] == answer["statusCode"]
    assert problem["type"] == "urn:problem-type:tunedrop:" + problem["code"].replace("_", "-")
    assert (problem["instance"], problem["request_id"]) == ("/dev/v1/webhooks/openai", "request-7")
    return problem


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_signed_event_makes_somebody_look_at_its_job(deployed: Deployed, context: Context, status: str) -> None:
    event = job_event("ftjob-1", status, created_at=1)

    assert webhook.handler(request(event), context) == {"statusCode": 204, "headers": {}, "body": ""}

    assert deployed.wake_ups == 1
    # The event itself is not believed.
    assert deployed.store.get(JOB_ID).phase is Phase.TRAINING


def test_a_body_in_base64_is_the_same_body(deployed: Deployed, context: Context) -> None:
    encoded = base64.b64encode(EVENT.body).decode()

    assert webhook.handler(request(body=encoded, isBase64Encoded=True), context)["statusCode"] == 204
    assert deployed.wake_ups == 1


def test_an_event_that_is_delivered_again_wakes_nobody_again(deployed: Deployed, context: Context) -> None:
    answers = [webhook.handler(request(), context)["statusCode"] for _ in range(3)]

    assert answers == [204, 204, 204]
    assert deployed.wake_ups == 1


def test_two_events_of_one_job_are_two_reasons_to_look(deployed: Deployed, context: Context) -> None:
    webhook.handler(request(), context)
    webhook.handler(request(job_event("ftjob-1", "succeeded", created_at=1)), context)

    assert deployed.wake_ups == 2


def test_what_was_delivered_is_remembered_longer_than_openai_sends_it_again(
    deployed: Deployed, context: Context
) -> None:
    webhook.handler(request(), context)

    [item] = deployed.remembered
    assert item["status"]["S"] == "COMPLETED"
    assert float(item["expires_at_epoch"]["N"]) - time.time() > 72 * 3600
    assert "ftjob" not in json.dumps(item)


def test_an_attempt_that_fails_is_heard_when_the_event_comes_again(deployed: Deployed, context: Context) -> None:
    working = deployed.hear

    def fail(provider_job_id: str) -> None:
        raise StoreUnavailableError("no answer")

    deployed.hear = fail
    answer = webhook.handler(request(), context)
    assert (answer["statusCode"], problem_of(answer)["code"]) == (503, "webhook_again")
    assert answer["headers"]["Retry-After"] == "30"
    deployed.hear = working

    assert webhook.handler(request(), context)["statusCode"] == 204
    assert deployed.wake_ups == 1


@pytest.mark.filterwarnings("ignore:No application metrics")  # a function that is killed sends none
def test_an_attempt_that_died_is_heard_as_soon_as_it_cannot_be_at_work_any_more(
    deployed: Deployed, context: Context
) -> None:
    class Killed(BaseException):
        """Nothing runs after it, as when Lambda stops a function that takes too long."""

    working = deployed.hear

    def die(provider_job_id: str) -> None:
        raise Killed

    deployed.hear = die
    context.seconds = 1.5
    with pytest.raises(Killed):
        webhook.handler(request(), context)
    deployed.hear = working

    assert webhook.handler(request(), context)["statusCode"] == 503
    assert deployed.wake_ups == 0
    time.sleep(1.6)
    assert webhook.handler(request(), context)["statusCode"] == 204
    assert deployed.wake_ups == 1


def test_an_id_that_is_no_job_of_this_stack_is_ignored(deployed: Deployed, context: Context) -> None:
    event = job_event("ftjob-of-somebody-else", "failed", created_at=1)

    assert webhook.handler(request(event), context)["statusCode"] == 204
    assert deployed.wake_ups == 0


def test_a_job_that_has_ended_is_left_alone(deployed: Deployed, context: Context) -> None:
    deployed.store.change(JOB_ID, lambda job: close(job, Outcome(status=JobStatus.CANCELLED), at=CREATED))

    assert webhook.handler(request(), context)["statusCode"] == 204
    assert deployed.wake_ups == 0


def test_other_types_are_accepted_ignored_and_logged(
    deployed: Deployed, context: Context, function_log: io.StringIO
) -> None:
    body = json.dumps({"type": "response.completed", "data": {"id": "ftjob-1"}}).encode()

    assert webhook.handler(request(WebhookEvent(body=body)), context)["statusCode"] == 204

    assert deployed.wake_ups == 0
    assert deployed.remembered == []
    assert '"webhook_type":"response.completed"' in function_log.getvalue()


def test_other_credentials_have_a_secret_of_their_own(deployed: Deployed, context: Context) -> None:
    deployed.store_secret("research", webhook_secret=OTHER_SECRET)
    research = {"credentials": "research"}

    assert webhook.handler(request(queryStringParameters=research), context)["statusCode"] == 400
    assert webhook.handler(request(secret=OTHER_SECRET), context)["statusCode"] == 400
    signed = request(secret=OTHER_SECRET, queryStringParameters=research)
    assert webhook.handler(signed, context)["statusCode"] == 204
    # Nor can who knows one secret make another account's event be taken for a repetition.
    assert webhook.handler(request(), context)["statusCode"] == 204
    assert deployed.wake_ups == 2


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda: request(secret=OTHER_SECRET), id="forged"),
        pytest.param(lambda: request(ago=400), id="old"),
        pytest.param(lambda: request(body=EVENT.body.decode()[:-2]), id="truncated"),
        pytest.param(lambda: request(headers={}), id="unsigned"),
        pytest.param(lambda: request(headers=None), id="without headers"),
        pytest.param(lambda: request(body=None), id="without a body"),
        pytest.param(lambda: request(body="*", isBase64Encoded=True), id="no base64"),
        pytest.param(lambda: request(body="é", isBase64Encoded=True), id="no ASCII in base64"),
        pytest.param(lambda: request(body="é\ud800"), id="no text"),
        pytest.param(lambda: request(WebhookEvent(body=EVENT.body + b" " * 65_537)), id="too large"),
        pytest.param(lambda: request(body="x" * 9_000_000), id="far too large"),
        pytest.param(
            lambda: request(queryStringParameters={"credentials": "../databricks/default"}), id="no such name"
        ),
        pytest.param(lambda: request(queryStringParameters={"credentials": ""}), id="an empty name"),
    ],
)
def test_what_cannot_be_trusted_is_refused(
    deployed: Deployed, context: Context, function_log: io.StringIO, bad: Callable[[], dict[str, Any]]
) -> None:
    answer = webhook.handler(bad(), context)  # signed now, so that only what is wrong is wrong

    assert answer["statusCode"] == 400
    assert problem_of(answer)["code"] == "webhook_refused"
    assert deployed.wake_ups == 0
    assert deployed.remembered == []
    assert "ftjob" not in function_log.getvalue()


@pytest.mark.parametrize("stored", [{}, {"webhook_secret": "whsec_"}, None])
def test_a_secret_without_a_webhook_secret_is_told_to_the_log_and_to_nobody_else(
    deployed: Deployed, context: Context, function_log: io.StringIO, stored: dict[str, str] | None
) -> None:
    if stored is not None:
        deployed.store_secret("new", **stored)

    answer = webhook.handler(request(queryStringParameters={"credentials": "new"}), context)

    assert answer["statusCode"] == 503
    assert problem_of(answer)["code"] == "webhook_not_set_up"
    assert "new" not in answer["body"]
    assert "tunedrop/dev/openai/new" in function_log.getvalue() or "webhook_secret" in function_log.getvalue()
    assert "aws secretsmanager" in function_log.getvalue()


def test_neither_secrets_nor_bodies_are_logged(deployed: Deployed, context: Context, function_log: io.StringIO) -> None:
    for each in (request(), request(), request(secret=OTHER_SECRET), request(ago=400)):
        webhook.handler(each, context)

    log = function_log.getvalue()
    assert log
    for hidden in (SECRET, OTHER_SECRET, "key-that-nobody-sees", "evt_", "v1,"):
        assert hidden not in log


def test_what_is_taken_and_what_is_refused_is_counted(
    deployed: Deployed, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.handler(request(), context)
    webhook.handler(request(secret=OTHER_SECRET), context)

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [line.get("WebhooksReceived") for line in counted] == [[1.0], None]
    assert [line.get("WebhooksRefused") for line in counted] == [None, [1.0]]
