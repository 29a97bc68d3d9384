"""One file, from the user's rows to the provider's: a single pass, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

import msgspec

from tunedrop.domain.data_problems import ProblemCode
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.model_rules import ModelRules
from tunedrop.training_data.fast_lane.lane import FastLane
from tunedrop.training_data.figures.content_hash import ContentHash
from tunedrop.training_data.file_checks import FileRole, file_problems
from tunedrop.training_data.problems import FileFormatError, Problems, RowInvalidError
from tunedrop.training_data.reading.blocks import MAX_LINE_BYTES, Blocks
from tunedrop.training_data.reading.lines import LineStatistics, lines_of
from tunedrop.training_data.reading.source_file import SourceFile
from tunedrop.training_data.rows.careful_rows import CarefulRows
from tunedrop.training_data.rows.conversion import Converter
from tunedrop.training_data.rows.decoding import RowKind

FEW_LINES = 8
"""Of a block that the fast lane did not take: tried together before each of them alone."""


class PreparedSummary(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    messages: int
    blank_lines: int
    bytes_in: int
    """As stored: of a compressed file, its compressed bytes."""
    bytes_out: int
    format: Literal["chat", "completion", "preference"]
    """How the rows came in; rows in Bedrock's own format are chats."""
    sha256: str
    """Of the prepared bytes, in hexadecimal; empty where nobody asked for it."""
    notes: tuple[str, ...] = ()
    """What was converted or left out, one sentence each."""
    whole: bool = True
    """False: there is more in the file than was to be read of it."""


class Preparation:
    """Checks and converts one file for one model. Use once: read `chunks()` to its end, then ask for `summary`.

    `name` stands for the file in every problem. `format` is how the rows are written; None: as the first row is.
    `statistics` sees every line until the first problem. Without `hashed`, the summary has no hash.
    With `at_most`, only the lines are read that are whole within so many bytes of text; a longer file is not judged as
    a whole, by its number of rows or its size.
    Raises RequestInvalidError for a task type that does not fit.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        name: str,
        model: ModelRules,
        task_type: str | None = None,
        role: FileRole = "training",
        format: DataFormatName | None = None,  # noqa: A002 - the request's own field
        statistics: LineStatistics | None = None,
        hashed: bool = True,
        at_most: int | None = None,
    ) -> None:
        self._file = SourceFile(stream, at_most=at_most)
        self._blocks = Blocks(self._file)
        self._model = model
        self._task_type = task_type
        self._role = role
        self._statistics = statistics
        self._converter = Converter(model, task_type=task_type)
        self._careful = CarefulRows(model, self._converter, kind=None if format is None else RowKind(format))
        self._lane: FastLane | None = None
        self._problems = Problems(name)
        self._next_line = 1
        self._rows = self._messages = self._blank_lines = self._bytes_out = 0
        self._digest = ContentHash() if hashed else None
        self._summary: PreparedSummary | None = None

    @property
    def summary(self) -> PreparedSummary:
        """Raises RuntimeError before `chunks()` has ended well."""
        if self._summary is None:
            raise RuntimeError("chunks() has not been read to its end")
        return self._summary

    def chunks(self) -> Iterator[bytes]:
        """The prepared file in pieces; nothing more is yielded after the first problem, but every row is checked.

        Raises DatasetInvalidError at the end if a row, or the file as a whole, cannot be used.
        """
        try:
            yield from self._good_chunks()
        finally:
            if self._digest:
                self._digest.close()

    def _good_chunks(self) -> Iterator[bytes]:
        try:
            for block in self._blocks:
                prepared = self._too_long_line() if block is None else self._prepared(block)
                if prepared and not self._problems.total:
                    self._bytes_out += len(prepared)
                    if self._digest:
                        self._digest.update(prepared)
                    yield prepared
        except FileFormatError as error:
            self._problems.add(error)
        else:
            if self._file.is_whole:
                for problem in file_problems(self._model, role=self._role, rows=self._rows, bytes_out=self._bytes_out):
                    self._problems.add(problem)
        if self._problems.total:
            raise self._problems.error()
        self._summary = self._summarise()

    def _prepared(self, block: bytes) -> bytes:
        statistics = None if self._problems.total else self._statistics
        taken = self._lane.take(block) if self._lane else None
        if taken:
            count, prepared = taken.rows, taken.prepared
            self._rows += count
            self._messages += taken.messages
            if statistics:
                statistics.add(self._next_line, lines_of(block, count))
        else:
            lines = block.split(b"\n")
            lines.pop()  # what follows the last LF
            count, prepared = len(lines), b"".join(self._prepared_lines(lines))
            if statistics and not self._problems.total:
                statistics.add(self._next_line, lines)
        self._next_line += count
        if self._lane is None and self._careful.kind is not None:
            self._lane = FastLane(self._careful.kind, self._model, self._converter, task_type=self._task_type)
        return prepared

    def _prepared_lines(self, lines: list[bytes]) -> Iterator[bytes]:
        """A few at a time, so that a row in a hundred does not send all others the slow way. Empties blank lines."""
        for start in range(0, len(lines), FEW_LINES):
            few = lines[start : start + FEW_LINES]
            taken = self._lane.take(b"\n".join((*few, b""))) if self._lane else None
            if taken:
                self._rows += taken.rows
                self._messages += taken.messages
                yield taken.prepared
                continue
            for index, line in enumerate(few, start):
                if not line or line.isspace():
                    self._blank_lines += 1
                    lines[index] = b""
                else:
                    yield self._prepared_row(line, self._next_line + index)

    def _prepared_row(self, line: bytes, number: int) -> bytes:
        self._rows += 1
        taken = self._lane.take(line + b"\n") if self._lane else None
        if taken:
            self._messages += taken.messages
            return taken.prepared
        try:
            row = self._careful.prepare(line, number)
        except RowInvalidError as error:
            self._problems.add(error, line=number)
            return b""
        self._messages += row.messages
        return row.prepared + b"\n"

    def _too_long_line(self) -> bytes:
        limit = MAX_LINE_BYTES // (1024 * 1024)
        error = RowInvalidError(
            ProblemCode.LINE_TOO_LONG, f"the line is longer than {limit} MiB (split it; a row is one example)"
        )
        self._problems.add(error, line=self._next_line)
        self._rows += 1
        self._next_line += 1
        return b""

    def _summarise(self) -> PreparedSummary:
        notes = list(self._converter.notes)
        if self._blank_lines:
            notes.append(f"Blank lines were left out: {self._blank_lines}.")
        if self._blocks.windows_endings:
            notes.append(f"Line endings were written as LF in place of CR LF: {self._blocks.windows_endings}.")
        if self._file.has_mark:
            notes.append("The byte order mark at the beginning was left out.")
        if self._file.is_compressed:
            notes.append("The file was unpacked: it is sent uncompressed.")
        return PreparedSummary(
            rows=self._rows,
            messages=self._messages,
            blank_lines=self._blank_lines,
            bytes_in=self._file.bytes_in,
            bytes_out=self._bytes_out,
            format=_format(self._careful.kind),
            sha256=self._digest.hexdigest() if self._digest else "",
            notes=tuple(notes),
            whole=self._file.is_whole,
        )


def _format(kind: RowKind | None) -> Literal["chat", "completion", "preference"]:
    if kind is RowKind.COMPLETION:
        return "completion"
    return "preference" if kind is RowKind.PREFERENCE else "chat"
