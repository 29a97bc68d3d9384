"""Cancel: the provider is told to stop the job; only its own answer then ends it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain.errors import PermanentError, RequestInvalidError
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, JobStore
from tunedrop.domain.provider_ports import ConnectProvider
from tunedrop.domain.transitions import advance
from tunedrop.jobs.step import StepOutcome, StepResult


@dataclass(frozen=True, kw_only=True)
class CancelJob:
    store: JobStore
    connect: ConnectProvider
    clock: Clock
    polling: PollingPolicy

    def __call__(self, job_id: str) -> StepResult:
        job = self.store.get(job_id)
        return msgspec.structs.replace(self._stop(job), wake_seq=job.wake_seq)

    def _stop(self, job: Job) -> StepResult:
        if job.is_final or job.outcome is not None:
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if job.provider_job_id is None:
            raise RequestInvalidError(f"Job {job.job_id} has not been submitted, so there is nothing to stop.")
        refusal: str | None = None
        pushed = False
        try:
            provider = self.connect(job)
            provider.stop(job.provider_job_id)
            pushed = provider.tells_news
        except PermanentError as error:
            # It may be billing: polling goes on, and the request is sent again until the provider says how the job is.
            refusal = f"The provider refused to stop the job: {error}"
        job = self.store.change(job.job_id, lambda job: self._told(job, refusal))
        now = self.clock.now()
        # From the first request on: one that is refused for hours is sent ever more rarely.
        wait = self.polling.wait_seconds(started=job.stop_sent_at or now, now=now, pushed=pushed)
        return StepResult(job_id=job.job_id, outcome=StepOutcome.RUNNING, wait_seconds=wait)

    def _told(self, job: Job, refusal: str | None) -> Job:
        told = (job.phase, job.stop_sent_at is not None, job.stop_refused, job.last_error)
        if told == (Phase.CANCELLING, True, refusal is not None, refusal):
            return job
        now = self.clock.now()
        return advance(
            job,
            Phase.CANCELLING,
            at=now,
            stop_sent_at=job.stop_sent_at or now,
            stop_refused=refusal is not None,
            last_error=refusal,
        )


def must_be_stopped(job: Job) -> bool:
    """Whether a cancel was asked for, and the provider has not taken it yet."""
    return job.cancel_requested_at is not None and not is_told(job)


def is_told(job: Job) -> bool:
    """Whether the provider has taken a request to stop."""
    return job.stop_sent_at is not None and not job.stop_refused


def cancelled(job: Job) -> Outcome:
    """The end of a job that was cancelled as somebody asked, or for the reason on its record."""
    return Outcome(status=JobStatus.CANCELLED, error=job.cancel_cause)
