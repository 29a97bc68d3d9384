"""What the use cases need from a provider that trains models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from tunedrop.domain.job import Job, Progress


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
    train_data_path: str | None = None
    """At Databricks, in place of the stack's volume."""
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
