"""A stack's client without a stack: it takes every job, and the test says how each of them goes on."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tunedrop.client.errors import ConflictError, JobCancelledError, JobFailedError, WaitTimeoutError
from tunedrop.client.records import CallRecord, EndpointRecord, JobRecord
from tunedrop.domain.job import JobStatus, Phase

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


class FakeJob:
    """As the client's Job; it runs until `end`."""

    def __init__(self, number: int, model: str) -> None:
        self.job_id = f"job{number}".ljust(26, "a")
        self._provider = model.partition("/")[0]
        self.asked_for_progress: list[bool | None] = []
        self.endpoint_calls: list[str] = []
        self._status, self.phase = JobStatus.RUNNING, Phase.TRAINING
        self._outcome: str | Exception = ""
        self._ended = threading.Event()

    @property
    def record(self) -> JobRecord:
        return JobRecord(
            job_id=self.job_id,
            provider=self._provider,
            model="as-named",
            status=self._status,
            phase=self.phase,
            created_at=NOW,
            updated_at=NOW,
        )

    def now(self, status: JobStatus, phase: Phase = Phase.DONE) -> None:
        self._status, self.phase = status, phase

    def succeed(self, name: str) -> None:
        self._end(JobStatus.SUCCEEDED, name)

    def fail(self, reason: str) -> None:
        self._end(JobStatus.FAILED, JobFailedError(reason, job_id=self.job_id))

    def cancelled(self) -> None:
        self._end(JobStatus.CANCELLED, JobCancelledError(f"Job {self.job_id} was cancelled."))

    def lose_endpoint(self, error: Exception) -> None:
        self._end(JobStatus.SUCCEEDED, error)

    def _end(self, status: JobStatus, outcome: str | Exception) -> None:
        self.now(status)
        self._outcome = outcome
        self._ended.set()

    def status(self) -> JobStatus:
        return self._status

    def result(self, timeout: float | None = None, *, progress: bool | None = None) -> str:
        self.asked_for_progress.append(progress)
        if not self._ended.wait(timeout):
            raise WaitTimeoutError("It takes longer.")
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def cancel(self) -> JobRecord:
        if self._status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
            raise ConflictError("The job has ended.", status=409, code="job_ended")
        self.phase = Phase.CANCELLING
        return self.record

    def start_endpoint(self, **options: Any) -> EndpointRecord:
        self.endpoint_calls.append(f"start {options}")
        call = CallRecord(model_id="arn:two", litellm_model="bedrock/converse/arn:two")
        ready = options.get("wait", True)
        return EndpointRecord(job_id=self.job_id, status="ready" if ready else "starting", call=call if ready else None)

    def stop_endpoint(self, **options: Any) -> EndpointRecord:
        self.endpoint_calls.append(f"stop {options}")
        return EndpointRecord(job_id=self.job_id, status="stopped")

    def __repr__(self) -> str:
        return f"Job({self.job_id!r}, {self._status.value})"


class FakeTunedrop:
    """As the client's Tunedrop. `refusal` is raised by the next submission."""

    def __init__(self, *, profile: str | None = None) -> None:
        self.connection = SimpleNamespace(
            url="https://abc.execute-api.us-east-1.amazonaws.com/dev", profile=profile, region="us-east-1"
        )
        self.connected: list[dict[str, str | None]] = []
        self.submitted: list[dict[str, Any]] = []
        self.jobs: list[FakeJob] = []
        self.refusal: Exception | None = None
        self.failure: str | None = None
        """Why every job fails at once, where it is given."""
        self.outcome: str | None = None
        """What every job results in at once, where it is given; `{}` in it is the job's number."""

    def connect(self, url: str | None = None, *, profile: str | None = None, region: str | None = None) -> FakeTunedrop:
        """As the class is called to make one."""
        self.connected.append({"url": url, "profile": profile, "region": region})
        return self

    def finetune(
        self,
        *,
        model: str,
        train_data: Sequence[Mapping[str, Any]],
        train_data_format: str | None = None,
        train_kwargs: Mapping[str, Any] | None = None,
    ) -> FakeJob:
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append(
            copy.deepcopy(
                {
                    "model": model,
                    "train_data": train_data,
                    "train_data_format": train_data_format,
                    "train_kwargs": train_kwargs,
                }
            )
        )
        job = FakeJob(len(self.jobs), model)
        self.jobs.append(job)
        if self.failure is not None:
            job.fail(self.failure)
        elif self.outcome is not None:
            job.succeed(self.outcome.format(len(self.jobs)))
        return job
