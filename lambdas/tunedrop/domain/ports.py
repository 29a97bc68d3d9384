"""What the use cases need from the world. Adapters implement these; tests bring fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, BinaryIO, Literal, Protocol

import msgspec

from tunedrop.domain.endpoint import Call, Endpoint, EndpointKind, EndpointStatus
from tunedrop.domain.job import Job, JobError, JobStatus, Phase, Progress


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


class ProviderState(StrEnum):
    """A provider's status, in our terms."""

    QUEUED = "queued"
    TRAINING = "training"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A word that this version does not know: keep asking, and log it."""


class ProviderJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of a job now."""

    state: ProviderState
    raw_status: str
    tuned_model: str | None = None
    """Set when succeeded: what inference (or a deployment) takes."""
    error_code: str | None = None
    error_message: str | None = None
    progress: Progress | None = None
    retry_after: float | None = None
    """Seconds; where the provider asked for patience."""


class TrainingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider needs for one job. Made from the record alone, so that it is the same at every attempt."""

    job_id: str
    token: str
    """1 to 63 characters of a-z, 0-9 and hyphens: a legal name and idempotency token everywhere."""
    base_model: str
    training_uri: str
    training_sha256: str
    validation_uri: str | None
    hyperparameters: Mapping[str, int | float | str]
    """Under the provider's own names."""
    format: str
    """`chat`, `completion` or `preference`."""
    job_name: str | None
    register_to: str | None
    task_type: str | None
    created_at: datetime


class FineTuningProvider(Protocol):
    """One provider's fine-tuning API for one job's credentials.

    Every method raises ProviderThrottledError or ProviderUnavailableError for what may pass, and
    CredentialsError or ProviderRejectedError for what will not.
    """

    lookup_settle_seconds: float
    """How long after a create call whose reply was lost `find` may still overlook the job; 0 where the create
    call itself can be repeated with its token."""

    found_by_creating: bool
    """Whether `find` never knows, and only the create call, repeated with its token, tells of an earlier one."""

    tells_news: bool
    """Whether the provider tells of a job's end by itself: Bedrock's event, OpenAI's webhook where it is set up."""

    def find(self, order: TrainingOrder) -> str | None:
        """The provider's id of the job that an earlier attempt created, or None."""
        ...

    def create(self, order: TrainingOrder) -> str:
        """Creates the job, once, with the order's token; returns the provider's id.

        Brings the files to the provider first, where it does not read S3, without leaving a second copy when
        repeated. Raises SubmissionUncertainError when the reply was lost and the job may exist.
        """
        ...

    def status(self, provider_job_id: str) -> ProviderJob: ...

    def stop(self, provider_job_id: str) -> None:
        """Asks the provider to stop the job; a job that ended already is left as it is."""
        ...


class ConnectProvider(Protocol):
    def __call__(self, job: Job) -> FineTuningProvider:
        """The job's provider, with the credentials that the job names.

        Raises CredentialsError, SettingsMissingError.
        """
        ...


class ServingState(StrEnum):
    """A provider's word on an endpoint, in our terms."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"
    GONE = "gone"
    """Nothing is there, or not any more."""
    UNKNOWN = "unknown"
    """A word that this version does not know: keep asking, and log it."""


class EndpointOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider needs to serve a model. Made from the records alone, the same at every attempt."""

    job_id: str
    token: str
    """Of `endpoint_token`; a legal name and idempotency token everywhere."""
    tuned_model: str
    kind: EndpointKind
    model_units: int | None


class ProviderEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of an endpoint now."""

    state: ServingState
    raw_status: str
    error_message: str | None = None


class ServingProvider(Protocol):
    """One provider's serving API for one job's credentials. Errors are those of FineTuningProvider."""

    def find(self, order: EndpointOrder) -> str | None:
        """The provider's id of what an earlier attempt created for this order, or None."""
        ...

    def create(self, order: EndpointOrder) -> str:
        """Creates it, once, with the order's token; returns the provider's id.

        Raises SubmissionUncertainError when the reply was lost and it may exist.
        """
        ...

    def status(self, resource_id: str) -> ProviderEndpoint:
        """GONE where the provider knows no such resource."""
        ...

    def delete(self, resource_id: str) -> None:
        """Asks for its deletion; what is gone is left at that. It costs money until `status` says GONE."""
        ...

    def call(self, resource_id: str) -> Call:
        """How a model that is served so is called."""
        ...


class ConnectServing(Protocol):
    def __call__(self, job: Job) -> ServingProvider:
        """The job's provider, with the credentials that it names. Raises CredentialsError, SettingsMissingError."""
        ...


class ModelRemoval(Protocol):
    def delete(self, tuned_model: str) -> None:
        """Deletes a tuned model at the provider; one that is gone is left at that.

        Raises ConflictError while it is deployed, and what a FineTuningProvider raises.
        """
        ...


class ListPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page of a list ended; the next one goes on behind it."""

    month: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """`YYYY-MM`: lists are kept by the month in which jobs were created."""
    before: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """The key (time of creation and job id) of the last job that was looked at; None: begin with the month's newest."""


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    jobs: tuple[Job, ...]
    next: ListPosition | None
    """None: there are no more. A page may be empty and have a next one, where the filter leaves much out."""


class JobList(Protocol):
    def page(
        self, *, status: JobStatus | None, provider: str | None, limit: int, after: ListPosition | None
    ) -> ListPage:
        """At most `limit` jobs, newest first, a moment old: a job that was changed just now may be shown as before.

        Raises StoreUnavailableError.
        """
        ...


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write to a job's record, or to that of its endpoint."""

    type: Literal["status", "progress", "endpoint", "endpoint_progress"]
    """`status` and `endpoint`: the job came into another phase, its endpoint into another status."""
    version: int
    """Of the record that was written: the job's, or the endpoint's."""
    at: datetime
    status: JobStatus | None = None
    """With `phase`, of the job; None in an event of the endpoint."""
    phase: Phase | None = None
    endpoint_status: EndpointStatus | None = None
    """With `generation` and `expires_at`, of the endpoint; None in an event of the job."""
    generation: int | None = None
    expires_at: datetime | None = None
    provider_status: str | None = None
    progress: Progress | None = None
    error: JobError | None = None
    last_error: str | None = None


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[TimelineEvent, ...]
    next: str | None
    """None: there are no more yet."""


class Timeline(Protocol):
    def page(self, job_id: str, *, limit: int, after: str | None) -> EventPage:
        """At most `limit` events of the job and its endpoint, oldest first; `after` is the `next` of another page.

        Raises JobNotFoundError, RequestInvalidError for an `after` that is none, StoreUnavailableError.
        """
        ...


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
