"""How the waits of an execution ended: by a wake-up, by their time, or because there was news before they began."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """A state that waited for its token."""

    state: str
    seconds: int
    """How long it would have waited."""
    entered: datetime
    left: datetime
    error: str | None
    """What ended it; None for a wake-up."""

    @property
    def woken_early(self) -> bool:
        """Whether a wake-up ended it, long before its time."""
        return self.error is None and (self.left - self.entered).total_seconds() < self.seconds / 2


def waits_in(step_functions: Any, execution_arn: str) -> list[Wait]:
    """Every wait of the execution that is over, in order; `step_functions` is a boto3 client."""
    pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    waits: list[Wait] = []
    entered: dict[str, Any] | None = None
    for event in (event for page in pages for event in page["events"]):
        if event["type"] == "TaskStateEntered":
            entered = event
        elif event["type"] in {"TaskSucceeded", "TaskFailed"} and entered is not None:
            details = event.get("taskFailedEventDetails") or event.get("taskSucceededEventDetails")
            if details["resource"].endswith(".waitForTaskToken"):
                waits.append(_wait(entered, event, details.get("error")))
            entered = None
    return waits


def _wait(entered: dict[str, Any], ended: dict[str, Any], error: str | None) -> Wait:
    described = entered["stateEnteredEventDetails"]
    return Wait(
        state=described["name"],
        seconds=json.loads(described["input"])["wait_seconds"],
        entered=entered["timestamp"],
        left=ended["timestamp"],
        error=error,
    )
