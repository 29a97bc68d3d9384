"""A state that stores its task token on a record and waits: woken, timed out, refused, too late."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.emulator.process import EmbeddedAws

from .conftest import Finished, eventually, name

TABLE = name()
SOON_SECONDS = 20
"""On a busy machine: well before the 60 s that a wait here lasts. `make bench-waking` measures how soon."""


@pytest.fixture(scope="module", autouse=True)
def table(aws: EmbeddedAws) -> Iterator[str]:
    """The table of the records."""
    client = aws.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield TABLE
    client.delete_table(TableName=TABLE)


class Waiting:
    """An execution that waits on a record of its own."""

    def __init__(
        self,
        aws: EmbeddedAws,
        start_machine: Callable[..., str],
        *,
        seconds: int = 60,
        seen: int = 0,
        definition: dict[str, Any] | None = None,
    ) -> None:
        self._dynamodb = aws.client("dynamodb")
        self.step_functions = aws.client("stepfunctions")
        self.key = name()
        self._dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": self.key}, "wake_seq": {"N": "0"}})
        self.execution = start_machine(
            definition or states(), {"key": self.key, "wait_seconds": seconds, "wake_seq": seen}
        )

    @property
    def token(self) -> str:
        """The token on the record, once it is there."""

        def look() -> Any:
            item = self._dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": self.key}}, ConsistentRead=True)["Item"]
            return item.get("wait_token", {}).get("S")

        token: str = eventually(look)
        return token

    def wake(self, token: str) -> None:
        """Send the token back."""
        self.step_functions.send_task_success(taskToken=token, output='{"ignored": true}')


@pytest.fixture
def waiting(aws: EmbeddedAws, start_machine: Callable[..., str]) -> Callable[..., Waiting]:
    """Starts one; `seen` is the wake_seq that it believes to be on the record, where 0 is."""
    return lambda **options: Waiting(aws, start_machine, **options)


def states() -> dict[str, Any]:
    """One wait, and a state for each way out of it."""
    return {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
            "Parameters": {
                "TableName": TABLE,
                "Key": {"pk": {"S.$": "$.key"}},
                "ConditionExpression": "wake_seq = :seen AND attribute_exists(pk)",
                "UpdateExpression": "SET wait_token = :token",
                "ExpressionAttributeValues": {
                    ":token": {"S.$": "$$.Task.Token"},
                    ":seen": {"N.$": "States.Format('{}', $.wake_seq)"},
                },
            },
            "ResultPath": None,
            "TimeoutSecondsPath": "$.wait_seconds",
            "Retry": [{"ErrorEquals": ["DynamoDb.ThrottlingException"], "IntervalSeconds": 1, "MaxAttempts": 3}],
            "Catch": [
                {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "TimedOut"},
                {
                    "ErrorEquals": ["DynamoDb.ConditionalCheckFailedException"],
                    "ResultPath": "$.error",
                    "Next": "Refused",
                },
                {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Otherwise"},
            ],
            "Next": "Woken",
        },
        **{
            way: {"Type": "Pass", "Result": way, "ResultPath": "$.way", "End": True}
            for way in ("Woken", "TimedOut", "Refused", "Otherwise")
        },
    }


def output(finished: Finished, waiting: Waiting) -> dict[str, Any]:
    """What comes out of the machine."""
    output: dict[str, Any] = json.loads(finished(waiting.execution)["output"])
    return output


def test_a_token_that_comes_back_ends_the_wait_long_before_its_time(
    waiting: Callable[..., Waiting], finished: Finished
) -> None:
    wait = waiting()
    token = wait.token
    sent = time.time()
    wait.wake(token)
    ended = finished(wait.execution)
    assert ended["stopDate"].timestamp() - sent < SOON_SECONDS
    assert json.loads(ended["output"]) == {"key": wait.key, "wait_seconds": 60, "wake_seq": 0, "way": "Woken"}


def test_the_wait_times_out_after_the_seconds_at_its_path(waiting: Callable[..., Waiting], finished: Finished) -> None:
    wait = waiting(seconds=1)
    ended = finished(wait.execution)
    answer = json.loads(ended["output"])
    assert (answer["way"], answer["error"]["Error"]) == ("TimedOut", "States.Timeout")
    assert 0.9 < (ended["stopDate"] - ended["startDate"]).total_seconds() < SOON_SECONDS


def test_a_record_that_was_woken_meanwhile_ends_the_wait_at_once_and_takes_no_token(
    aws: EmbeddedAws, waiting: Callable[..., Waiting], finished: Finished
) -> None:
    wait = waiting(seen=3)
    answer = output(finished, wait)
    assert (answer["way"], answer["error"]["Error"]) == ("Refused", "DynamoDb.ConditionalCheckFailedException")
    item = aws.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": wait.key}})["Item"]
    assert "wait_token" not in item


def test_a_call_that_fails_otherwise_is_caught_by_its_own_name(
    aws: EmbeddedAws, start_machine: Callable[..., str], finished: Finished
) -> None:
    broken = states()
    broken["Wait"]["Parameters"]["TableName"] = "no-such-table"
    ended = finished(start_machine(broken, {"key": "any", "wait_seconds": 60, "wake_seq": 0}))
    answer = json.loads(ended["output"])
    assert (answer["way"], answer["error"]["Error"]) == ("Otherwise", "DynamoDb.ResourceNotFoundException")


@pytest.mark.parametrize("how", ["woken", "timed out", "stopped"])
def test_the_token_of_a_wait_that_is_over_is_refused(
    how: str, waiting: Callable[..., Waiting], finished: Finished
) -> None:
    wait = waiting(seconds=1 if how == "timed out" else 60)
    token = wait.token
    if how == "woken":
        wait.wake(token)
    elif how == "stopped":
        wait.step_functions.stop_execution(executionArn=wait.execution)
    finished(wait.execution)
    with pytest.raises(wait.step_functions.exceptions.TaskTimedOut):
        wait.wake(token)


def test_a_token_that_was_never_one_is_refused(aws: EmbeddedAws) -> None:
    client = aws.client("stepfunctions")
    with pytest.raises(client.exceptions.InvalidToken):
        client.send_task_success(taskToken="made-up", output="{}")


def test_of_two_that_send_the_same_token_the_second_is_refused_and_the_wait_ends_once(
    waiting: Callable[..., Waiting], finished: Finished
) -> None:
    wait = waiting()
    token = wait.token
    wait.wake(token)
    with pytest.raises(wait.step_functions.exceptions.TaskTimedOut):
        wait.wake(token)
    assert output(finished, wait)["way"] == "Woken"
    events = wait.step_functions.get_execution_history(executionArn=wait.execution)["events"]
    assert [event["type"] for event in events].count("TaskSucceeded") == 1


def test_each_try_of_a_wait_has_a_token_of_its_own(waiting: Callable[..., Waiting], finished: Finished) -> None:
    again = states()
    again["Wait"]["Retry"] = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    wait = waiting(seconds=3, definition=again)
    first = wait.token
    second = eventually(lambda: token if (token := wait.token) != first else None)
    with pytest.raises(wait.step_functions.exceptions.TaskTimedOut):
        wait.wake(first)
    wait.wake(second)
    assert output(finished, wait)["way"] == "Woken"
