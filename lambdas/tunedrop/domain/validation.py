"""What can be said of a request at once, before there is a job: `validate_only` of `POST /v1/jobs`."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is in the way. `message` says what is wrong and what to do."""

    code: str
    """`file_missing`, or the code of an error (docs/errors.md) or a problem (docs/training-data.md)."""
    message: str
    field: str | None = None
    """The field of the request that names the file."""
    file: str | None = None
    line: int | None = None
    """From 1; None for what is wrong with the whole file, or the request."""


class FileLook(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one file that can be used so far."""

    field: str
    file: str
    bytes: int
    """As stored."""
    whole: bool
    """False: only the beginning was looked at, and nothing is said of the rest."""
    rows: int
    """How many were checked."""
    format: str


class Validation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer; nothing was recorded, and no job exists."""

    ok: bool
    """Whether nothing is in the way, as far as was looked."""
    problems: tuple[Finding, ...] = ()
    """The first hundred of each file."""
    problems_total: int = 0
    base_model: str | None = None
    """The provider's id of the model that would be trained."""
    files: tuple[FileLook, ...] = ()
    hyperparameters: dict[str, int | float | str] = {}
    """What would be sent, under the provider's names."""
    notes: tuple[str, ...] = ()
    """What would be converted or left out."""
    warnings: tuple[str, ...] = ()
    """What is allowed and probably not meant, or will matter later."""
    estimated_cost_low_usd: float | None = None
    estimated_cost_high_usd: float | None = None
    """None where the price is unknown, or only the beginning of the training file was looked at."""
