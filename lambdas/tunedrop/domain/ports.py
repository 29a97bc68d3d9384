"""What the use cases need from the world. Adapters implement these; tests bring fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

import msgspec

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import Job


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC."""
        ...


class JobStore(Protocol):
    """The records. Every change is one conditional write, and one event beside the record."""

    def create(self, job: Job) -> bool:
        """False when a record with this id exists; then nothing is written."""
        ...

    def get(self, job_id: str) -> Job:
        """The record as it is now (a consistent read). Raises JobNotFoundError."""
        ...

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Reads, applies the pure `change`, writes if nobody else wrote since; repeats when somebody did.

        A `change` that returns its argument writes nothing. What `change` raises passes through.
        Raises JobNotFoundError, StoreConflictError.
        """
        ...

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        """Counts a reason to look (`wake_seq`), and returns the task token of the last wait, None where there was none.

        With `quiet_since`, nothing is counted and None returned where somebody woke the job later than that.
        Raises JobNotFoundError.
        """
        ...


class EndpointStore(Protocol):
    """The endpoints' records, beside their jobs'; like a JobStore's."""

    def create(self, endpoint: Endpoint) -> bool:
        """False when the job has an endpoint's record; then nothing is written."""
        ...

    def find(self, job_id: str) -> Endpoint | None:
        """The record as it is now (a consistent read); None for a job that never had an endpoint."""
        ...

    def change(self, job_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """As JobStore.change. Raises JobNotFoundError where there is no endpoint's record, StoreConflictError."""
        ...

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        """As JobStore.wake."""
        ...


class ObjectInfo(msgspec.Struct, frozen=True, kw_only=True):
    bucket: str
    key: str
    size: int
    version: str | None


class ObjectStore(Protocol):
    """S3. `uri` is `s3://bucket/key`, with `?versionId=…` where one version is meant."""

    def head(self, uri: str) -> ObjectInfo | None:
        """None when there is no such object, or no permission to know."""
        ...

    def open(self, uri: str) -> AbstractContextManager[BinaryIO]:
        """A stream read in constant memory. Raises RequestInvalidError when there is no such object."""
        ...

    def write(self, uri: str, chunks: Iterable[bytes], *, content_type: str) -> int:
        """Uploads in parts, in constant memory; returns the bytes written.

        What the iteration raises passes through, and then no object is left behind.
        """
        ...


class Secrets(Protocol):
    def read(self, provider: str, credentials: str) -> Mapping[str, str]:
        """The secret `tunedrop/<stage>/<provider>/<credentials>`. Raises CredentialsError."""
        ...


class Workflow(Protocol):
    """One family of state machines, one machine a provider; an execution is named after what it works on."""

    def execution_arn(self, provider: str, name: str) -> str:
        """The ARN that the execution has, or will have."""
        ...

    def console_url(self, provider: str, name: str) -> str: ...

    def start(self, provider: str, name: str, state: Mapping[str, str | int]) -> None:
        """Starts the execution of this name; starting it again does nothing, also after its end."""
        ...


class TaskTokens(Protocol):
    """The tokens of states that wait to be told."""

    def send(self, token: str) -> None:
        """Ends the wait of `token`. A wait that is over already is left as it is."""
        ...


class StatusChange(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `event_id` is made of the job's id and the record's version."""

    detail_type: str
    """`Fine-Tuning Job State Change`, or `Fine-Tuning Endpoint State Change`."""
    event_id: str
    detail: dict[str, Any]
    summary: str
    """One readable line for people."""


class Publisher(Protocol):
    def publish(self, change: StatusChange) -> None: ...


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """How one file is brought to where its job waits for it: a request that needs no credentials."""

    url: str
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str] = {}
    """To be sent with it."""
    expires_at: datetime


class UploadSigner(Protocol):
    def sign(self, uri: str, *, now: datetime) -> Upload:
        """An upload to `s3://bucket/key`, valid for an hour from `now`."""
        ...
