"""A machine that starts an execution of another one, under a name that is in its state, and goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.emulator.process import EmbeddedAws

from .conftest import ROLE, Finished, RunMachine, name


@pytest.fixture(scope="module")
def inner(aws: EmbeddedAws) -> str:
    """The ARN of a machine that waits for a while and passes its input on."""
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}}
    machine = aws.client("stepfunctions").create_state_machine(
        name=name(), definition=json.dumps(definition), roleArn=ROLE
    )
    arn: str = machine["stateMachineArn"]
    return arn


@pytest.fixture
def start_from_a_machine(run_machine: RunMachine) -> Callable[..., dict[str, Any]]:
    """Runs a machine that starts one; the output of its execution."""

    def run(machine: str, execution: str, number: int = 1) -> dict[str, Any]:
        start = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution",
            "Parameters": {
                "StateMachineArn": machine,
                "Name.$": "$.execution",
                "Input": {"number.$": "$.number", "action": "start"},
            },
            "ResultPath": "$.started",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}],
            "End": True,
        }
        states = {"Start": start, "Caught": {"Type": "Pass", "End": True}}
        ended = run_machine(states, {"execution": execution, "number": number})
        assert ended["status"] == "SUCCEEDED"
        assert (ended["stopDate"] - ended["startDate"]).total_seconds() < 1.5  # it does not wait for the other one
        output: dict[str, Any] = json.loads(ended["output"])
        return output

    return run


def test_it_runs_under_the_name_in_the_state_with_the_input_from_the_state(
    aws: EmbeddedAws, inner: str, start_from_a_machine: Callable[..., dict[str, Any]], finished: Finished
) -> None:
    execution = name()
    started = start_from_a_machine(inner, execution)["started"]
    assert started["ExecutionArn"] == inner.replace(":stateMachine:", ":execution:") + f":{execution}"
    ended = finished(started["ExecutionArn"])
    assert (ended["name"], json.loads(ended["input"])) == (execution, {"number": 1, "action": "start"})


def test_starting_the_same_again_finds_the_running_one(
    inner: str, start_from_a_machine: Callable[..., dict[str, Any]]
) -> None:
    execution = name()
    first, second = (start_from_a_machine(inner, execution)["started"]["ExecutionArn"] for _ in range(2))
    assert first == second


def test_a_name_that_is_taken_is_caught_by_the_error_that_aws_names(
    inner: str, start_from_a_machine: Callable[..., dict[str, Any]]
) -> None:
    execution = name()
    start_from_a_machine(inner, execution)
    output = start_from_a_machine(inner, execution, number=2)
    assert output["error"]["Error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_a_machine_that_is_not_there_is_caught_by_the_error_that_aws_names(
    inner: str, start_from_a_machine: Callable[..., dict[str, Any]]
) -> None:
    output = start_from_a_machine(inner + "-gone", name())
    assert output["error"]["Error"] == "StepFunctions.StateMachineDoesNotExistException"
