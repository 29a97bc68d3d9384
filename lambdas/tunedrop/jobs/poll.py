"""Poll: the provider is asked how the job is; its answer, or the deadline, decides what comes next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from tunedrop.domain.errors import PermanentError, ProviderThrottledError, RequestInvalidError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, Progress
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, JobStore
from tunedrop.domain.provider_ports import ConnectProvider, ProviderJob, ProviderState
from tunedrop.domain.transitions import NEXT_PHASES, advance
from tunedrop.jobs.cancel import cancelled, is_told, must_be_stopped
from tunedrop.jobs.step import StepOutcome, StepResult

logger = logging.getLogger(__name__)

STOP_GRACE = timedelta(hours=12)
"""How long after the first request to stop the provider may take to say that the job ended."""

_PHASE_OF_STATE = {ProviderState.QUEUED: Phase.QUEUED, ProviderState.TRAINING: Phase.TRAINING}


@dataclass(frozen=True, kw_only=True)
class PollJob:
    store: JobStore
    connect: ConnectProvider
    clock: Clock
    polling: PollingPolicy

    def __call__(self, job_id: str) -> StepResult:
        # What wakes the job after this read ends the next wait at once: the provider is asked later than that.
        job = self.store.get(job_id)
        return msgspec.structs.replace(self._look(job), wake_seq=job.wake_seq)

    def _look(self, job: Job) -> StepResult:
        if job.is_final or job.outcome is not None:
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if job.provider_job_id is None:
            raise RequestInvalidError(f"Job {job.job_id} has not been submitted, so there is nothing to ask for.")
        pushed = False
        try:
            provider = self.connect(job)
            pushed = provider.tells_news
            answer = provider.status(job.provider_job_id)
        except ProviderThrottledError as error:
            return self._go_on(self._noted(job, error), error.retry_after, pushed=pushed)
        except PermanentError as error:
            # The job may be training, and billing: a wrong key or a lost permission does not end it. The deadline does.
            return self._blocked(job, error, pushed=pushed)
        return self._heard(job, answer, pushed=pushed)

    def _heard(self, job: Job, answer: ProviderJob, *, pushed: bool) -> StepResult:
        outcome = _outcome(job, answer)
        if outcome is not None:
            self.store.change(job.job_id, lambda job: self._ended(job, answer, outcome))
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if answer.state is ProviderState.UNKNOWN:
            logger.warning(
                "unknown provider status", extra={"job_id": job.job_id, "provider_status": answer.raw_status}
            )
        job = self.store.change(job.job_id, lambda job: self._seen(job, answer))
        return self._go_on(job, answer.retry_after, pushed=pushed)

    def _go_on(self, job: Job, retry_after: float | None, *, pushed: bool) -> StepResult:
        now = self.clock.now()
        if job.stop_sent_at is not None and now - job.stop_sent_at >= STOP_GRACE:
            outcome = _unconfirmed(job)
            self.store.change(job.job_id, lambda job: advance(job, job.phase, at=now, outcome=outcome))
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if must_be_stopped(job):
            return StepResult(job_id=job.job_id, outcome=StepOutcome.CANCEL)
        if now >= job.deadline_at and not is_told(job):
            return StepResult(job_id=job.job_id, outcome=StepOutcome.DEADLINE)
        started = job.stop_sent_at or (job.submission.attempted_at if job.submission else job.created_at)
        wait = self.polling.wait_seconds(started=started, now=now, retry_after=retry_after, pushed=pushed)
        if job.stop_sent_at is None:
            # The deadline is met on time, also where the interval or a Retry-After would pass over it.
            wait = max(1, min(wait, int((job.deadline_at - now).total_seconds()) + 1))
        return StepResult(job_id=job.job_id, outcome=StepOutcome.RUNNING, wait_seconds=wait)

    def _blocked(self, job: Job, error: PermanentError, *, pushed: bool) -> StepResult:
        logger.error("the provider refuses to say how the job is", extra={"job_id": job.job_id, "reason": str(error)})
        return self._go_on(self._noted(job, error), None, pushed=pushed)

    def _noted(self, job: Job, error: Exception) -> Job:
        def note(job: Job) -> Job:
            return (
                job
                if job.last_error == str(error)
                else advance(job, job.phase, at=self.clock.now(), last_error=str(error))
            )

        return self.store.change(job.job_id, note)

    def _seen(self, job: Job, answer: ProviderJob) -> Job:
        phase = _PHASE_OF_STATE.get(answer.state, job.phase)
        if phase is not job.phase and phase not in NEXT_PHASES[job.phase]:
            phase = job.phase  # a job that is being stopped stays in cancelling until the provider says it ended
        progress = answer.progress or job.progress
        trouble = job.last_error if job.stop_refused else None
        seen = (job.phase, job.provider_status, job.progress, job.last_error)
        if seen == (phase, answer.raw_status, progress, trouble):
            return job
        return advance(
            job,
            phase,
            at=self.clock.now(),
            provider_status=answer.raw_status,
            progress=progress,
            last_error=trouble,
        )

    def _ended(self, job: Job, answer: ProviderJob, outcome: Outcome) -> Job:
        progress: Progress | None = answer.progress or job.progress
        return advance(
            job,
            job.phase,
            at=self.clock.now(),
            provider_status=answer.raw_status,
            progress=progress,
            outcome=outcome,
            last_error=None,
        )


def _outcome(job: Job, answer: ProviderJob) -> Outcome | None:
    """The end that the answer means, None while the job goes on."""
    match answer.state:
        case ProviderState.SUCCEEDED if answer.tuned_model:
            return Outcome(status=JobStatus.SUCCEEDED, tuned_model=answer.tuned_model)
        case ProviderState.SUCCEEDED:
            return _failed("model_missing", "The provider says that the job succeeded, but names no tuned model.")
        case ProviderState.FAILED:
            reason = answer.error_message or "The provider gave no reason."
            return _failed("training_failed", reason, answer.error_code)
        case ProviderState.CANCELLED if job.stop_sent_at is not None and job.cancel_requested_at is None:
            return _failed(
                "deadline_exceeded",
                f"The job did not end before its deadline ({job.deadline_at:%Y-%m-%dT%H:%M:%SZ}) and was stopped at "
                "the provider. Ask for a longer 'deadline_hours', at most 336, and drop the file again.",
            )
        case ProviderState.CANCELLED if job.cancel_requested_at is None:
            message = f"The job was stopped at the provider ({answer.raw_status}), not by Tunedrop."
            return Outcome(status=JobStatus.CANCELLED, error=JobError(code="stopped_at_provider", message=message))
        case ProviderState.CANCELLED:
            return cancelled(job)
        case _:
            return None


def _failed(code: str, message: str, provider_code: str | None = None) -> Outcome:
    return Outcome(status=JobStatus.FAILED, error=JobError(code=code, message=message, provider_code=provider_code))


def _unconfirmed(job: Job) -> Outcome:
    hours = STOP_GRACE // timedelta(hours=1)
    why = "The deadline passed" if job.cancel_requested_at is None else "The job was to be cancelled"
    return _failed(
        "stop_unconfirmed",
        f"{why}, and {hours} hours after the request to stop, the provider has not said that the job "
        f"ended. It may still be billing: look for {job.provider_job_id} at the provider."
        + (f" The last trouble was: {job.last_error}" if job.last_error else ""),
    )
