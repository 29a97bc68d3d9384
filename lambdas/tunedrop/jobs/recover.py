"""Recover: an execution was aborted, failed or timed out while its work was not done, and another one takes over.

The events come at least once and in any order. An event of an execution that another one has replaced only makes sure
that the other one was started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, execution_name
from tunedrop.domain.lost_executions import LostStatus, Recovery
from tunedrop.domain.ports import Clock, JobStore, Workflow
from tunedrop.domain.transitions import NEXT_PHASES, advance, close
from tunedrop.jobs.step import first_state

RESUMES = 3
"""After so many, the next execution no longer follows the training: it stops it."""
LAST_RECOVERY = 8
"""When the execution of this one is lost, the job is closed: what keeps executions from their end does not pass."""
_JOB_ID_CHARACTERS = 26
_AGAIN = "To train all the same: POST /v1/jobs/{job_id}/retry."


@dataclass(frozen=True, kw_only=True)
class RecoverJob:
    store: JobStore
    workflow: Workflow
    clock: Clock

    def __call__(self, job_id: str, lost: str, status: LostStatus) -> Recovery:
        """`lost` is the execution's name. Safe to repeat at any moment. Raises JobNotFoundError."""
        done = Recovery.ENDED

        def taken_over(job: Job) -> Job:
            nonlocal done
            done, after = self._taken_over(job, lost, status)
            return after

        job = self.store.change(job_id, taken_over)
        if not job.is_final:
            self.workflow.start(job.provider, execution_name(job), first_state(job))
        return done

    def _taken_over(self, job: Job, lost: str, status: LostStatus) -> tuple[Recovery, Job]:
        if job.is_final:
            return Recovery.ENDED, job
        if execution_name(job) != lost:
            return Recovery.REPLACED, job
        now = self.clock.now()
        if job.recoveries >= LAST_RECOVERY:
            return Recovery.GIVEN_UP, close(job, job.outcome or _given_up(job, status), at=now)
        name = execution_name(msgspec.structs.replace(job, recoveries=job.recoveries + 1))
        changes: dict[str, Any] = {
            "recoveries": job.recoveries + 1,
            "execution_arn": self.workflow.execution_arn(job.provider, name),
            "console_url": self.workflow.console_url(job.provider, name),
        }
        if job.outcome is not None or not (status is LostStatus.ABORTED or job.recoveries >= RESUMES):
            return Recovery.RESUMED, advance(job, job.phase, at=now, **changes)
        if job.cancel_requested_at is None:
            changes |= {"cancel_requested_at": now, "cancel_cause": _cause(job, status)}
        phase = Phase.CANCELLING if Phase.CANCELLING in NEXT_PHASES[job.phase] else job.phase
        return Recovery.STOPPING, advance(job, phase, at=now, **changes)


def _cause(job: Job, status: LostStatus) -> JobError:
    if status is LostStatus.ABORTED:
        return JobError(
            code="execution_aborted",
            message=f"The execution {execution_name(job)} was aborted by hand, and the job is cancelled with it. "
            f"{_AGAIN.format(job_id=job.job_id)}",
        )
    return JobError(
        code="execution_lost",
        message=f"{job.recoveries + 1} executions of the job were lost, the last one as {status}, so that it is "
        f"cancelled. The history of {execution_name(job)} says why. {_AGAIN.format(job_id=job.job_id)}",
    )


def _given_up(job: Job, status: LostStatus) -> Outcome:
    remains = ""
    if job.submission is not None:
        name = job.provider_job_id or f"the job with the token {job.submission.token}"
        remains = f" {name} may still run, and cost money, at {job.provider}: look there, and stop it."
    message = (
        f"{job.recoveries + 1} executions of the job were lost, the last one as {status}, and no other one is started. "
        f"The history of {execution_name(job)} says why.{remains}"
    )
    return Outcome(status=JobStatus.FAILED, error=JobError(code="execution_lost", message=message))


@dataclass(frozen=True, kw_only=True)
class RecoverExecution:
    """Whatever the lost execution was working on: a job's training, or a job's endpoint."""

    store: JobStore
    trainings: Workflow
    endpoints: Workflow
    recover_training: Callable[[str, str, LostStatus], Recovery]
    recover_endpoint: Callable[[str, str, LostStatus], Recovery]
    """Both get the job's id, and the lost execution's name and status."""

    def __call__(self, execution_arn: str, status: LostStatus) -> Recovery:
        name = execution_arn.rpartition(":")[2]
        try:
            job = self.store.get(name[:_JOB_ID_CHARACTERS])
        except JobNotFoundError:
            # Started by hand, under a name of its own: nobody waits for it.
            return Recovery.NOT_OURS
        for workflow, recover in (
            (self.trainings, self.recover_training),
            (self.endpoints, self.recover_endpoint),
        ):
            if workflow.execution_arn(job.provider, name) == execution_arn:
                return recover(job.job_id, name, status)
        return Recovery.NOT_OURS
