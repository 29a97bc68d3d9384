"""What a user asks for: a manifest, or the body of a request, once it has been read."""

from __future__ import annotations

from typing import Literal

import msgspec

DataFormatName = Literal["chat", "completion", "preference", "bedrock-conversation-2024"]
"""How rows are written: see tunedrop.training_data.rows.decoding."""


class EndpointRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a tuned model is to be served: `endpoint` of a manifest, and the body of `POST …/endpoint/start`."""

    kind: Literal["on_demand", "provisioned", "serving"] | None = None
    """The provider's usual one where it is not given (tunedrop.domain.endpoint_rules)."""
    model_units: int | None = None
    """`provisioned` only: how many, at least 1."""
    ttl_hours: float | None = None
    """Hours from now until it is stopped: more than 0, at most 720. Required for a kind that bills while idle."""


class JobRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user asks for: the fields of a manifest and of `POST /v1/jobs`."""

    provider: str
    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: dict[str, int | float | str] = {}
    job_name: str | None = None
    """Shown in lists, and part of the tuned model's name where the provider takes a name."""
    credentials: str = "default"
    """The last segment of the secret's name, `tunedrop/<stage>/<provider>/<credentials>`."""
    train_data_path: str | None = None
    """Databricks only: the folder of a volume under which the job's files are put; the stack's setting otherwise."""
    register_to: str | None = None
    """Databricks only: `catalog.schema` or `catalog.schema.model`."""
    task_type: Literal["CHAT_COMPLETION", "INSTRUCTION_FINETUNE"] | None = None
    """Databricks only; taken from the rows where it is not given."""
    format: DataFormatName | None = None
    """How the rows are written; taken from the first rows where it is not given."""
    max_cost_usd: float | None = None
    """More than 0. A job whose estimated price may be above it, or is unknown, ends before anything is sent."""
    deadline_hours: float | None = None
    """More than 0, at most 336; the stack's default is 168 (7 days)."""
    start_endpoint: bool | None = None
    """Whether the tuned model is served as soon as it is there; by default where an idle endpoint costs nothing."""
    skip_deploy: bool | None = None
    """Databricks' word for the opposite of `start_endpoint`."""
    endpoint: EndpointRequest | None = None
    """How it is served."""
