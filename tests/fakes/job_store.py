"""The records in memory, with the promises of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job


class MemoryJobStore:
    """A JobStore; `history` is every version of every job that was written, oldest first."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.history: list[Job] = []
        self.tokens: dict[str, str] = {}
        """The task token of each job's last wait."""
        self.woken: dict[str, datetime] = {}

    def create(self, job: Job) -> bool:
        if job.job_id in self.jobs:
            return False
        self._write(job)
        return True

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise JobNotFoundError(f"There is no job {job_id}.")
        return self.jobs[job_id]

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        before = self.get(job_id)
        after = change(before)
        if after != before:
            assert after.version == before.version + 1, "every write is a new version"
            assert after.wake_seq == before.wake_seq, "only wake() counts"
            self._write(after)
        return after

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        job = self.get(job_id)
        if quiet_since is not None and job_id in self.woken and self.woken[job_id] > quiet_since:
            return None
        self.woken[job_id] = at
        self.jobs[job_id] = msgspec.structs.replace(job, wake_seq=job.wake_seq + 1)
        return self.tokens.get(job_id)

    def _write(self, job: Job) -> None:
        self.jobs[job.job_id] = job
        self.history.append(job)


class MemoryEndpointStore:
    """An EndpointStore; `history` is every version that was written, oldest first."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.history: list[Endpoint] = []
        self.tokens: dict[str, str] = {}
        self.woken: dict[str, datetime] = {}

    def create(self, endpoint: Endpoint) -> bool:
        if endpoint.job_id in self.endpoints:
            return False
        self._write(endpoint)
        return True

    def find(self, job_id: str) -> Endpoint | None:
        return self.endpoints.get(job_id)

    def change(self, job_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        before = self._existing(job_id)
        after = change(before)
        if after != before:
            assert after.version == before.version + 1, "every write is a new version"
            assert after.wake_seq == before.wake_seq, "only wake() counts"
            self._write(after)
        return after

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        endpoint = self._existing(job_id)
        if quiet_since is not None and job_id in self.woken and self.woken[job_id] > quiet_since:
            return None
        self.woken[job_id] = at
        self.endpoints[job_id] = msgspec.structs.replace(endpoint, wake_seq=endpoint.wake_seq + 1)
        return self.tokens.get(job_id)

    def _existing(self, job_id: str) -> Endpoint:
        if job_id not in self.endpoints:
            raise JobNotFoundError(f"Job {job_id} has no endpoint.")
        return self.endpoints[job_id]

    def _write(self, endpoint: Endpoint) -> None:
        self.endpoints[endpoint.job_id] = endpoint
        self.history.append(endpoint)
