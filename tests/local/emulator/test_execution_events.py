"""The end of an execution is an event, and a rule takes it to a function, as EventBridge does on AWS."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.emulator.process import EmbeddedAws

from .conftest import ROLE, Calls, Deploy, Finished, Queue, eventually, name

HEARING = """
    import json
    class Refused(Exception): pass
    def handler(event, context):
        with open("CALLS", "a") as calls:
            calls.write(json.dumps(event) + "\\n")
        if event["detail"]["status"] == "FAILED": raise Refused("not now")
    """
WAIT = {"Type": "Wait", "Seconds": 30, "End": True}


@pytest.fixture
def machine(aws: EmbeddedAws) -> Callable[..., str]:
    """Makes a machine that begins with a state; its ARN."""

    def make(state: dict[str, Any], timeout: int = 99, **others: Any) -> str:
        definition = {"StartAt": "First", "States": {"First": state, **others}, "TimeoutSeconds": timeout}
        arn: str = aws.client("stepfunctions").create_state_machine(
            name=name(), definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        return arn

    return make


@pytest.fixture
def heard(aws: EmbeddedAws, deploy: Deploy, queue: Queue, calls: Calls) -> Iterator[Callable[[str], None]]:
    """Makes a rule for what goes wrong with a machine's executions, with a function that records what it gets."""
    events, rule = aws.client("events"), name()
    function = deploy(HEARING.replace("CALLS", calls.path), DeadLetterConfig={"TargetArn": queue.arn})

    def hear(machine: str) -> None:
        pattern = {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": ["FAILED", "ABORTED", "TIMED_OUT"], "stateMachineArn": [machine]},
        }
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": function}])

    yield hear
    events.remove_targets(Rule=rule, Ids=["function"])
    events.delete_rule(Name=rule)


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_each_bad_end_is_told_with_what_identifies_the_execution(
    status: str,
    aws: EmbeddedAws,
    machine: Callable[..., str],
    heard: Callable[[str], None],
    calls: Calls,
) -> None:
    client = aws.client("stepfunctions")
    made = {
        "FAILED": lambda: machine({"Type": "Fail", "Error": "Broken", "Cause": "as asked"}),
        "ABORTED": lambda: machine(WAIT),
        "TIMED_OUT": lambda: machine(WAIT, timeout=1),
    }[status]()
    heard(made)
    execution = client.start_execution(stateMachineArn=made, name="job-1", input='{"job_id": "1"}')["executionArn"]
    if status == "ABORTED":
        client.stop_execution(executionArn=execution, error="Told", cause="by a test")
    [event, *_] = eventually(calls.lines)
    detail = event["detail"]
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert (detail["executionArn"], detail["stateMachineArn"]) == (execution, made)
    assert (detail["name"], detail["status"], detail["input"]) == ("job-1", status, '{"job_id": "1"}')


def test_an_execution_that_succeeds_is_not_among_them(
    aws: EmbeddedAws, machine: Callable[..., str], heard: Callable[[str], None], calls: Calls, finished: Finished
) -> None:
    fails = {"Variable": "$.fails", "BooleanEquals": True, "Next": "Wrong"}
    choose = {"Type": "Choice", "Choices": [fails], "Default": "Right"}
    client, made = aws.client("stepfunctions"), machine(choose, Wrong={"Type": "Fail"}, Right={"Type": "Succeed"})
    heard(made)
    for name_of_it, data in (("first", {"fails": False}), ("second", {"fails": True})):
        started = client.start_execution(stateMachineArn=made, name=name_of_it, input=json.dumps(data))
        finished(started["executionArn"])
    assert eventually(calls.lines)[0]["detail"]["name"] == "second"


def test_an_event_that_its_function_cannot_handle_is_tried_again_and_kept(
    aws: EmbeddedAws, machine: Callable[..., str], heard: Callable[[str], None], calls: Calls, queue: Queue
) -> None:
    made = machine({"Type": "Fail"})
    heard(made)
    execution = aws.client("stepfunctions").start_execution(stateMachineArn=made)["executionArn"]
    assert queue.received()["body"]["detail"]["executionArn"] == execution
    assert len(calls.lines()) == 3
