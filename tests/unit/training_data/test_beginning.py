"""The beginning of a file: whole lines within a bound, plain or compressed, and no judgement on the rest."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training_data.sample_rows import GPT_4_1, assistant, chat, user
from tunedrop.domain.errors import DatasetInvalidError
from tunedrop.training_data.dataset import DatasetPreparation
from tunedrop.training_data.preparation import Preparation
from tunedrop.training_data.reading.source_file import SourceFile
from tunedrop.training_data.report import FileReport

LINE = json.dumps(chat(user(), assistant())).encode() + b"\n"


@given(
    st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=30),
    st.integers(min_value=1, max_value=300),
    st.booleans(),
)
def test_the_beginning_is_every_line_that_is_whole_within_the_bound(
    lines: list[bytes], at_most: int, compressed: bool
) -> None:
    text = b"x" + b"\n".join(lines)  # the first byte is no mark of another kind of file
    content = gzip.compress(text) if compressed else text
    file = SourceFile(io.BytesIO(content), at_most=at_most)

    beginning = b"".join(file)

    if len(text) <= at_most:
        assert beginning == text
        assert file.is_whole
    else:
        assert beginning == text[: text.rfind(b"\n", 0, at_most) + 1]
        assert not file.is_whole


def test_a_file_without_a_bound_is_whole() -> None:
    file = SourceFile(io.BytesIO(LINE * 5_000))
    assert b"".join(file) == LINE * 5_000
    assert file.is_whole


@pytest.mark.parametrize("compressed", [False, True])
def test_nothing_is_read_far_behind_the_bound(compressed: bool) -> None:
    text = LINE * 100_000
    stream = io.BytesIO(gzip.compress(text, 0) if compressed else text)
    assert len(b"".join(SourceFile(stream, at_most=1_000))) > 900
    assert stream.tell() < 300_000


def test_a_beginning_is_not_judged_by_its_number_of_rows() -> None:
    with pytest.raises(DatasetInvalidError, match="needs at least 10"):
        list(Preparation(io.BytesIO(LINE * 3), name="f", model=GPT_4_1, at_most=10_000).chunks())
    preparation = Preparation(io.BytesIO(LINE * 300), name="f", model=GPT_4_1, at_most=3 * len(LINE) + 5)
    assert b"".join(preparation.chunks()) == LINE * 3
    assert (preparation.summary.rows, preparation.summary.whole) == (3, False)


def test_a_report_says_that_it_saw_the_beginning_only_and_names_no_price() -> None:
    preparation = DatasetPreparation(GPT_4_1, hyperparameters={}, at_most=4 * len(LINE))
    list(preparation.chunks(io.BytesIO(LINE * 50), name="f", role="training"))

    report = preparation.report()

    assert isinstance(report.training, FileReport)
    assert (report.training.rows, report.training.whole) == (4, False)
    assert report.price is None
    assert not any("which is few" in warning for warning in report.warnings)


def test_a_beginning_without_a_whole_row_says_nothing() -> None:
    preparation = DatasetPreparation(GPT_4_1, hyperparameters={"beta": 0.2}, at_most=len(LINE) - 1)
    list(preparation.chunks(io.BytesIO(LINE * 50), name="f", role="training"))
    assert preparation.file("training") is None
    assert preparation.hyperparameters.sent["beta"] == 0.2
