"""Timeouts, retries and task tokens of Task states, by the rules of the Amazon States Language."""

import json
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from local.emulator.process import INTERPRETER, ROOT, EmbeddedAws

from .conftest import Calls, Deploy, Finished, RunMachine

RECORDING = """
    import json, time
    class Busy(Exception): pass
    class Broken(Exception): pass
    def handler(event, context):
        with open(event["calls"], "a") as calls:
            calls.write(json.dumps(time.time()) + "\\n")
        if event.get("raise"): raise {"Busy": Busy, "Broken": Broken}[event["raise"]]("as asked")
        time.sleep(event.get("sleep", 0))
        return event.get("answer")
    """
TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"
SEND = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


@pytest.fixture(scope="session")
def recording(deploy: Deploy) -> str:
    """A function that records when it is called, and raises, sleeps or answers as its event says."""
    return deploy(RECORDING)


def gaps(calls: Calls) -> list[float]:
    """Seconds between one call and the next."""
    times = calls.lines()
    return [later - earlier for earlier, later in pairwise(times)]


def test_retry_and_catch_go_by_the_exceptions_class(recording: str, calls: Calls, run_machine: RunMachine) -> None:
    states = {
        "Try": {
            "Type": "Task",
            "Resource": recording,
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["Broken"], "Next": "Wrong"}, {"ErrorEquals": ["Busy"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Pass", "End": True},
        "Wrong": {"Type": "Fail"},
    }
    execution = run_machine(states, {"calls": calls.path, "raise": "Busy"})
    assert execution["status"] == "SUCCEEDED"
    caught = json.loads(execution["output"])
    assert caught["Error"] == "Busy"
    assert json.loads(caught["Cause"])["errorMessage"] == "as asked"
    assert len(calls.lines()) == 2


def test_an_error_that_retry_does_not_name_is_not_retried(
    recording: str, calls: Calls, run_machine: RunMachine
) -> None:
    states = {"Try": {"Type": "Task", "Resource": recording, "Retry": [{"ErrorEquals": ["Busy"]}], "End": True}}
    execution = run_machine(states, {"calls": calls.path, "raise": "Broken"})
    assert (execution["status"], execution["error"]) == ("FAILED", "Broken")
    assert len(calls.lines()) == 1


def test_max_delay_seconds_limits_the_wait_between_retries(
    recording: str, calls: Calls, run_machine: RunMachine
) -> None:
    retry = {"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "BackoffRate": 10, "MaxDelaySeconds": 1, "MaxAttempts": 2}
    run_machine(
        {"Try": {"Type": "Task", "Resource": recording, "Retry": [retry], "End": True}},
        {"calls": calls.path, "raise": "Busy"},
    )
    assert len(gaps(calls)) == 2
    assert 0.9 < min(gaps(calls)) < max(gaps(calls)) < 8  # the second would be 10 s


def test_a_task_times_out_after_the_seconds_at_its_path(recording: str, calls: Calls, run_machine: RunMachine) -> None:
    states = {
        "Slow": {
            "Type": "Task",
            "Resource": recording,
            "TimeoutSecondsPath": "$.limit",
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}],
            "End": True,
        },
        "Late": {"Type": "Pass", "Result": "late", "End": True},
    }
    execution = run_machine(states, {"calls": calls.path, "sleep": 3, "limit": 1})
    assert execution["output"] == '"late"'


@pytest.mark.parametrize("limit", [0, -1, 0.5, "1", None, True])
def test_a_timeout_must_be_a_positive_whole_number(limit: Any, recording: str, run_machine: RunMachine) -> None:
    states = {"Slow": {"Type": "Task", "Resource": recording, "TimeoutSecondsPath": "$.limit", "End": True}}
    execution = run_machine(states, {"limit": limit})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")
    assert "$.limit must be a positive whole number" in execution["cause"]


def test_a_function_that_raises_fails_the_task_that_waits_for_its_token(
    recording: str, calls: Calls, run_machine: RunMachine
) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": TOKEN,
            "Parameters": {"FunctionName": recording, "Payload": {"calls.$": "$.calls", "raise": "Broken"}},
            "TimeoutSeconds": 60,
            "End": True,
        }
    }
    execution = run_machine(states, {"calls": calls.path})
    assert (execution["status"], execution["error"]) == ("FAILED", "Broken")


def test_a_token_task_times_out_when_no_heartbeat_comes(
    aws: EmbeddedAws, queue: Any, start_machine: Callable[..., str], finished: Finished
) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": SEND,
            "Parameters": {"QueueUrl": queue.url, "MessageBody": {"token.$": "$$.Task.Token"}},
            "HeartbeatSecondsPath": "$.beat",
            "TimeoutSeconds": 60,
            "End": True,
        }
    }
    execution = start_machine(states, {"beat": 5})
    token = queue.received()["body"]["token"]
    started = time.monotonic()
    time.sleep(1.2)
    aws.client("stepfunctions").send_task_heartbeat(taskToken=token)
    assert finished(execution)["error"] == "States.HeartbeatTimeout"
    assert time.monotonic() - started > 6.1


def test_a_token_brings_its_output_back(
    aws: EmbeddedAws, queue: Any, start_machine: Callable[..., str], finished: Finished
) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": SEND,
            "Parameters": {"QueueUrl": queue.url, "MessageBody": {"token.$": "$$.Task.Token"}},
            "TimeoutSecondsPath": "$.limit",
            "End": True,
        }
    }
    execution = start_machine(states, {"limit": 20})
    token = queue.received()["body"]["token"]
    aws.client("stepfunctions").send_task_success(taskToken=token, output='{"woken": true}')
    assert json.loads(finished(execution)["output"]) == {"woken": True}


def delays(retrier: str) -> list[float]:
    """A hundred waits before the fourth retry, asked of the change itself, as nobody wants to wait for them."""
    program = (
        "from local.emulator.changes.task_states import retry_delay\n"
        f"for _ in range(100): print(retry_delay({retrier}, 3))"
    )
    done = subprocess.run([INTERPRETER, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def test_a_retry_may_wait_longer_than_a_minute() -> None:
    assert set(delays('{"IntervalSeconds": 100}')) == {800.0}
    assert set(delays('{"IntervalSeconds": 100, "MaxDelaySeconds": 90}')) == {90.0}


def test_full_jitter_spreads_the_waits_from_nothing_to_the_interval() -> None:
    spread = delays('{"IntervalSeconds": 100, "MaxDelaySeconds": 80, "JitterStrategy": "FULL"}')
    assert 0 <= min(spread) < 20 < 60 < max(spread) <= 80
