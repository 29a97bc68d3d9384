"""Which phase may follow which, as data; every write to a record goes through `advance`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tunedrop.domain.errors import TransitionError
from tunedrop.domain.job import FINAL_STATUSES, Job, JobStatus, Outcome, Phase

NEXT_PHASES: Mapping[Phase, frozenset[Phase]] = {
    Phase.RECEIVED: frozenset({Phase.PREPARING, Phase.DONE}),
    Phase.AWAITING_UPLOAD: frozenset({Phase.PREPARING, Phase.DONE}),
    Phase.PREPARING: frozenset({Phase.SUBMITTING, Phase.CANCELLING, Phase.DONE}),
    Phase.SUBMITTING: frozenset({Phase.WAITING_FOR_QUOTA, Phase.QUEUED, Phase.TRAINING, Phase.CANCELLING, Phase.DONE}),
    Phase.WAITING_FOR_QUOTA: frozenset({Phase.SUBMITTING, Phase.QUEUED, Phase.TRAINING, Phase.CANCELLING, Phase.DONE}),
    Phase.QUEUED: frozenset({Phase.TRAINING, Phase.CANCELLING, Phase.DONE}),
    # A provider may put a training back into its queue (Databricks' WAITING_FOR_RETRY).
    Phase.TRAINING: frozenset({Phase.QUEUED, Phase.CANCELLING, Phase.DONE}),
    Phase.CANCELLING: frozenset({Phase.DONE}),
    Phase.DONE: frozenset(),
}

_STATUS_OF_PHASE: Mapping[Phase, JobStatus] = {
    Phase.RECEIVED: JobStatus.NOT_STARTED,
    Phase.AWAITING_UPLOAD: JobStatus.NOT_STARTED,
    Phase.PREPARING: JobStatus.PENDING,
    Phase.SUBMITTING: JobStatus.PENDING,
    Phase.QUEUED: JobStatus.PENDING,
    Phase.WAITING_FOR_QUOTA: JobStatus.PENDING,
    Phase.TRAINING: JobStatus.RUNNING,
}


def advance(job: Job, phase: Phase, *, at: datetime, **changes: Any) -> Job:
    """The job in `phase`, its version incremented; staying in a phase is allowed until the end.

    A job that is being cancelled stays in that phase until its end, whatever step is still at work on it.
    Raises TransitionError when the table does not allow it. Use `close` for the end.
    """
    if job.is_final or phase is Phase.DONE:
        raise TransitionError(f"Job {job.job_id} is {job.status} and cannot become {phase}.")
    if job.phase is Phase.CANCELLING:
        phase = Phase.CANCELLING
    if phase is not job.phase and phase not in NEXT_PHASES[job.phase]:
        raise TransitionError(f"Job {job.job_id} cannot go from {job.phase} to {phase}.")
    # Cancelling keeps the status of what is being cancelled: pending, or running.
    status = _STATUS_OF_PHASE.get(phase, job.status)
    return msgspec.structs.replace(job, phase=phase, status=status, version=job.version + 1, updated_at=at, **changes)


def close(job: Job, outcome: Outcome, *, at: datetime, **changes: Any) -> Job:
    """The job, ended. A job that ended already is returned as it is: ends are final."""
    if job.is_final:
        return job
    if outcome.status not in FINAL_STATUSES:
        raise TransitionError(f"Job {job.job_id} cannot end as {outcome.status}.")
    return msgspec.structs.replace(
        job,
        phase=Phase.DONE,
        status=outcome.status,
        version=job.version + 1,
        updated_at=at,
        finished_at=at,
        outcome=outcome,
        tuned_model=outcome.tuned_model,
        error=outcome.error,
        **changes,
    )
