"""What requests may say, as models. The fields of a job are those of a manifest; a test compares the two."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tunedrop.domain.endpoint_rules import MAX_MODEL_UNITS, MAX_TTL_HOURS
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.manifest import MAX_COST_USD, MAX_DEADLINE_HOURS

JOB_ID_PATTERN = "^[a-z2-7]{26}$"

ProviderName = Literal["openai", "bedrock", "databricks"]


class RequestModel(BaseModel):
    """Strict: what has the wrong type or an unknown name is refused, not guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EndpointStart(RequestModel):
    """How a tuned model is to be served."""

    kind: Literal["on_demand", "provisioned", "serving"] | None = Field(
        default=None,
        description="Bedrock: `on_demand` (an idle one costs nothing) or `provisioned` (billed by the hour). "
        "Databricks: `serving`, which scales to zero. By default what costs nothing while idle.",
        examples=["provisioned"],
    )
    model_units: int | None = Field(
        default=None, ge=1, le=MAX_MODEL_UNITS, description="`provisioned` only: how many units.", examples=[1]
    )
    ttl_hours: float | None = Field(
        default=None,
        gt=0,
        le=MAX_TTL_HOURS,
        description="Hours from now until it is stopped. Needed for a kind that bills while idle.",
        examples=[8],
    )


class JobCreation(RequestModel):
    """A job: the fields of a manifest, and `upload`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "bedrock",
                    "model": "nova-lite",
                    "training_file": "s3://datasets/support/train.jsonl",
                    "hyperparameters": {"epochCount": 3},
                    "max_cost_usd": 25,
                },
                {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "train.jsonl", "upload": True},
            ]
        }
    )

    provider: ProviderName = Field(description="Who trains.")
    model: str = Field(
        min_length=1, max_length=512, description="An alias such as `nova-lite`, or the provider's own id."
    )
    training_file: str = Field(
        min_length=1,
        max_length=1100,
        description="A name beside the manifests in the inbox, an `s3://` URI in a bucket that the stack may read, or, "
        "with `upload`, the name that the file is to have.",
    )
    validation_file: str | None = Field(
        default=None, min_length=1, max_length=1100, description="The same, to validate with."
    )
    hyperparameters: dict[str, int | float | str] = Field(
        default={}, max_length=64, description="By the provider's names, or the common ones of the docs."
    )
    job_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=63,
        description="Shown in lists, and part of the model's name where one is taken.",
    )
    credentials: str = Field(
        default="default",
        pattern="^[a-z0-9][a-z0-9-]{0,62}$",
        description="The last segment of the secret's name, `tunedrop/<stage>/<provider>/<credentials>`.",
    )
    train_data_path: str | None = Field(
        default=None,
        max_length=1024,
        description="Databricks: the folder under which the job's files are put, "
        "`/Volumes/<catalog>/<schema>/<volume>` or one below it; the stack's volume where it is not given.",
    )
    register_to: str | None = Field(
        default=None, max_length=512, description="Databricks: `catalog.schema` or `catalog.schema.model`."
    )
    task_type: Literal["CHAT_COMPLETION", "INSTRUCTION_FINETUNE"] | None = Field(
        default=None, description="Databricks; taken from the rows where it is not given."
    )
    format: DataFormatName | None = Field(
        default=None, description="How the rows are written; taken from the first rows where it is not given."
    )
    max_cost_usd: float | None = Field(
        default=None, gt=0, le=MAX_COST_USD, description="A training that may cost more ends before anything is sent."
    )
    deadline_hours: float | None = Field(
        default=None,
        gt=0,
        le=MAX_DEADLINE_HOURS,
        description="When the job is stopped if it has not ended; 168 by default.",
    )
    start_endpoint: bool | None = Field(
        default=None,
        description="Serve the model as soon as it is there; by default where an idle endpoint costs nothing.",
    )
    skip_deploy: bool | None = Field(
        default=None, description="The opposite of `start_endpoint`, as Databricks says it."
    )
    endpoint: EndpointStart | None = Field(default=None, description="How the model is to be served.")
    upload: bool = Field(
        default=False,
        description="The files are not in S3 yet: the answer says where to PUT them, and the job waits for 24 hours.",
    )
