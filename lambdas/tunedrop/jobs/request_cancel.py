"""Cancel as a user asks for it: noted on the record; the job's execution does the rest, so that its graph shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunedrop.domain.errors import ConflictError
from tunedrop.domain.job import Job, JobStatus, Phase
from tunedrop.domain.ports import Clock, JobStore
from tunedrop.domain.transitions import NEXT_PHASES, advance


@dataclass(frozen=True, kw_only=True)
class RequestCancel:
    store: JobStore
    wake: Callable[[str], None]
    """Ends the wait of the job's execution (tunedrop.jobs.wake.WakeJob)."""
    clock: Clock

    def __call__(self, job_id: str) -> Job:
        """The job: `cancelled`, or on its way there. Asking again changes nothing.

        Raises JobNotFoundError; ConflictError (`job_ended`) for a job that has ended in another way.
        """
        job = self.store.change(job_id, self._ask)
        if _end_of(job) is None:
            # Also where somebody asked before: that request may have died between its note and its wake-up.
            self.wake(job_id)
        return job

    def _ask(self, job: Job) -> Job:
        end = _end_of(job)
        if end not in (None, JobStatus.CANCELLED):
            raise ConflictError("job_ended", f"Job {job.job_id} has ended as {end}: there is nothing left to cancel.")
        if end is not None or job.cancel_requested_at is not None:
            return job
        now = self.clock.now()
        # A job that no step has begun to work on stays in its phase, so that its status still says so.
        phase = Phase.CANCELLING if Phase.CANCELLING in NEXT_PHASES[job.phase] else job.phase
        return advance(job, phase, at=now, cancel_requested_at=now)


def _end_of(job: Job) -> JobStatus | None:
    """How it ended, also where that is known but not yet final; None while it goes on."""
    if job.is_final:
        return job.status
    return None if job.outcome is None else job.outcome.status
