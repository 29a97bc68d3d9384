"""How the endpoint of a job looks on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import as_document
from tunedrop.http.job_schemas import AnswerModel, ErrorView


class CallView(AnswerModel):
    """How the model is called."""

    model_id: str = Field(description="What the provider's own API takes.")
    litellm_model: str = Field(description="What LiteLLM takes, and so DSPy.", examples=["bedrock/converse/arn:aws:…"])
    url: str | None = Field(default=None, description="Null where the provider's SDK finds it by region.")


class EndpointView(AnswerModel):
    """What serves the tuned model."""

    job_id: str = Field(pattern="^[a-z2-7]{26}$")
    status: Literal["none", "starting", "ready", "stopping", "stopped", "failed"] = Field(
        description="`none`: there never was one. `failed`: it did not come up, and nothing is left of it."
    )
    provider: str | None = None
    kind: Literal["hosted", "on_demand", "provisioned", "serving"] | None = None
    model_units: int | None = None
    call: CallView | None = Field(default=None, description="Once it is ready.")
    ttl_hours: float | None = None
    expires_at: datetime | None = Field(default=None, description="When it is stopped; null: it may stay.")
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ready_at: datetime | None = None
    stop_requested_at: datetime | None = None
    stopped_at: datetime | None = None
    hourly_cost_usd: float | None = Field(default=None, description="While it is up and idle; null where unknown.")
    cost_note: str = Field(default="", description="What an hour and a call cost, in words.")
    resource_id: str | None = Field(default=None, description="The provider's own id of it.")
    provider_status: str | None = None
    error: ErrorView | None = None
    last_error: str | None = Field(default=None, description="The last trouble that passes.")
    execution_arn: str | None = None
    console_url: str | None = None

    @classmethod
    def of(cls, job_id: str, endpoint: Endpoint | None) -> EndpointView:
        return cls.model_validate({"job_id": job_id, "status": "none"} if endpoint is None else as_document(endpoint))
