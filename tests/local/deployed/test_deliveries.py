"""S3 may tell of an object many times, at once and in any order; it stays one job and one execution."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.local.deployed.account import STACK_NAME, Account, event_of, eventually
from tests.local.deployed.conftest import riddles
from tunedrop.aws.object_store import S3ObjectStore
from tunedrop.aws.workflow import StepFunctionsWorkflow
from tunedrop.domain.job import Job, Phase, Source, job_id_for
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.finish import FinishJob
from tunedrop.jobs.receive import ReceiveUpload
from tunedrop.wiring import SystemClock

KEY = "inbox/openai/gpt-4.1-mini/deliveries.jsonl"
FILE = riddles("Who delivers twice?", "Whoever may.")


def submitted(account: Account, job_id: str) -> Job:
    [job] = account.when([job_id], lambda job: job.provider_job_id is not None, "the job is at the provider")
    return job


def test_ten_deliveries_at_once_make_one_job_and_one_execution(account: Account) -> None:
    source = account.put(KEY, FILE)  # S3 itself delivers, too
    job_id = job_id_for(source)
    kinds = ["RequestResponse", "Event"] * 5
    with ThreadPoolExecutor(len(kinds)) as pool:
        answers = list(pool.map(lambda kind: account.deliver(event_of(source), kind), kinds))
    assert [answer for answer in answers if answer is not None] == [{"job_id": job_id}] * 5
    job = submitted(account, job_id)
    sources = [record["source"]["M"]["version"]["S"] for record in account.records() if "source" in record]
    assert sources.count(source.version) == 1
    assert account.execution_names("openai").count(job_id) == 1
    assert [each for each, told in account.openai_jobs().items() if job_id in told] == [job.provider_job_id]


class Crash(BaseException):
    """The function's environment is gone."""


class CrashingWorkflow(StepFunctionsWorkflow):
    """Intake comes as far as its write, and no further."""

    def start(self, provider: str, name: str, state: Mapping[str, str | int]) -> None:
        raise Crash


def crashed_intake(account: Account) -> ReceiveUpload:
    """Intake on the deployed stack, on its way to a crash."""
    stack = account.stack
    objects, clock = S3ObjectStore(client=stack.aws.client("s3")), SystemClock()
    prefix = stack.outputs.state_machine_arn("openai").removesuffix("openai")
    return ReceiveUpload(
        store=account.store,
        objects=objects,
        accept=AcceptJob(
            workflow=CrashingWorkflow(client=account.executions, machine_arn_prefix=prefix),
            inbox_bucket=stack.outputs.inbox_bucket,
            readable_buckets=(),
        ),
        finish=FinishJob(
            store=account.store,
            objects=objects,
            clock=clock,
            artifacts_bucket=stack.outputs.artifacts_bucket,
            serve=lambda job: None,
        ),
        clock=clock,
    )


@contextmanager
def witness(account: Account) -> Iterator[str]:
    """The URL of a queue that is told of every object, after the stack's own rules have been looked at."""
    events, sqs = account.stack.aws.client("events"), account.stack.aws.client("sqs")
    url = sqs.create_queue(QueueName="witness")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="witness", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="witness", Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield url
    finally:
        events.remove_targets(Rule="witness", Ids=["queue"])
        events.delete_rule(Name="witness")
        sqs.delete_queue(QueueUrl=url)


def put_unnoticed(account: Account) -> Source:
    """An object in the inbox whose event has gone by without reaching intake."""
    events, sqs = account.stack.aws.client("events"), account.stack.aws.client("sqs")
    [rule] = [
        rule["Name"] for rule in events.list_rules()["Rules"] if rule["Name"].startswith(f"{STACK_NAME}-EventsDrops")
    ]
    with witness(account) as queue:
        events.disable_rule(Name=rule)
        try:
            source = account.put(KEY, FILE)
            eventually(
                lambda: source.version in str(sqs.receive_message(QueueUrl=queue).get("Messages")),
                "the event of the object",
            )
        finally:
            events.enable_rule(Name=rule)
    return source


def test_what_an_intake_that_crashed_after_its_write_left_is_finished_by_the_next_delivery(account: Account) -> None:
    source = put_unnoticed(account)
    with pytest.raises(Crash):
        crashed_intake(account)(source)
    job_id = job_id_for(source)
    left = account.store.get(job_id)
    assert left.phase is Phase.RECEIVED
    assert job_id not in account.execution_names("openai")
    assert account.deliver(event_of(source)) == {"job_id": job_id}
    job = submitted(account, job_id)
    assert (job.created_at, job.execution_arn) == (left.created_at, left.execution_arn)
    assert account.execution_names("openai").count(job_id) == 1


def test_an_event_that_intake_cannot_read_ends_in_its_queue_with_the_reason(account: Account) -> None:
    account.deliver({"detail-type": "Object Created", "detail": {"bucket": {}}}, "Event")
    sqs = account.stack.aws.client("sqs")
    [url] = [url for url in sqs.list_queues()["QueueUrls"] if "EventsUnhandledDrops" in url]
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message in the queue")
    told = json.loads(message["Body"])
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["requestPayload"]["detail"] == {"bucket": {}}
    assert told["responsePayload"]["errorType"] == "KeyError"
