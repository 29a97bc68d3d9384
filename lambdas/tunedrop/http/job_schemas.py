"""How a job, its timeline and a list of jobs look on the wire: snake_case, times in RFC 3339 with Z, ids only.

Every field is there in every answer, null where nothing is known. What the record keeps for itself (its submission,
tokens, counters of wake-ups) is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.endpoint_rules import starts_by_itself
from tunedrop.domain.job import Job, JobStatus, Phase, as_document
from tunedrop.domain.list_ports import TimelineEvent

Hyperparameters: TypeAlias = dict[str, int | float | str]


class AnswerModel(BaseModel):
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ErrorView(AnswerModel):
    """Why something did not succeed."""

    code: str = Field(description="One of docs/errors.md.", examples=["provider_rejected"])
    message: str = Field(description="What is wrong, and how to mend it.")
    provider_code: str | None = Field(default=None, description="The provider's own code.")


class ProgressView(AnswerModel):
    """What the provider last said of the training."""

    step: int | None = None
    total_steps: int | None = None
    training_loss: float | None = None
    trained_tokens: int | None = None
    message: str | None = None


class SourceView(AnswerModel):
    """The object version in the inbox that made the job."""

    bucket: str
    key: str
    version: str


class DatasetView(AnswerModel):
    """The prepared files, and what was counted in them."""

    training_uri: str
    training_rows: int
    training_bytes: int
    format: str = Field(description="`chat`, `completion` or `preference`.")
    sha256: str = Field(description="Of the prepared training file.")
    validation_uri: str | None = None
    validation_rows: int | None = None
    estimated_tokens: int | None = Field(default=None, description="Of the training file, read once.")
    estimated_cost_usd: float | None = Field(
        default=None, description="The upper end; null where the price is unknown."
    )


class JobSummary(AnswerModel):
    """A job as lists show it."""

    job_id: str = Field(pattern="^[a-z2-7]{26}$")
    provider: str = Field(examples=["bedrock"])
    model: str = Field(description="As the user named it.", examples=["nova-lite"])
    status: JobStatus = Field(description="`succeeded`, `failed` and `cancelled` are final.")
    phase: Phase = Field(description="Where within its status the job is; `done` at the end.")
    job_name: str | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    provider_job_id: str | None = Field(default=None, description="The provider's own id of the job.")
    tuned_model: str | None = Field(default=None, description="The provider's id of the tuned model.")
    error: ErrorView | None = None
    progress: ProgressView | None = None
    retry_of: str | None = Field(default=None, description="The job whose prepared files this one trains on.")

    @classmethod
    def of(cls, job: Job) -> JobSummary:
        return cls.model_validate(_document(job))


class JobView(JobSummary):
    """A job."""

    base_model: str | None = Field(default=None, description="The provider's id of the model that is trained.")
    provider_status: str | None = Field(default=None, description="The provider's own word for where the job is.")
    deadline_at: datetime = Field(description="When the job is stopped, if it has not ended by then.")
    credentials: str | None = Field(default=None, description="Which of the provider's secrets it uses.")
    training_file: str | None = Field(default=None, description="The `s3://` URI of what came in.")
    validation_file: str | None = None
    source: SourceView | None = None
    dataset: DatasetView | None = None
    hyperparameters: Hyperparameters | None = Field(default=None, description="As sent, by the provider's names.")
    notes: list[str] = Field(default=[], description="What was converted, left out or is worth knowing.")
    max_cost_usd: float | None = None
    starts_endpoint: bool = Field(
        default=False,
        description="Whether its model is served by itself as soon as the job has succeeded: the endpoint's record is "
        "written a moment after that.",
    )
    last_error: str | None = Field(default=None, description="The last trouble that passes; the job goes on.")
    cancel_requested_at: datetime | None = None
    cancel_cause: ErrorView | None = Field(default=None, description="Why it is cancelled, where nobody asked for it.")
    report_uri: str | None = Field(default=None, description="The job's report in S3.")
    model_deleted_at: datetime | None = Field(default=None, description="When the tuned model was deleted.")
    execution_arn: str | None = Field(default=None, description="The job's execution in Step Functions.")
    console_url: str | None = Field(default=None, description="That execution in the AWS console.")

    @classmethod
    def of(cls, job: Job) -> JobView:
        return cls.model_validate(_document(job))


class UploadView(AnswerModel):
    """How a file is sent to where the job waits for it; the URL is the permission, so it is a secret for that long."""

    url: str
    method: Literal["PUT"]
    headers: dict[str, str] = Field(description="To be sent with it.")
    expires_at: datetime


class CreatedJob(JobView):
    """A job that was made, and where its files go if they are not in S3 yet."""

    uploads: dict[str, UploadView] | None = Field(
        default=None, description="By the field that names the file: `training_file`, `validation_file`."
    )


class JobPage(AnswerModel):
    jobs: list[JobSummary]
    next_token: str | None = Field(
        default=None, description="Of the next page, null at the end. A page may be empty and have a next one."
    )


class EventView(AnswerModel):
    """One change of the job, or of its endpoint."""

    type: Literal["status", "progress", "endpoint", "endpoint_progress"] = Field(
        description="`status`: the job came into another phase. `endpoint`: its endpoint came into another status."
    )
    version: int = Field(description="Of the record after the change: the job's, or its endpoint's.")
    at: datetime
    status: JobStatus | None = Field(default=None, description="With `phase`, of the job; null for its endpoint's.")
    phase: Phase | None = None
    endpoint_status: EndpointStatus | None = Field(default=None, description="Null for a change of the job.")
    generation: int | None = Field(default=None, description="Counts the endpoint's starts.")
    expires_at: datetime | None = Field(default=None, description="When the endpoint is stopped.")
    provider_status: str | None = Field(default=None, description="The provider's own word.")
    progress: ProgressView | None = None
    error: ErrorView | None = None
    last_error: str | None = Field(default=None, description="Trouble that passes.")

    @classmethod
    def of(cls, event: TimelineEvent) -> EventView:
        return cls.model_validate(as_document(event))


class EventPage(AnswerModel):
    """Oldest first."""

    events: list[EventView]
    next_token: str | None = Field(default=None, description="Of the next page; null: there are no more yet.")


def _document(job: Job) -> dict[str, object]:
    """The record's fields, and beside them those that the request says, or that follow from it."""
    asked = as_document(job.request) if job.request is not None else {}
    fields = ("job_name", "credentials", "training_file", "validation_file", "max_cost_usd")
    starts_endpoint = starts_by_itself(job.request, job.base_model)
    return {**{field: asked.get(field) for field in fields}, "starts_endpoint": starts_endpoint, **as_document(job)}
