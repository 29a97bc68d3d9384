"""Submit: intent, look, create, store. Repeating it after a crash anywhere makes no second job at the provider."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tunedrop.domain.errors import PermanentError, ProviderThrottledError, SubmissionUncertainError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, Submission
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, JobStore
from tunedrop.domain.provider_ports import ConnectProvider, FineTuningProvider
from tunedrop.domain.transitions import advance
from tunedrop.jobs.cancel import cancelled, must_be_stopped
from tunedrop.jobs.order import order_for, token_for
from tunedrop.jobs.step import StepOutcome, StepResult, failure


@dataclass(frozen=True, kw_only=True)
class SubmitJob:
    store: JobStore
    connect: ConnectProvider
    clock: Clock
    polling: PollingPolicy

    def __call__(self, job_id: str) -> StepResult:
        job = self.store.get(job_id)
        return msgspec.structs.replace(self._look(job), wake_seq=job.wake_seq)

    def _look(self, job: Job) -> StepResult:
        if job.is_final or job.outcome is not None:
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if job.provider_job_id is not None:
            return self._submitted(job)
        try:
            return self._submit(job)
        except PermanentError as error:
            outcome = failure(error, warning=_doubt(job.submission))
            return self._ended(job.job_id, outcome)

    def _submit(self, job: Job) -> StepResult:
        if job.cancel_requested_at is not None and job.submission is None:
            return self._ended(job.job_id, cancelled(job))
        order = order_for(job)
        provider = self.connect(job)
        if job.submission is not None:
            found = provider.find(order)
            if found is not None:
                return self._submitted(self._store_id(job, found))
            unsettled = self._unsettled_seconds(provider, job.submission)
            if unsettled > 0:
                return StepResult(job_id=job.job_id, outcome=StepOutcome.WAITING, wait_seconds=math.ceil(unsettled))
        looked_at = job.submission
        # Such a provider may be training what the last attempt made. Creating it again is how to find it, and stop it.
        doubtful = looked_at is not None and provider.found_by_creating
        if self.clock.now() >= job.deadline_at and job.cancel_requested_at is None and not doubtful:
            return self._ended(job.job_id, _too_late(job))
        job = self.store.change(job.job_id, lambda job: self._intend(job, looked_at, doubtful=doubtful))
        if job.outcome is not None:
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        try:
            provider_job_id = provider.create(order)
        except ProviderThrottledError as error:
            return self._wait_for_quota(job, error)
        return self._submitted(self._store_id(job, provider_job_id))

    def _unsettled_seconds(self, provider: FineTuningProvider, submission: Submission) -> float:
        """How long the provider's list may still hide the job of the last attempt."""
        passed = (self.clock.now() - submission.attempted_at).total_seconds()
        return provider.lookup_settle_seconds - passed

    def _intend(self, job: Job, looked_at: Submission | None, *, doubtful: bool) -> Job:
        """The intent to create, conditional on no cancel: a job cancelled by now is never sent, unless `doubtful`.

        Also conditional on no other attempt since `looked_at`: nobody has looked for what that one made.
        """
        if job.submission != looked_at:
            raise SubmissionUncertainError(f"Job {job.job_id} is being submitted by another attempt.")
        now = self.clock.now()
        if job.cancel_requested_at is not None and not doubtful:
            return advance(job, job.phase, at=now, outcome=cancelled(job))
        attempts = job.submission.attempts + 1 if job.submission else 1
        submission = Submission(token=token_for(job.job_id), attempted_at=now, attempts=attempts)
        return advance(job, Phase.SUBMITTING, at=now, submission=submission)

    def _store_id(self, job: Job, provider_job_id: str) -> Job:
        def store(job: Job) -> Job:
            if job.provider_job_id is not None:
                return job
            return advance(job, Phase.QUEUED, at=self.clock.now(), provider_job_id=provider_job_id, last_error=None)

        return self.store.change(job.job_id, store)

    def _wait_for_quota(self, job: Job, error: ProviderThrottledError) -> StepResult:
        """A throttled create made no job: the intent is withdrawn, and the next attempt need not look."""
        self.store.change(
            job.job_id,
            lambda job: advance(
                job, Phase.WAITING_FOR_QUOTA, at=self.clock.now(), submission=None, last_error=str(error)
            ),
        )
        return StepResult(
            job_id=job.job_id,
            outcome=StepOutcome.WAITING,
            wait_seconds=self._wait(job.created_at, error.retry_after),
        )

    def _submitted(self, job: Job) -> StepResult:
        if must_be_stopped(job):
            return StepResult(job_id=job.job_id, outcome=StepOutcome.CANCEL)
        started = job.submission.attempted_at if job.submission else job.created_at
        return StepResult(job_id=job.job_id, outcome=StepOutcome.SUBMITTED, wait_seconds=self._wait(started, None))

    def _wait(self, started: datetime, retry_after: float | None) -> int:
        return self.polling.wait_seconds(started=started, now=self.clock.now(), retry_after=retry_after)

    def _ended(self, job_id: str, outcome: Outcome) -> StepResult:
        self.store.change(job_id, lambda job: advance(job, job.phase, at=self.clock.now(), outcome=outcome))
        return StepResult(job_id=job_id, outcome=StepOutcome.ENDED)


def _doubt(earlier: Submission | None) -> str:
    """A warning where an attempt before this one may have made a job that can no longer be looked for."""
    if earlier is None:
        return ""
    return f" An earlier attempt may have created a job all the same: look for {earlier.token!r} at the provider."


def _too_late(job: Job) -> Outcome:
    reason = f" The last trouble was: {job.last_error}" if job.last_error else ""
    return Outcome(
        status=JobStatus.FAILED,
        error=JobError(
            code="deadline_exceeded",
            message=f"The deadline passed before the provider accepted the job.{reason} Drop the file again, or ask "
            "for a longer 'deadline_hours'.",
        ),
    )
