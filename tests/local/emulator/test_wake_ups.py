"""500 wake-ups around the moment between a look and the wait after it: none is lost, and none counts twice.

The wait is the one of the stack's machines, the wakers are the stack's own code; the look is a small function that says
what it has seen. By turns, a look goes on until it has been overtaken by a wake-up, the wakers hold back until the wait
has begun, and chance decides: so both ways happen on a machine of any speed.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
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
TURNS = 3
"""Of so many rounds one is for wake-ups before the wait has begun, one for wake-ups during it, and one for chance."""
LOOK_SECONDS = 0.02
"""A look that chance governs takes up to so long; a wake-up comes within three times as long of its beginning."""
LOST_SECONDS = 15.0
"""The wait is much longer, so that a wake-up that is not seen by then has been lost."""

LOOKING = """
    import json, os, random, time, urllib.request
    def record(job_id):
        scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/dynamodb/aws4_request"
        headers = {
            "X-Amz-Target": "DynamoDB_20120810.GetItem",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        key = {"pk": {"S": "JOB#" + job_id}, "sk": {"S": "JOB"}}
        body = json.dumps({"TableName": "TABLE", "Key": key, "ConsistentRead": True}).encode()
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body, headers)
        return json.loads(urllib.request.urlopen(request).read())["Item"]
    def woken(job_id):
        return int(record(job_id)["wake_seq"]["N"])
    def handler(event, context):
        item = record(event["job_id"])
        seen = int(item["wake_seq"]["N"])
        with open("FOLDER/" + event["job_id"], "a") as looks:
            looks.write(f"{seen} {item.get('wait_token', {}).get('S', 'none')}\\n")
        if seen // WAKERS % TURNS == 0:
            while woken(event["job_id"]) == seen:
                time.sleep(0.005)
        else:
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


def key_of(job_id: str) -> dict[str, Any]:
    """Of the job's record in the table."""
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": "JOB"}}


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


class Look(NamedTuple):
    """What a look has seen on the record."""

    wake_seq: int
    token: str
    """Of the wait before the look; `none` where it is the first."""


def looks(stage: Stage, job_id: str) -> list[Look]:
    """The looks of the job's, in order."""
    file = stage.folder / job_id
    lines = file.read_text().splitlines() if file.exists() else []
    return [Look(int(wake_seq), token) for wake_seq, token in map(str.split, lines)]


def wait_until(true: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Until it is so; fails with the words of `otherwise` where a wake-up has been lost."""
    deadline = time.monotonic() + LOST_SECONDS
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.003)


def wait_for_look(stage: Stage, job_id: str, seen: int) -> None:
    """Until a look has seen so many wake-ups."""
    wait_until(
        lambda: any(look.wake_seq >= seen for look in looks(stage, job_id)[-1:]),
        lambda: f"lost: {seen} wake-ups, and the looks of {job_id} were {looks(stage, job_id)[-5:]}",
    )


def wait_has_begun(stage: Stage, job_id: str) -> bool:
    """Whether the record has the token of a wait that came after the last look."""
    item = stage.dynamodb.get_item(TableName=TABLE, Key=key_of(job_id), ConsistentRead=True)["Item"]
    return "wait_token" in item and item["wait_token"]["S"] != looks(stage, job_id)[-1].token


def wake(stage: Stage, job_id: str) -> None:
    """As the API, the webhook and the rule for events do."""
    token = stage.store.wake(job_id, at=datetime.now(UTC))
    if token is not None:
        stage.tokens.send(token)


def wake_in_round(stage: Stage, job_id: str, number: int, start: threading.Barrier) -> None:
    """Before the wait has begun, during it, or within a moment, as the round has it."""
    start.wait()
    if number % TURNS == 1:
        wait_until(lambda: wait_has_begun(stage, job_id), lambda: f"no wait after {looks(stage, job_id)[-5:]}")
    else:
        time.sleep(random.uniform(0, 3 * LOOK_SECONDS))
    wake(stage, job_id)


def wake_again_and_again(stage: Stage, job_id: str) -> None:
    """Each time as soon as a look has begun that has seen all before."""
    with ThreadPoolExecutor(WAKERS) as pool:
        for number in range(ROUNDS):
            wait_for_look(stage, job_id, number * WAKERS)
            start = threading.Barrier(WAKERS)
            for waking in [pool.submit(wake_in_round, stage, job_id, number, start) for _ in range(WAKERS)]:
                waking.result()
    wait_for_look(stage, job_id, ROUNDS * WAKERS)


def end(stage: Stage, job_id: str) -> None:
    """One wake-up more, for a look that finds the work done."""
    stage.dynamodb.update_item(
        TableName=TABLE,
        Key=key_of(job_id),
        UpdateExpression="SET stop = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    wake(stage, job_id)


def test_500_wake_ups_between_look_and_wait_lose_none_and_none_makes_two_looks(
    aws: EmbeddedAws, stage: Stage, deploy: Deploy, start_machine: Any, finished: Finished
) -> None:
    source = LOOKING.replace("TABLE", TABLE).replace("FOLDER", str(stage.folder))
    for setting, value in {"SECONDS": LOOK_SECONDS, "WAKERS": WAKERS, "TURNS": TURNS}.items():
        source = source.replace(setting, str(value))
    states = machine(deploy(source))
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
        seen = [look.wake_seq for look in looks(stage, job_id)]
        assert seen[-1] == ROUNDS * WAKERS + 1
        # Each look but the first was set off by wake-ups of its own: no two looks have seen the same.
        assert all(len(list(same)) == 1 for _, same in groupby(seen)), seen
        ways += _ways_out(aws, execution, looks=len(seen))
    # Both happened: wake-ups before the wait began, and during it.
    assert min(ways.count("TaskFailed"), ways.count("TaskSucceeded")) >= JOBS * (ROUNDS // TURNS), ways


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
