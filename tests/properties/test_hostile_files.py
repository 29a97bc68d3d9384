"""Whatever somebody drops: the right error at the right line, in bounded memory, and without a word of the rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, BinaryIO, cast

import pytest

from tests.properties.hostile.case import CANARY, HostileFile, Stream
from tests.properties.hostile_files import HOSTILE_FILES
from tests.properties.reference import Verdict, judge
from tunedrop.domain.data_problems import ProblemCode
from tunedrop.domain.errors import DatasetInvalidError
from tunedrop.training_data.preparation import Preparation
from tunedrop.training_data.problems import MAX_KEPT
from tunedrop.training_data.reading import source_file
from tunedrop.training_data.reading.source_file import READ_BYTES

BAD = [file for file in HOSTILE_FILES if file.code is not None and not file.large]
RIGHT = [file for file in HOSTILE_FILES if file.code is None]
LARGE = [file for file in HOSTILE_FILES if file.large]

MOST_MEMORY = 24 * 1024 * 1024
"""Bytes: the longest line that may be, twice, and what blocks and the first hundred problems take."""


def named(file: HostileFile) -> str:
    return file.name


def preparation_of(file: HostileFile, stream: Stream) -> Preparation:
    return Preparation(
        cast(BinaryIO, stream), name="train.jsonl", model=file.rules(), task_type=cast(Any, file.task_type)
    )


def refused(file: HostileFile, stream: Stream) -> DatasetInvalidError:
    with pytest.raises(DatasetInvalidError) as caught:
        for _ in preparation_of(file, stream).chunks():
            pass
    return caught.value


def expect_refusal(file: HostileFile, error: DatasetInvalidError) -> None:
    first = error.problems[0]
    assert (first.code, first.line, error.total) == (file.code, file.line, file.total)
    assert len(error.problems) == min(file.total, MAX_KEPT)
    for problem in error.problems:
        assert problem.file == "train.jsonl"
        assert CANARY not in problem.message
        assert len(problem.message) < 400
        assert problem.message.isprintable()


@pytest.mark.parametrize("file", BAD, ids=named)
def test_a_bad_file_gets_the_error_that_it_deserves(file: HostileFile) -> None:
    expect_refusal(file, refused(file, file.open()))


@pytest.mark.parametrize("file", [file for file in BAD if len(file.content()) < 20_000], ids=named)
def test_the_error_does_not_depend_on_how_the_file_is_cut(file: HostileFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for block, step in ((READ_BYTES, 1), (READ_BYTES, 4096), (64, 7), (200, 4096)):
        monkeypatch.setattr(source_file, "READ_BYTES", block)
        expect_refusal(file, refused(file, Stream(file.make(), step=step)))


@pytest.mark.parametrize("file", RIGHT, ids=named)
def test_a_file_that_only_looks_bad_passes(file: HostileFile) -> None:
    for step in (None, 1) if len(file.content()) < 20_000 else (None,):
        expect_rows(file, Stream(file.make(), step=step), times=1)


@pytest.mark.parametrize(
    "file", [file for file in RIGHT if file.few_rows and file.content().startswith(b"{")], ids=named
)
def test_it_passes_after_right_rows_too(file: HostileFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first block teaches is used for those that follow."""
    content = file.content().rstrip(b"\n") + b"\n"
    monkeypatch.setattr(source_file, "READ_BYTES", max(16, min(READ_BYTES, len(content) - 1)))
    expect_rows(file, Stream([content * 3]), times=3)


def expect_rows(file: HostileFile, stream: Stream, *, times: int) -> None:
    preparation = preparation_of(file, stream)
    prepared = b"".join(preparation.chunks())
    if file.prepared is not None:
        assert [json.loads(line) for line in prepared.split(b"\n")[:-1]] == list(file.prepared) * times
    assert preparation.summary.rows == times * (file.rows or len(file.prepared or ()))
    assert preparation.summary.rows == prepared.count(b"\n")


@pytest.mark.parametrize("file", LARGE, ids=named)
def test_a_large_file_gets_its_error_in_bounded_memory(file: HostileFile) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.properties.large_file_run", file.name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
        timeout=240,
    )
    answer = json.loads(run.stdout)
    assert (answer["code"], answer["line"], answer["total"]) == (file.code, file.line, file.total)
    assert CANARY not in answer["message"]
    assert answer["grown"] < MOST_MEMORY


@pytest.mark.parametrize("file", [*BAD, *RIGHT], ids=named)
def test_the_reference_says_the_same(file: HostileFile) -> None:
    verdict: Verdict = judge(file.content(), file.rules(), task_type=file.task_type)
    if file.code is None:
        assert verdict.ok
        assert verdict.rows == (file.rows or len(file.prepared or ()))
        if file.prepared is not None:
            assert [document for _, document in verdict.prepared] == list(file.prepared)
    else:
        line, codes = verdict.problems[0]
        assert (line, len(verdict.problems)) == (file.line, file.total)
        assert file.code in codes


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({file.name for file in HOSTILE_FILES}) == len(HOSTILE_FILES) >= 100
    reached = {file.code for file in HOSTILE_FILES} - {None}
    assert set(ProblemCode) - reached == {
        ProblemCode.FILE_TOO_LARGE,  # of 512 MB: see the tests of Preparation
        ProblemCode.FORMATS_DIFFER,  # of two files
    }
