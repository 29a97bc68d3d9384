"""When an execution ends, and that it then has ended, as Step Functions has it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.process import EmbeddedAws

from .conftest import ROLE, Calls, Deploy, Finished, RunMachine, eventually, name

RETRIED = """
    import json
    def handler(event, context):
        with open(event["calls"], "a") as calls:
            calls.write("1\\n")
        raise RuntimeError
    """


def history(aws: EmbeddedAws, execution: str) -> list[str]:
    """The types of an execution's events."""
    events = aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in events]


def test_an_execution_times_out_and_stays_so(aws: EmbeddedAws, run_machine: RunMachine) -> None:
    states = {"Wait": {"Type": "Wait", "Seconds": 4, "Next": "Go"}, "Go": {"Type": "Pass", "End": True}}
    execution = run_machine(states, TimeoutSeconds=1)
    assert execution["status"] == "TIMED_OUT"
    seconds = (execution["stopDate"] - execution["startDate"]).total_seconds()
    assert 0.9 < seconds < 3.9
    time.sleep(3.5)  # the wait is over by now
    assert history(aws, execution["executionArn"])[-1] == "ExecutionTimedOut"
    again = aws.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert (again["status"], again["stopDate"]) == ("TIMED_OUT", execution["stopDate"])


def test_an_execution_within_its_timeout_succeeds(run_machine: RunMachine) -> None:
    assert run_machine({"Go": {"Type": "Pass", "End": True}}, TimeoutSeconds=5)["status"] == "SUCCEEDED"


def test_a_stopped_execution_tries_nothing_again_and_is_not_overwritten(
    aws: EmbeddedAws, deploy: Deploy, calls: Calls, start_machine: Callable[..., str]
) -> None:
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 4, "BackoffRate": 1, "MaxAttempts": 2}
    states = {"Try": {"Type": "Task", "Resource": deploy(RETRIED), "Retry": [retry], "End": True}}
    execution = start_machine(states, {"calls": calls.path})
    eventually(calls.lines)
    client = aws.client("stepfunctions")
    client.stop_execution(executionArn=execution, error="Told", cause="by a test")
    time.sleep(4.5)  # it would have been tried again by now
    assert len(calls.lines()) == 1
    described = client.describe_execution(executionArn=execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Told", "by a test")
    assert history(aws, execution)[-1] == "ExecutionAborted"


def test_the_token_of_a_stopped_execution_is_refused(
    aws: EmbeddedAws, queue: Any, start_machine: Callable[..., str]
) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": queue.url, "MessageBody": {"token.$": "$$.Task.Token"}},
            "End": True,
        }
    }
    execution = start_machine(states)
    token = queue.received()["body"]["token"]
    client = aws.client("stepfunctions")
    client.stop_execution(executionArn=execution)
    with pytest.raises(client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=token, output="{}")
    assert client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_a_timed_out_execution_is_announced(aws: EmbeddedAws, queue: Any, start_machine: Callable[..., str]) -> None:
    events, rule = aws.client("events"), name()
    events.put_rule(
        Name=rule,
        EventPattern=json.dumps(
            {"source": ["aws.states"], "detail": {"status": ["TIMED_OUT"]}, "detail-type": [{"prefix": "Step Func"}]}
        ),
    )
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue.arn}])
    try:
        execution = start_machine({"Wait": {"Type": "Wait", "Seconds": 5, "End": True}}, TimeoutSeconds=1)
        while (detail := queue.received()["body"]["detail"])["executionArn"] != execution:
            pass
    finally:
        events.remove_targets(Rule=rule, Ids=["queue"])
        events.delete_rule(Name=rule)
    assert detail["status"] == "TIMED_OUT"


def test_starting_the_same_again_returns_the_running_execution(aws: EmbeddedAws, finished: Finished) -> None:
    client = aws.client("stepfunctions")
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}}
    machine = client.create_state_machine(name=name(), definition=json.dumps(definition), roleArn=ROLE)
    request = {"stateMachineArn": machine["stateMachineArn"], "name": "job-1", "input": '{"job_id": "1"}'}
    first = client.start_execution(**request)
    second = client.start_execution(**request)
    assert (second["executionArn"], second["startDate"]) == (first["executionArn"], first["startDate"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(**{**request, "input": "{}"})
    finished(first["executionArn"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(**request)
