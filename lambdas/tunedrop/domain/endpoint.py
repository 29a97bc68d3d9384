"""The endpoint of a job: what serves its tuned model, since when, until when, and what to call."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from tunedrop.domain.job import JobError


class EndpointStatus(StrEnum):
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    """It did not come up, and nothing is left of it at the provider; it can be started again."""


ENDED_STATUSES = frozenset({EndpointStatus.STOPPED, EndpointStatus.FAILED})
"""Nothing is left at the provider. A start makes the next generation."""

EndpointKind = Literal["hosted", "on_demand", "provisioned", "serving"]
"""`hosted`: OpenAI serves every tuned model itself. `on_demand` and `provisioned`: Bedrock's deployment, and its
provisioned throughput. `serving`: a Databricks serving endpoint that scales to zero."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """How the model is called."""

    model_id: str
    """What the provider's own API takes: `modelId` of Bedrock's Converse, `model` at OpenAI, the serving endpoint's
    name at Databricks."""
    litellm_model: str
    """The same for LiteLLM, and so for DSPy: `bedrock/converse/arn:…`, `openai/ft:…`, `databricks/…`."""
    url: str | None = None
    """Where it answers over HTTPS; None where the provider's SDK finds it by region."""


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """The intent to create the endpoint at the provider, written before the create call."""

    attempted_at: datetime
    attempts: int = 1


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The endpoint of one job, as its record holds it. Times are UTC."""

    job_id: str
    provider: str
    status: EndpointStatus
    version: int
    """Incremented by every write; with the job id it names an event."""
    generation: int
    """Counts the starts, from 1. A generation has an execution and, at Bedrock, a name and token of its own."""
    kind: EndpointKind
    created_at: datetime
    """Of this generation: when the start was asked for."""
    updated_at: datetime
    model_units: int | None = None
    """Provisioned throughput only."""
    ttl_hours: float | None = None
    expires_at: datetime | None = None
    """When it is stopped; None for one that may stay, since an idle one costs nothing."""
    resource_id: str | None = None
    """The provider's own id: a deployment's or provisioned model's ARN, a serving endpoint's name."""
    creation: Creation | None = None
    provider_status: str | None = None
    call: Call | None = None
    """Set once it is ready."""
    ready_at: datetime | None = None
    stopped_at: datetime | None = None
    hourly_cost_usd: float | None = None
    """While it is up and idle; None where the price is not known."""
    cost_note: str = ""
    """In words: what an hour costs, and what a call costs."""
    execution_arn: str | None = None
    console_url: str | None = None
    executions: int = 1
    """How many executions this generation has had: one, and one more for each that was lost, or was needed to stop."""
    stop_requested_at: datetime | None = None
    delete_sent_at: datetime | None = None
    """When the provider was last told to delete it."""
    error: JobError | None = None
    """Why it failed to come up, or ended by itself."""
    last_error: str | None = None
    """The last transient trouble; the endpoint's execution goes on."""
    wake_seq: int = 0
    """As on the job's record: changed by EndpointStore.wake only."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left of it at the provider."""
        return self.status in ENDED_STATUSES


def endpoint_token(job_id: str, generation: int) -> str:
    """A legal name and idempotency token everywhere: a letter first, then a-z, 0-9 and hyphens, at most 63."""
    return f"tunedrop-{job_id}-{generation}"


def endpoint_execution(endpoint: Endpoint) -> str:
    """The name of the endpoint's present execution."""
    name = f"{endpoint.job_id}-{endpoint.generation}"
    return name if endpoint.executions == 1 else f"{name}-{endpoint.executions}"
