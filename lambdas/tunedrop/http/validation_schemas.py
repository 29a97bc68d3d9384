"""How the answer to `validate_only` looks on the wire."""

from __future__ import annotations

from pydantic import Field

from tunedrop.domain.job import as_document
from tunedrop.domain.validation import Validation
from tunedrop.http.job_schemas import AnswerModel, Hyperparameters


class FindingView(AnswerModel):
    """One thing that is in the way."""

    code: str = Field(description="Of docs/errors.md, or of docs/training-data.md.")
    message: str = Field(description="What is wrong, and what to do.")
    field: str | None = Field(default=None, description="The field of the request that names the file.")
    file: str | None = None
    line: int | None = Field(default=None, description="From 1; null for what is wrong with the whole.")


class FileLookView(AnswerModel):
    """What was seen of one file."""

    field: str
    file: str
    bytes: int
    whole: bool = Field(description="False: only the beginning was looked at.")
    rows: int = Field(description="How many were checked.")
    format: str


class ValidationView(AnswerModel):
    """What can be said at once. Nothing was recorded, and no job exists."""

    ok: bool = Field(description="Whether nothing is in the way, as far as was looked.")
    problems: list[FindingView] = Field(default=[], description="The first hundred of each file.")
    problems_total: int = 0
    base_model: str | None = None
    files: list[FileLookView] = []
    hyperparameters: Hyperparameters = Field(default={}, description="What would be sent.")
    notes: list[str] = Field(default=[], description="What would be converted or left out.")
    warnings: list[str] = Field(default=[], description="What is allowed and probably not meant.")
    estimated_cost_low_usd: float | None = None
    estimated_cost_high_usd: float | None = None

    @classmethod
    def of(cls, validation: Validation) -> ValidationView:
        return cls.model_validate(as_document(validation))
