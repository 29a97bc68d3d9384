"""What is allowed and probably not meant, or will matter later: one sentence each, with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunedrop.domain.model_rules import ModelRules
from tunedrop.training_data.report import BeyondContext, Duplicates, FileProblems, FileReport

ENOUGH_ROWS = 50
"""OpenAI's guide recommends to start with 50 good examples, and saw improvements from 50 to 100
(developers.openai.com/api/docs/guides/supervised-fine-tuning, "Right number of examples", read on 2026-11-22)."""


def warnings_of(
    model: ModelRules,
    training: FileReport | FileProblems | None,
    validation: FileReport | FileProblems | None,
    *,
    overlapping_rows: int | None,
) -> Iterator[str]:
    if model.shutdown_date is not None:
        yield (
            f"The provider shuts {model.model_id} down on {model.shutdown_date}: from that day neither it nor what was "
            "trained from it answers."
        )
    if isinstance(training, FileReport) and training.whole and training.rows < ENOUGH_ROWS:
        yield (
            f"{training.file} holds {_counted(training.rows, 'row')}, which is few: start with {ENOUGH_ROWS} good "
            "ones, as OpenAI's guide recommends for its models."
        )
    for file in (training, validation):
        if isinstance(file, FileReport):
            yield from _duplicates(file.file, file.duplicates)
            if file.beyond_context is not None:
                yield from _beyond_context(file.file, file.beyond_context)
    if overlapping_rows:
        yield (
            f"{_counted(overlapping_rows, 'row')} of the validation file {_is(overlapping_rows)} in the training file "
            "too: the validation loss will look better than it is. Take them out of one of the two."
        )


def _duplicates(file: str, duplicates: Duplicates) -> Iterator[str]:
    if duplicates.rows:
        line, earlier = duplicates.first[0]
        yield (
            f"{file}: {_counted(duplicates.rows, 'row')} {_repeat(duplicates.rows)} an earlier row; the first is line "
            f"{line}, which is the same as line {earlier}. Take them out, unless they are to count twice."
        )


def _beyond_context(file: str, beyond: BeyondContext) -> Iterator[str]:
    if beyond.rows:
        yield (
            f"{file}: {_counted(beyond.rows, 'row')} may have more than the {beyond.context_tokens:,} tokens that the "
            f"model reads of a row{_lines(beyond.first_lines, beyond.rows)}: what is beyond may be cut off. "
            "Shorten or split them."
        )


def _lines(lines: Sequence[int], total: int) -> str:
    if not lines:
        return ""
    shown = ", ".join(map(str, lines))
    return f" ({'line' if total == 1 else 'lines'} {shown}{', …' if total > len(lines) else ''})"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _repeat(number: int) -> str:
    return "repeats" if number == 1 else "repeat"
