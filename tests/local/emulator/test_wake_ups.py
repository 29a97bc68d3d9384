"""500 wake-ups around the moment between a look and the wait after it: none is lost, and none counts twice.

The wait is the one of the stack's machines, the wakers are the stack's own code; the look is a small function that says
what it has seen.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from infra.record_states import wait_for_news
from infra.state_language import choice
from local.emulator.process import EmbeddedAws
from tests.builders import job_in
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.aws.workflow import StepFunctionsTaskTokens
from tunedrop.domain.job import Phase

from .conftest import Deploy, Finished, name

TABLE = name()
JOBS = 10
ROUNDS = 25
WAKERS = 2
LOOK_SECONDS = 0.02
"""A look takes up to so long; a wake-up comes within three times as long of its beginning."""
LOST_SECONDS = 15.0
"""The wait is much longer, so that a wake-up that is not seen by then has been lost."""

LOOKING = """
    import json, os, random, time, urllib.request
    def handler(event, context):
        scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/dynamodb/aws4_request"
        headers = {
            "X-Amz-Target": "DynamoDB_20120810.GetItem",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        key = {"pk": {"S": "JOB#" + event["job_id"]}, "sk": {"S": "JOB"}}
        body = json.dumps({"TableName": "TABLE", "Key": key, "ConsistentRead": True}).encode()
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body, headers)
        item = json.loads(urllib.request.urlopen(request).read())["Item"]
        seen = int(item["wake_seq"]["N"])
        with open("FOLDER/" + event["job_id"], "a") as looks:
            looks.write(f"{seen}\\n")
        time.sleep(random.uniform(0, SECONDS))
        outcome = "ended" if "stop" in item else "running"
        return {"job_id": event["job_id"], "outcome": outcome, "wait_seconds": 600, "wake_seq": seen}
    """


class Stage(NamedTuple):
    """What the wakers work with."""

    store: DynamoJobStore
    tokens: StepFunctionsTaskTokens
    folder: Path
    dynamodb: Any


@pytest.fixture
def stage(aws: EmbeddedAws, tmp_path: Path) -> Iterator[Stage]:
    """A table for the records, and a folder in which each look leaves a line."""
    dynamodb = aws.client("dynamodb", max_pool_connections=2 * JOBS * WAKERS)
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    tokens = StepFunctionsTaskTokens(client=aws.client("stepfunctions", max_pool_connections=2 * JOBS * WAKERS))
    yield Stage(DynamoJobStore(client=dynamodb, table=TABLE), tokens, tmp_path, dynamodb)
    dynamodb.delete_table(TableName=TABLE)


def machine(function: str) -> dict[str, Any]:
    """A look, and the wait after it."""
    states = {
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload": {"job_id.$": "$.job_id"}},
            "OutputPath": "$.Payload",
            "Next": "HasEnded",
        },
        "HasEnded": choice("As in the stack.", {"ended": "Ended"}, otherwise="Wait"),
        "Ended": {"Type": "Succeed"},
        **wait_for_news("Wait", "As in the stack.", record="JOB", next_state="Look", unless={"phase": ["done"]}),
    }
    document: dict[str, Any] = json.loads(json.dumps(states).replace("${JobsTable}", TABLE))
    return document


def looks(stage: Stage, job_id: str) -> list[int]:
    """The wake_seq that each look of the job's has seen, in order."""
    file = stage.folder / job_id
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def wait_for_look(stage: Stage, job_id: str, seen: int) -> None:
    """Until a look has seen so many wake-ups; fails where they have been lost."""
    deadline = time.monotonic() + LOST_SECONDS
    while not (done := looks(stage, job_id)) or done[-1] < seen:
        assert time.monotonic() < deadline, f"lost: {seen} wake-ups, and the looks of {job_id} saw {done[-5:]}"
        time.sleep(0.003)


def wake(stage: Stage, job_id: str, start: threading.Barrier) -> None:
    """As the API, the webhook and the rule for events do, within a moment."""
    start.wait()
    time.sleep(random.uniform(0, 3 * LOOK_SECONDS))
    token = stage.store.wake(job_id, at=datetime.now(UTC))
    if token is not None:
        stage.tokens.send(token)


def wake_again_and_again(stage: Stage, job_id: str) -> None:
    """Each time as soon as a look has begun that has seen all before."""
    with ThreadPoolExecutor(WAKERS) as pool:
        for number in range(ROUNDS):
            wait_for_look(stage, job_id, number * WAKERS)
            start = threading.Barrier(WAKERS)
            for waking in [pool.submit(wake, stage, job_id, start) for _ in range(WAKERS)]:
                waking.result()
    wait_for_look(stage, job_id, ROUNDS * WAKERS)


def end(stage: Stage, job_id: str) -> None:
    """One wake-up more, for a look that finds the work done."""
    key = {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "JOB"}}
    stage.dynamodb.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET stop = :yes", ExpressionAttributeValues={":yes": {"BOOL": True}}
    )
    wake(stage, job_id, threading.Barrier(1))


def test_500_wake_ups_between_look_and_wait_lose_none_and_none_makes_two_looks(
    aws: EmbeddedAws, stage: Stage, deploy: Deploy, start_machine: Any, finished: Finished
) -> None:
    source = LOOKING.replace("TABLE", TABLE).replace("FOLDER", str(stage.folder))
    states = machine(deploy(source.replace("SECONDS", str(LOOK_SECONDS))))
    job_ids = [f"{number}".rjust(26, "a") for number in range(JOBS)]
    for job_id in job_ids:
        assert stage.store.create(msgspec.structs.replace(job_in(Phase.RECEIVED), job_id=job_id))
    executions = {job_id: start_machine(states, {"job_id": job_id}) for job_id in job_ids}
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda job_id: wake_again_and_again(stage, job_id), job_ids))
    ways: list[str] = []
    for job_id, execution in executions.items():
        end(stage, job_id)
        assert finished(execution)["status"] == "SUCCEEDED"
        seen = looks(stage, job_id)
        assert seen[-1] == ROUNDS * WAKERS + 1
        # Each look but the first was set off by wake-ups of its own: no two looks have seen the same.
        assert all(len(list(same)) == 1 for _, same in groupby(seen)), seen
        ways += _ways_out(aws, execution, looks=len(seen))
    # Both happened: wake-ups before the wait began, and during it.
    assert min(ways.count("TaskFailed"), ways.count("TaskSucceeded")) > 10, ways


def _ways_out(aws: EmbeddedAws, execution: str, *, looks: int) -> list[str]:
    """How each wait ended; the machine must have gone from look to wait and back, one step at a time."""
    pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    entered = [
        event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("TaskStateEntered")
    ]
    assert entered == ["Look", *["Wait", "Look"] * (looks - 1)]
    ends = [event["type"] for event in events if event["type"] in {"TaskSucceeded", "TaskFailed"}]
    return ends[1::2]
