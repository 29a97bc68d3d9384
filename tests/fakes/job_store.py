"""The records in memory, with the promises of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job

R = TypeVar("R", Job, Endpoint)


class _MemoryRecords(Generic[R]):
    """`history` is every version of every record that was written, oldest first."""

    absent: str

    def __init__(self) -> None:
        self.records: dict[str, R] = {}
        self.history: list[R] = []
        self.tokens: dict[str, str] = {}
        """The task token of each record's last wait."""
        self.woken: dict[str, datetime] = {}

    def create(self, record: R) -> bool:
        if record.job_id in self.records:
            return False
        self._write(record)
        return True

    def change(self, job_id: str, change: Callable[[R], R]) -> R:
        before = self._existing(job_id)
        after = change(before)
        if after != before:
            assert after.version == before.version + 1, "every write is a new version"
            assert after.wake_seq == before.wake_seq, "only wake() counts"
            self._write(after)
        return after

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        record = self._existing(job_id)
        if quiet_since is not None and job_id in self.woken and self.woken[job_id] > quiet_since:
            return None
        self.woken[job_id] = at
        self.records[job_id] = msgspec.structs.replace(record, wake_seq=record.wake_seq + 1)
        return self.tokens.get(job_id)

    def _existing(self, job_id: str) -> R:
        if job_id not in self.records:
            raise JobNotFoundError(self.absent.format(job_id))
        return self.records[job_id]

    def _write(self, record: R) -> None:
        self.records[record.job_id] = record
        self.history.append(record)


class MemoryJobStore(_MemoryRecords[Job]):
    """A JobStore."""

    absent = "There is no job {}."

    @property
    def jobs(self) -> dict[str, Job]:
        return self.records

    def get(self, job_id: str) -> Job:
        return self._existing(job_id)


class MemoryEndpointStore(_MemoryRecords[Endpoint]):
    """An EndpointStore."""

    absent = "Job {} has no endpoint."

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        return self.records

    def find(self, job_id: str) -> Endpoint | None:
        return self.records.get(job_id)
