"""The job: its record, its status and phase, and its identity."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from tunedrop.domain.job_request import JobRequest


class JobStatus(StrEnum):
    """DSPy's six (`dspy.clients.utils_finetune.TrainingStatus`), and no other."""

    NOT_STARTED = "not_started"
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """Where within its status a job is."""

    RECEIVED = "received"
    AWAITING_UPLOAD = "awaiting_upload"
    PREPARING = "preparing"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    WAITING_FOR_QUOTA = "waiting_for_quota"
    TRAINING = "training"
    CANCELLING = "cancelling"
    DONE = "done"


FINAL_STATUSES = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The object version that made the job."""

    bucket: str
    key: str
    version: str
    """The S3 version id, or the event's sequencer on a bucket without versions."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The prepared files, in the artifacts bucket and in the provider's own format."""

    training_uri: str
    training_rows: int
    training_bytes: int
    format: str
    """`chat`, `completion` or `preference`: how the rows came in; rows in Bedrock's own format are chats."""
    sha256: str
    """Of the prepared training file."""
    validation_uri: str | None = None
    validation_rows: int | None = None
    estimated_tokens: int | None = None
    """Of the training file, read once; None on records of before there was an estimate."""
    estimated_cost_usd: float | None = None
    """The upper end of what the training may cost; None where the price is unknown."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """The intent to create a job at the provider, written before the create call."""

    token: str
    attempted_at: datetime
    """When the last create call was about to be made; a job may exist at the provider from then on."""
    attempts: int = 1


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider last said of the training; every field may be unknown."""

    step: int | None = None
    total_steps: int | None = None
    training_loss: float | None = None
    trained_tokens: int | None = None
    message: str | None = None


MAX_ERROR_CHARACTERS = 4_000
"""A provider's words may be a whole page. The execution's cause holds 32,768 characters, an event 256 KiB."""


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job did not succeed: `code` is one of ours (docs/errors.md), `message` says how to mend it.

    A message longer than MAX_ERROR_CHARACTERS is cut.
    """

    code: str
    message: str
    provider_code: str | None = None

    def __post_init__(self) -> None:
        if len(self.message) > MAX_ERROR_CHARACTERS:
            msgspec.structs.force_setattr(self, "message", f"{self.message[: MAX_ERROR_CHARACTERS - 1]}…")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is going to end; Finish makes it final."""

    status: JobStatus
    tuned_model: str | None = None
    error: JobError | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fine-tuning job, as its record holds it. Times are UTC."""

    job_id: str
    provider: str
    model: str
    """As the user named it: an alias or the provider's id."""
    phase: Phase
    status: JobStatus
    version: int
    """Incremented by every write; with the job id it names an event."""
    created_at: datetime
    updated_at: datetime
    deadline_at: datetime
    source: Source | None = None
    request: JobRequest | None = None
    """None only for a job whose key or manifest could not be understood."""
    base_model: str | None = None
    """The provider's id of the model that is trained."""
    execution_arn: str | None = None
    console_url: str | None = None
    dataset: Dataset | None = None
    hyperparameters: dict[str, int | float | str] | None = None
    """As sent to the provider, under the provider's names."""
    notes: tuple[str, ...] = ()
    """What was converted, left out or is worth knowing."""
    submission: Submission | None = None
    provider_job_id: str | None = None
    provider_status: str | None = None
    """The provider's own word for where the job is."""
    progress: Progress | None = None
    last_error: str | None = None
    """The last transient trouble; the job goes on."""
    cancel_requested_at: datetime | None = None
    cancel_cause: JobError | None = None
    """Why, where nobody asked for it over the API: the execution was aborted, or lost too often."""
    stop_sent_at: datetime | None = None
    """When the provider was first told to stop."""
    stop_refused: bool = False
    """Whether the provider refused the last request to stop; it is sent again."""
    outcome: Outcome | None = None
    tuned_model: str | None = None
    error: JobError | None = None
    report_uri: str | None = None
    finished_at: datetime | None = None
    retry_of: str | None = None
    """The job whose prepared files this one trains on."""
    recoveries: int = 0
    """How often an execution of this job was lost and another one took over."""
    model_deleted_at: datetime | None = None
    """When the tuned model was deleted at the provider."""
    wake_seq: int = 0
    """Counts the reasons to look at the provider before the next interval is over. Only JobStore.wake changes it:
    written back from an older read, it could hide a wake-up."""

    @property
    def is_final(self) -> bool:
        """Whether the status can never change again."""
        return self.status in FINAL_STATUSES


def job_id_for(source: Source) -> str:
    """The same object version always makes the same job."""
    return job_id_from(source.bucket, source.key, source.version)


def job_id_from(*identity: str) -> str:
    """26 lower-case base32 characters, the same for the same parts.

    The parts are length-prefixed, so that no two identities share a digest input.
    """
    text = "".join(f"{len(part)}:{part}" for part in identity)
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:26]


def job_id_for_key(idempotency_key: str) -> str:
    """Of the job that a request with this Idempotency-Key makes: its sender knows the id before any answer comes."""
    return job_id_from("key", idempotency_key)


def execution_name(job: Job) -> str:
    """The name of the job's present execution: the job's id, and a number behind it where others were lost."""
    return f"{job.job_id}-r{job.recoveries}" if job.recoveries else job.job_id


def now_utc() -> datetime:
    """The current time, to the millisecond: what the record and RFC 3339 timestamps hold."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def as_document(value: msgspec.Struct) -> dict[str, Any]:
    """Plain JSON types, times in RFC 3339 ending in Z."""
    document: dict[str, Any] = msgspec.to_builtins(value)
    return document
