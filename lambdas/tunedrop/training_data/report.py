"""What there is to say of a dataset before it is sent: the shape of `dataset` in report.json."""

from __future__ import annotations

from datetime import date

import msgspec

from tunedrop.domain.data_problems import Problem


class Quantiles(msgspec.Struct, frozen=True, kw_only=True):
    """Of a row's length: half of the rows are at most `p50` long, and so on."""

    p50: int
    p90: int
    p99: int
    longest: int


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one pass over the file (one epoch)."""

    tokens: int
    low: int
    high: int
    """`low` to `high` is the 95 % confidence interval of the estimate; equal to `tokens` where it is exact."""
    exact: bool
    """Every row was counted; otherwise a random sample of them."""
    sampled_rows: int
    tokenizer: str
    """By which the tokens were counted; a model with another tokenizer counts somewhat differently."""


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with the same bytes, as read, as an earlier row: they are sent with the same bytes too."""

    rows: int | None
    """None: not counted, the file has more lines than `limit`."""
    limit: int
    first: tuple[tuple[int, int], ...] = ()
    """(line, the earlier line that it repeats), the first ten."""


class BeyondContext(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that have, or may have, more tokens than the model reads of one row."""

    context_tokens: int
    rows: int
    first_lines: tuple[int, ...] = ()
    """The first ten."""


class FileReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="verdict", tag="usable"):
    file: str
    format: str
    """How the rows came in."""
    rows: int
    messages: int
    blank_lines: int
    bytes_in: int
    """As stored: of a compressed file, its compressed bytes."""
    bytes_out: int
    sha256: str
    """Of the prepared bytes, in hexadecimal."""
    row_bytes: Quantiles
    """As read."""
    row_tokens: Quantiles
    """Estimated from `row_bytes`."""
    tokens: TokenCount
    duplicates: Duplicates
    beyond_context: BeyondContext | None = None
    """None: the provider publishes no limit."""
    notes: tuple[str, ...] = ()
    """What was converted or left out, one sentence each."""
    whole: bool = True
    """False: only the beginning was looked at, and all that is said here is said of it."""


class FileProblems(msgspec.Struct, frozen=True, kw_only=True, tag_field="verdict", tag="unusable"):
    """A file that cannot be used: the first problems, and how many there are."""

    file: str
    problems: tuple[Problem, ...]
    problems_total: int


class PriceEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the training may cost, in US dollars."""

    low_usd: float
    high_usd: float
    epochs_low: int
    epochs_high: int
    """They differ where the provider chooses the number of epochs."""
    usd_per_million_tokens: float
    source: str
    checked: date


class DatasetReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that was found in a job's files. Written for bad files too: then `problems_total` is above 0."""

    provider: str
    base_model: str
    training: FileReport | FileProblems | None = None
    validation: FileReport | FileProblems | None = None
    overlapping_rows: int | None = None
    """Rows of the validation file that are in the training file too; None where it was not counted."""
    hyperparameters: dict[str, int | float | str] = {}
    """What will be sent, under the provider's names."""
    price: PriceEstimate | None = None
    """None: the price is unknown."""
    notes: tuple[str, ...] = ()
    """What was left out of the request, and why."""
    warnings: tuple[str, ...] = ()
    """What is allowed and probably not meant, or will matter later: one sentence each."""
