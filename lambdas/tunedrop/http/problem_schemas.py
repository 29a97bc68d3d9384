"""Problem details (RFC 9457) as models: the form of every answer that is not a success."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

PROBLEM_JSON = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with the request: where, and what. Exactly one of the three places is given."""

    detail: str = Field(description="What is wrong there, and what is expected.")
    pointer: str | None = Field(default=None, description="A JSON pointer into the body.", examples=["/deadline_hours"])
    parameter: str | None = Field(default=None, description="A query parameter.", examples=["limit"])
    header: str | None = Field(default=None, description="A header.", examples=["Idempotency-Key"])


class Problem(BaseModel):
    """What went wrong, after RFC 9457. Members that do not apply are left out."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str = Field(description="Names the kind of problem, for good.", pattern="^urn:problem-type:tunedrop:[a-z-]+$")
    title: str = Field(description="The kind of problem in words; the same for every problem of a type.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What is wrong with this request, and the way out.")
    instance: str = Field(description="The path that was asked for.")
    code: str = Field(description="The last part of `type`, as the records spell it.", pattern="^[a-z_]+$")
    request_id: str = Field(description="API Gateway's id of the request: name it when you ask for help.")
    job_id: str | None = Field(default=None, description="The job that the request is about.")
    errors: list[Fault] | None = Field(default=None, description="Each thing that is wrong with the request.")
    reason: str | None = Field(
        default=None, description="API Gateway's own words, where it refused the request itself."
    )
