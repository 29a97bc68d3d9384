"""The API's answers as values. Fields that this version does not know are ignored, words it does not know are kept.

Times are aware, in UTC. None is what there is not, or not yet; lists leave out what only a single job's answer has.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from tunedrop.client.errors import TunedropError
from tunedrop.domain.job import FINAL_STATUSES

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


class ErrorRecord(Record, frozen=True, kw_only=True):
    """Why something did not succeed."""

    code: str
    """One of docs/errors.md."""
    message: str
    provider_code: str | None = None


class ProgressRecord(Record, frozen=True, kw_only=True):
    """What the provider last said of the training."""

    step: int | None = None
    total_steps: int | None = None
    training_loss: float | None = None
    trained_tokens: int | None = None
    message: str | None = None


class SourceRecord(Record, frozen=True, kw_only=True):
    """The object version in the inbox that made the job."""

    bucket: str
    key: str
    version: str


class DatasetRecord(Record, frozen=True, kw_only=True):
    """The prepared files, and what was counted in them."""

    training_uri: str
    training_rows: int
    training_bytes: int
    format: str
    sha256: str
    validation_uri: str | None = None
    validation_rows: int | None = None
    estimated_tokens: int | None = None
    estimated_cost_usd: float | None = None


class UploadRecord(Record, frozen=True, kw_only=True):
    """How a file is sent to where its job waits for it."""

    url: str
    method: str
    headers: dict[str, str] = {}
    expires_at: datetime | None = None

    def __rich_repr__(self) -> Any:
        yield "method", self.method

    def __repr__(self) -> str:
        return f"UploadRecord(method={self.method!r})"  # the URL is a permission


class JobRecord(Record, frozen=True, kw_only=True):
    """A job."""

    job_id: str
    provider: str
    model: str
    status: str
    """One of `JobStatus`, or what a newer stack says."""
    phase: str
    created_at: datetime
    updated_at: datetime
    job_name: str | None = None
    finished_at: datetime | None = None
    provider_job_id: str | None = None
    tuned_model: str | None = None
    error: ErrorRecord | None = None
    progress: ProgressRecord | None = None
    retry_of: str | None = None
    base_model: str | None = None
    provider_status: str | None = None
    deadline_at: datetime | None = None
    credentials: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    source: SourceRecord | None = None
    dataset: DatasetRecord | None = None
    hyperparameters: dict[str, int | float | str] | None = None
    notes: tuple[str, ...] = ()
    max_cost_usd: float | None = None
    starts_endpoint: bool = False
    last_error: str | None = None
    cancel_requested_at: datetime | None = None
    cancel_cause: ErrorRecord | None = None
    report_uri: str | None = None
    model_deleted_at: datetime | None = None
    execution_arn: str | None = None
    console_url: str | None = None
    uploads: dict[str, UploadRecord] | None = None
    """By the field that names the file; of a job that waits for its files, when it was made."""

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.status in FINAL_STATUSES or self.finished_at is not None


class CallRecord(Record, frozen=True, kw_only=True):
    """How the model is called."""

    model_id: str
    litellm_model: str
    url: str | None = None


class EndpointRecord(Record, frozen=True, kw_only=True):
    """What serves the tuned model."""

    job_id: str
    status: str
    """`none`, `starting`, `ready`, `stopping`, `stopped` or `failed`, or what a newer stack says."""
    provider: str | None = None
    kind: str | None = None
    model_units: int | None = None
    call: CallRecord | None = None
    ttl_hours: float | None = None
    expires_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ready_at: datetime | None = None
    stop_requested_at: datetime | None = None
    stopped_at: datetime | None = None
    hourly_cost_usd: float | None = None
    cost_note: str = ""
    resource_id: str | None = None
    provider_status: str | None = None
    error: ErrorRecord | None = None
    last_error: str | None = None
    execution_arn: str | None = None
    console_url: str | None = None


class EventRecord(Record, frozen=True, kw_only=True):
    """One change of the job (`status`, `progress`) or of its endpoint (`endpoint`, `endpoint_progress`)."""

    type: str
    version: int
    at: datetime
    status: str | None = None
    phase: str | None = None
    endpoint_status: str | None = None
    generation: int | None = None
    expires_at: datetime | None = None
    provider_status: str | None = None
    progress: ProgressRecord | None = None
    error: ErrorRecord | None = None
    last_error: str | None = None


class MetricPoint(Record, frozen=True, kw_only=True):
    """What the provider said of the training at one moment."""

    at: datetime
    step: int | None = None
    total_steps: int | None = None
    training_loss: float | None = None
    trained_tokens: int | None = None


class JobPage(Record, frozen=True, kw_only=True):
    jobs: list[JobRecord]
    next_token: str | None = None


class EventPage(Record, frozen=True, kw_only=True):
    events: list[EventRecord]
    next_token: str | None = None


def read(document: Any, kind: type[T]) -> T:
    """An answer's JSON as a record. Raises TunedropError where it is none."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise TunedropError(
            f"The API's answer is not understood ({kind.__name__}: {error}). The URL may be that of another API, or "
            "this client older than the stack: pip install --upgrade tunedrop"
        ) from error
