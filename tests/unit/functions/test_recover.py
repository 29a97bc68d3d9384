"""The function recover: executions that were lost, as EventBridge tells of them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import recover
from tunedrop import wiring
from tunedrop.domain.errors import StoreConflictError
from tunedrop.domain.lost_executions import LostStatus, Recovery

ARN = "arn:aws:states:us-east-1:123456789012:execution:tunedrop-dev-fine-tuning-openai:abcdefghijklmnopqrstuvwxyz"


def status_change(status: str) -> dict[str, Any]:
    """As docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html shows it."""
    machine, _, name = ARN.replace(":execution:", ":stateMachine:").rpartition(":")
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-11-22T10:00:00Z",
        "region": "us-east-1",
        "resources": [ARN],
        "detail": {
            "executionArn": ARN,
            "stateMachineArn": machine,
            "name": name,
            "status": status,
            "startDate": 1763802000000,
            "stopDate": 1763805600000,
            "input": "{}",
            "output": None,
        },
    }


def answer(monkeypatch: pytest.MonkeyPatch, recovery: Recovery) -> list[tuple[str, LostStatus]]:
    seen: list[tuple[str, LostStatus]] = []

    def recover_execution(execution_arn: str, status: LostStatus) -> Recovery:
        seen.append((execution_arn, status))
        return recovery

    monkeypatch.setattr(wiring, "recover_execution", lambda: recover_execution)
    return seen


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_the_execution_and_how_it_was_lost_are_what_counts(
    monkeypatch: pytest.MonkeyPatch, context: LambdaContext, status: str
) -> None:
    seen = answer(monkeypatch, Recovery.RESUMED)

    assert recover.handler(status_change(status), context) == {"recovery": "resumed"}
    assert seen == [(ARN, LostStatus(status))]


@pytest.mark.parametrize(
    ("recovery", "level", "counted"),
    [
        (Recovery.NOT_OURS, "INFO", 0.0),
        (Recovery.ENDED, "INFO", 0.0),
        (Recovery.REPLACED, "INFO", 0.0),
        (Recovery.RESUMED, "WARNING", 1.0),
        (Recovery.STOPPING, "WARNING", 1.0),
        (Recovery.GIVEN_UP, "ERROR", 1.0),
    ],
)
def test_what_was_lost_is_counted_and_what_failed_as_it_should_is_not(
    monkeypatch: pytest.MonkeyPatch,
    context: LambdaContext,
    function_log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    recovery: Recovery,
    level: str,
    counted: float,
) -> None:
    answer(monkeypatch, recovery)

    recover.handler(status_change("FAILED"), context)

    line = json.loads(function_log.getvalue())
    assert (line["level"], line["lost_execution_arn"], line["recovery"]) == (level, ARN, recovery.value)
    [metrics] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert metrics["ExecutionsLost"] == [counted]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_trouble_escapes_so_that_the_event_comes_again(monkeypatch: pytest.MonkeyPatch, context: LambdaContext) -> None:
    def fail(execution_arn: str, status: LostStatus) -> None:
        raise StoreConflictError("changed by others")

    monkeypatch.setattr(wiring, "recover_execution", lambda: fail)

    with pytest.raises(StoreConflictError):
        recover.handler(status_change("FAILED"), context)


@pytest.mark.usefixtures("fresh_wiring")
def test_the_wiring_knows_both_families_of_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = "arn:aws:states:us-east-1:123456789012:stateMachine:tunedrop-dev-"
    monkeypatch.setenv("JOBS_TABLE", "jobs")
    monkeypatch.setenv("STATE_MACHINE_ARN_PREFIX", f"{prefix}fine-tuning-")
    monkeypatch.setenv("ENDPOINT_MACHINE_ARN_PREFIX", f"{prefix}endpoint-")

    built = wiring.recover_execution()

    assert built.trainings.execution_arn("openai", "x").endswith(":execution:tunedrop-dev-fine-tuning-openai:x")
    assert built.endpoints.execution_arn("bedrock", "x").endswith(":execution:tunedrop-dev-endpoint-bedrock:x")
