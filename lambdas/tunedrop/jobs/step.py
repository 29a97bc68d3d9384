"""What a step of the workflow answers: the whole next state of the execution. It carries ids only."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tunedrop.domain.errors import PermanentError, ProviderRejectedError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome


class StepOutcome(StrEnum):
    """Where the state machine goes next; its Choice states name these words."""

    READY = "ready"
    WAITING = "waiting"
    SUBMITTED = "submitted"
    RUNNING = "running"
    DEADLINE = "deadline"
    CANCEL = "cancel"
    ENDED = "ended"


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    job_id: str
    outcome: StepOutcome
    wait_seconds: int = 0
    """Whole seconds until the next look; at least 1 where the outcome waits."""
    wake_seq: int = 0
    """The record's, as read before anything was looked at: a wait that finds another one on the record is over at
    once, so that no wake-up is lost between the look and the wait."""


def first_state(job: Job) -> dict[str, str | int]:
    """What an execution begins with: ids only, the same whenever it is started again."""
    return {"job_id": job.job_id}


def failure(error: PermanentError, *, warning: str = "") -> Outcome:
    """How a job ends that met `error`: failed, with its words and a warning behind them."""
    provider_code = error.provider_code if isinstance(error, ProviderRejectedError) else None
    return Outcome(
        status=JobStatus.FAILED,
        error=JobError(code=error.code, message=f"{error}{warning}", provider_code=provider_code),
    )
