"""A whole file through the checks and the conversion: what passes, what comes out, and what is said of the rest."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from typing import Any, BinaryIO, Literal, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traced_memory import assert_peak_below
from tests.unit.training_data.bad_rows import BAD_LINES, BAD_ROWS
from tests.unit.training_data.sample_rows import (
    CHAT,
    COMPLETION,
    CONVERSE,
    GPT_4_1,
    GPT_4O,
    LLAMA,
    NOVA,
    NOVA_2,
    PAIR,
    REASONED,
    RESPONSE,
    TOOLS,
    anything_goes,
    assistant,
    chat,
    file_of,
    line_of,
    user,
)
from tunedrop.domain.data_problems import Problem, ProblemCode
from tunedrop.domain.errors import DatasetInvalidError, RequestInvalidError
from tunedrop.domain.models import MODELS, ModelRules
from tunedrop.training_data.preparation import Preparation, PreparedSummary
from tunedrop.training_data.rows.conversion import AS_CHAT, AS_CONVERSE

SMALL = 128 * 1024
"""More than a chunk holds of short rows."""


def prepare(content: bytes, model: ModelRules, **options: Any) -> tuple[bytes, PreparedSummary]:
    preparation = Preparation(io.BytesIO(content), name="train.jsonl", model=model, **options)
    prepared = b"".join(preparation.chunks())
    return prepared, preparation.summary


def problems_of(content: bytes, model: ModelRules, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(DatasetInvalidError) as caught:
        prepare(content, model, **options)
    return caught.value.problems


@pytest.mark.parametrize(
    ("model", "row", "messages", "kind"),
    [
        (GPT_4O, CHAT, 3, "chat"),
        (GPT_4O, TOOLS, 5, "chat"),
        (GPT_4_1, PAIR, 3, "preference"),
        (NOVA, CONVERSE, 2, "chat"),
        (NOVA_2, REASONED, 2, "chat"),
        (LLAMA, CHAT, 3, "chat"),
        (LLAMA, RESPONSE, 2, "completion"),
    ],
)
def test_a_file_in_the_providers_own_format_passes_byte_for_byte(
    model: ModelRules, row: dict[str, Any], messages: int, kind: str
) -> None:
    odd = json.dumps(row, separators=(" , ", " :  ")).encode() + b"  \n"
    content = odd + file_of(row, row)
    prepared, summary = prepare(content, anything_goes(model))
    assert prepared == content
    assert summary == PreparedSummary(
        rows=3,
        messages=3 * messages,
        blank_lines=0,
        bytes_in=len(content),
        bytes_out=len(content),
        format=cast(Literal["chat"], kind),
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.mark.parametrize(
    ("model", "row", "kind", "note"),
    [
        (GPT_4O, COMPLETION, "completion", f"{AS_CHAT}: 40."),
        (NOVA, CHAT, "chat", f"{AS_CONVERSE}: 40."),
        (NOVA, COMPLETION, "completion", f"{AS_CONVERSE}: 40."),
    ],
)
def test_other_rows_are_converted_and_the_notes_count_them(
    model: ModelRules, row: object, kind: str, note: str
) -> None:
    prepared, summary = prepare(file_of(*[row] * 40), anything_goes(model))
    assert len(set(prepared.splitlines())) == 1
    assert (summary.rows, summary.format, summary.notes) == (40, kind, (note,))
    assert prepare(prepared, anything_goes(model))[0] == prepared


def neighbour(row: object) -> dict[str, Any]:
    """A good row in the format of a bad one."""
    keys = set(row) if isinstance(row, dict) else set()
    if keys & {"preferred_output", "non_preferred_output"}:
        return PAIR
    if keys & {"schemaVersion", "system"}:
        return CONVERSE
    return COMPLETION if keys & {"prompt", "completion", "response"} else CHAT


@pytest.mark.parametrize(("model", "row", "code", "words"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_file_line_and_code(
    model: ModelRules, row: object, code: ProblemCode, words: str
) -> None:
    """Among rows that are good, and alone where the model takes none of the format."""
    good = b"" if code is ProblemCode.FORMAT_NOT_TAKEN else file_of(neighbour(row)) * 30
    content = good + b"\n" + file_of(row) + good
    [found] = problems_of(content, anything_goes(model))
    assert (found.code, found.file, found.line) == (code, "train.jsonl", good.count(b"\n") + 2)
    assert words in found.message
    assert str(found).startswith(f"train.jsonl:{found.line}: ")


@pytest.mark.parametrize(
    ("line", "code", "words"), BAD_LINES, ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None
)
def test_a_line_that_is_no_row_is_named_with_its_line_and_code(line: bytes, code: ProblemCode, words: str) -> None:
    good = file_of(CHAT) * 30
    [found] = problems_of(good + line + b"\n" + good, anything_goes(GPT_4O))
    assert (found.line, found.code) == (31, code)
    assert words in found.message


@pytest.mark.parametrize(
    ("content", "code", "line", "words"),
    [
        (b"", ProblemCode.FILE_EMPTY, None, "holds no rows"),
        (b"\n \n\r\n", ProblemCode.FILE_EMPTY, None, "holds no rows"),
        (b"\xef\xbb\xbf", ProblemCode.FILE_EMPTY, None, "holds no rows"),
        (b"[\n" + file_of(CHAT), ProblemCode.FILE_JSON_ARRAY, None, "a JSON array"),
        (b"\x1f\x8b\x08\x00abc", ProblemCode.FILE_GZIP_BROKEN, None, "compressed"),
        (gzip.compress(file_of(CHAT) * 20, mtime=0)[:-9], ProblemCode.FILE_GZIP_BROKEN, None, "compressed"),
        (json.dumps(CHAT).encode("utf-16"), ProblemCode.FILE_UTF16, None, "UTF-16"),
        (json.dumps(CHAT).encode("utf-16-be"), ProblemCode.FILE_UTF16, None, "UTF-16"),
        (b"PK\x03\x04" + bytes(40), ProblemCode.FILE_NOT_TEXT, None, "ZIP"),
        (file_of(*[CHAT] * 9), ProblemCode.ROWS_TOO_FEW, None, "9 rows, but gpt-4o-mini-2024-07-18 needs at least 10"),
        (file_of(*[CHAT] * 10) + b"x" * (8 * 1024 * 1024 + 1), ProblemCode.LINE_TOO_LONG, 11, "8 MiB"),
    ],
    ids=range(11),
)
def test_a_file_that_cannot_be_used_as_a_whole_says_why(
    content: bytes, code: ProblemCode, line: int | None, words: str
) -> None:
    [found] = problems_of(content, GPT_4O)
    assert (found.code, found.line) == (code, line)
    assert words in found.message


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_id)
def test_a_validation_file_may_be_shorter_than_a_training_file(model: ModelRules) -> None:
    assert prepare(file_of(CHAT), model, role="validation")[1].rows == 1
    assert problems_of(b"\n", model, role="validation")[0].code is ProblemCode.FILE_EMPTY


def test_a_compressed_file_is_the_same_file() -> None:
    content = file_of(*[CHAT] * 40)
    compressed = gzip.compress(content)
    prepared, summary = prepare(compressed, GPT_4O)
    assert prepared == content
    assert (summary.bytes_in, summary.bytes_out) == (len(compressed), len(content))


def test_a_mixed_file_is_refused_with_both_lines() -> None:
    found = problems_of(b"\n" + file_of(CHAT, COMPLETION, CHAT, RESPONSE), anything_goes(GPT_4O))
    assert [(each.line, each.code) for each in found] == [(3, ProblemCode.FORMAT_MIXED), (5, ProblemCode.FORMAT_MIXED)]
    assert "in the format completion, but line 2 is in chat" in found[0].message


def test_a_declared_format_is_that_of_the_first_row_too() -> None:
    assert prepare(file_of(COMPLETION), anything_goes(LLAMA), format="completion")[1].format == "completion"
    [found] = problems_of(file_of(COMPLETION), anything_goes(LLAMA), format="chat")
    assert (found.line, found.code) == (1, ProblemCode.FORMAT_MIXED)


def test_what_is_around_the_rows_is_mended_and_said() -> None:
    content = b"\xef\xbb\xbf" + file_of(CHAT).replace(b"\n", b"\r\n") + b"\r\n" + line_of(CHAT)
    prepared, summary = prepare(content, anything_goes(GPT_4O))
    assert prepared == file_of(CHAT, CHAT)
    assert (summary.rows, summary.blank_lines, summary.bytes_in) == (2, 1, len(content))
    said = " ".join(summary.notes)
    assert "Blank lines were left out: 1." in said
    assert "Line endings were written as LF in place of CR LF: 2." in said
    assert "The byte order mark at the beginning was left out." in said


def test_a_chat_cannot_be_an_instruction_task() -> None:
    [found] = problems_of(file_of(CHAT), LLAMA, task_type="INSTRUCTION_FINETUNE")
    assert found.code is ProblemCode.TASK_TYPE_MISFIT


@pytest.mark.parametrize(("model", "task_type"), [(GPT_4O, "CHAT_COMPLETION"), (NOVA, "X"), (LLAMA, "CHAT")])
def test_a_task_type_that_does_not_fit_is_refused(model: ModelRules, task_type: str) -> None:
    with pytest.raises(RequestInvalidError, match="task_type"):
        Preparation(io.BytesIO(), name="train.jsonl", model=model, task_type=task_type)


def test_of_many_problems_the_first_hundred_are_kept_and_all_are_counted() -> None:
    content = file_of(CHAT) + b"{}\n" * 3000
    with pytest.raises(DatasetInvalidError) as caught:
        prepare(content, anything_goes(GPT_4O))
    assert caught.value.total == 3000
    assert len(caught.value.problems) == 100
    assert caught.value.problems[99].line == 101
    assert "3,000 problems. The first: train.jsonl:2: " in str(caught.value)


def test_nothing_more_is_written_after_the_first_problem_but_every_row_is_checked() -> None:
    filler = file_of(*[CHAT] * 4000)
    content = io.BytesIO(filler + b"{}\n" + filler + b"{}\n")
    preparation = Preparation(content, name="train.jsonl", model=anything_goes(GPT_4O))
    written: list[bytes] = []
    with pytest.raises(DatasetInvalidError) as caught:
        written.extend(preparation.chunks())
    assert [problem.line for problem in caught.value.problems] == [4001, 8002]
    assert written
    assert filler.startswith(b"".join(written))
    with pytest.raises(RuntimeError):
        _ = preparation.summary


class Generated:
    """A file that is made while it is read, and never held."""

    def __init__(self, row: bytes, size: int) -> None:
        self._pieces = iter([row] * (size // len(row)))

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")


@pytest.mark.parametrize("model", [GPT_4O, NOVA, LLAMA], ids=lambda model: model.provider)
def test_memory_does_not_grow_with_the_file(model: ModelRules) -> None:
    """12 MB pass in chunks of at most 256 KiB, and in less than 2 MB, also when the hash waits for its turn."""
    unlimited = msgspec.structs.replace(model, max_rows=None)
    rows = file_of(chat(user("How fine? " * 40), assistant("Seven. " * 60))) * 32
    for _ in Preparation(cast(BinaryIO, Generated(rows, 100_000)), name="first", model=unlimited).chunks():
        pass  # what is made once is not counted

    def prepare_all() -> None:
        preparation = Preparation(cast(BinaryIO, Generated(rows, 12_000_000)), name="train.jsonl", model=unlimited)
        assert max(len(chunk) for chunk in preparation.chunks()) < 2 * SMALL
        assert preparation.summary.bytes_in > 11_000_000

    assert_peak_below(2_000_000, prepare_all)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_problems(content: bytes) -> None:
    with pytest.raises(DatasetInvalidError) as caught:
        prepare(content, GPT_4O)
    assert caught.value.total >= len(caught.value.problems) >= 1
