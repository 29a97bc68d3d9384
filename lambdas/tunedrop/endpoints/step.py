"""What a step of an endpoint's execution begins with and answers: the whole state. It carries ids and words only."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.job import JobError

Action = Literal["start", "stop", "resume"]
"""What an execution is for: to bring the endpoint up and take it down again, only to take it down, or to go on where
an execution was lost."""


class EndpointOutcome(StrEnum):
    """Where the state machine goes next; its Choice states name these words."""

    START = "start"
    """It has to be created, or to be created again after the wait."""
    STARTING = "starting"
    READY = "ready"
    """It is up, costs nothing while idle, and has no end: nothing has to be watched."""
    HOLD = "hold"
    STOP = "stop"
    STOPPING = "stopping"
    GONE = "gone"
    FAILED = "failed"


class EndpointStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    job_id: str
    outcome: EndpointOutcome
    wait_seconds: int = 0
    """Whole seconds until the next look; at least 1 where the outcome waits."""
    wake_seq: int
    """The record's, as read before anything was looked at, as in a job's step."""
    error: JobError | None = None
    """Why it failed."""


def first_state(endpoint: Endpoint, action: Action) -> dict[str, str | int]:
    """What an execution begins with."""
    return {"job_id": endpoint.job_id, "action": action}


def ended(endpoint: Endpoint, *, wake_seq: int) -> EndpointStep:
    """The last step of an endpoint that has ended."""
    failed = endpoint.status is EndpointStatus.FAILED
    return EndpointStep(
        job_id=endpoint.job_id,
        outcome=EndpointOutcome.FAILED if failed else EndpointOutcome.GONE,
        wake_seq=wake_seq,
        error=endpoint.error if failed else None,
    )


def nothing_there(job_id: str) -> EndpointStep:
    """The step of an execution whose endpoint has no record: there is nothing to do."""
    return EndpointStep(job_id=job_id, outcome=EndpointOutcome.GONE, wake_seq=0)
