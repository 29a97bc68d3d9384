"""Validate: what is said of a request at once, from the beginning of its files."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pytest

from tests.fakes.object_store import MemoryObjectStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.validation import Finding, Validation
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.validate import LOOKED_AT, ValidateRequest

TRAINING = "s3://data/train.jsonl"
VALIDATION = "s3://data/val.jsonl"


class Counted(MemoryObjectStore):
    """Counts the bytes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    @contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        with super().open(uri) as stream:
            inner = stream

            class Tap(io.RawIOBase):
                def read(tap, size: int = -1, /) -> bytes:  # noqa: N805
                    piece = inner.read(size)
                    self.read += len(piece)
                    return piece

            yield Tap()  # type: ignore[misc]


class Desk:
    def __init__(self) -> None:
        self.objects = Counted()
        self.workflow = MemoryWorkflow()
        accept = AcceptJob(workflow=self.workflow, inbox_bucket="the-inbox", readable_buckets=["data"])
        self.validate = ValidateRequest(objects=self.objects, accept=accept)

    def ask(self, *, upload: bool = False, **fields: Any) -> Validation:
        given = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": TRAINING, **fields}
        answer = self.validate(JobRequest(**given), upload=upload)
        assert answer.ok is (answer.problems_total == 0) is (not answer.problems)
        assert self.workflow.executions == []
        return answer

    def problem(self, **fields: Any) -> Finding:
        [found] = self.ask(**fields).problems
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def row(number: int, **changes: Any) -> bytes:
    question = {"role": "user", "content": f"What is {number}?"}
    answer = {"role": "assistant", "content": f"It is {number}."}
    return json.dumps({"messages": [question, answer], **changes}).encode() + b"\n"


def rows(count: int) -> bytes:
    return b"".join(map(row, range(count)))


BAD_ROW = row(7, messages=[{"role": "user", "content": "Hello?"}])


def test_a_small_file_is_looked_at_as_a_whole_and_priced(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(60))

    answer = desk.ask(hyperparameters={"epochs": 2})

    assert (answer.ok, answer.base_model) == (True, "gpt-4.1-mini-2025-04-14")
    [look] = answer.files
    assert (look.field, look.file, look.rows, look.format, look.whole) == (
        "training_file",
        "train.jsonl",
        60,
        "chat",
        True,
    )
    assert look.bytes == len(rows(60))
    assert answer.hyperparameters["n_epochs"] == 2
    assert answer.estimated_cost_low_usd is not None
    assert answer.estimated_cost_high_usd is not None
    assert 0 < answer.estimated_cost_low_usd <= answer.estimated_cost_high_usd


def test_of_a_long_file_only_the_beginning_is_looked_at(desk: Desk) -> None:
    content = rows(100_000)
    desk.objects.put(TRAINING, content)

    answer = desk.ask(max_cost_usd=0.000001)

    assert answer.ok
    [look] = answer.files
    assert look.rows == content[:LOOKED_AT].count(b"\n")
    assert (look.whole, look.bytes) == (False, len(content))
    assert desk.objects.read < 3 * LOOKED_AT
    assert answer.estimated_cost_high_usd is None


def test_what_is_behind_the_beginning_is_not_judged(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(2_000) + BAD_ROW)
    assert desk.ask().ok


@pytest.mark.parametrize("compressed", [False, True])
def test_a_bad_row_at_the_beginning_is_found_with_its_line(desk: Desk, compressed: bool) -> None:
    content = rows(3) + BAD_ROW + rows(100_000)
    desk.objects.put(TRAINING, gzip.compress(content, 1) if compressed else content)

    found = desk.problem()

    assert (found.code, found.field, found.file, found.line) == (
        "last_not_assistant",
        "training_file",
        "train.jsonl",
        4,
    )


def test_a_row_that_the_beginning_cuts_is_not_judged(desk: Desk) -> None:
    """The 64th KiB ends in the middle of a row, which is then no JSON."""
    content = rows(2_000)
    assert content[LOOKED_AT - 1 : LOOKED_AT] != b"\n"
    desk.objects.put(TRAINING, content)
    assert desk.ask().ok


def test_a_compressed_file_is_unpacked_no_further_than_its_beginning(desk: Desk) -> None:
    content = rows(100_000)
    desk.objects.put(TRAINING, gzip.compress(content))

    answer = desk.ask()

    [look] = answer.files
    assert look.rows == content[:LOOKED_AT].count(b"\n")
    assert not look.whole
    assert answer.notes == ("train.jsonl: The file was unpacked: it is sent uncompressed.",)


def test_a_file_that_begins_with_a_very_long_row_is_not_judged(desk: Desk) -> None:
    desk.objects.put(TRAINING, row(1, messages=["x" * 2 * LOOKED_AT]))
    answer = desk.ask(hyperparameters={"beta": 0.1})
    assert answer.ok
    assert answer.files == ()
    assert "no row ends within the first 64 KiB" in answer.notes[0]


def test_a_short_file_has_too_few_rows_and_a_long_one_is_not_counted(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(3))
    assert desk.problem().code == "rows_too_few"
    desk.objects.put(TRAINING, row(1, messages=json.loads(row(1))["messages"] * 300) * 5)
    assert desk.ask().ok


def test_few_rows_are_warned_of_in_a_whole_file_only(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(20))
    assert "20 rows, which is few" in " ".join(desk.ask().warnings)
    desk.objects.put(TRAINING, row(1, messages=json.loads(row(1))["messages"] * 300) * 5)
    assert "which is few" not in " ".join(desk.ask().warnings)


def test_a_file_of_another_kind_is_told_by_its_beginning(desk: Desk) -> None:
    desk.objects.put(TRAINING, b"PK\x03\x04" + b"x" * 200_000)
    assert desk.problem().code == "file_not_text"


def test_both_files_are_looked_at_whatever_is_wrong_with_one(desk: Desk) -> None:
    desk.objects.put(TRAINING, BAD_ROW * 150)

    answer = desk.ask(validation_file=VALIDATION)

    assert answer.problems_total == 151
    assert len(answer.problems) == 101
    missing = answer.problems[-1]
    assert (missing.code, missing.field, missing.file) == ("file_missing", "validation_file", "val.jsonl")


def test_a_missing_file_says_how_to_upload_it(desk: Desk) -> None:
    found = desk.problem(training_file="train.jsonl")
    assert found.code == "file_missing"
    assert "aws s3 cp train.jsonl s3://the-inbox/inbox/train.jsonl" in found.message
    assert "'upload' true" in found.message


def test_files_in_different_formats_are_found(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(60))
    desk.objects.put(VALIDATION, b'{"prompt": "How?", "completion": "So."}\n' * 10)
    assert desk.problem(validation_file=VALIDATION).code == "formats_differ"


def test_with_upload_the_files_are_not_looked_for(desk: Desk) -> None:
    desk.objects.put("s3://data/val.jsonl", rows(20))

    answer = desk.ask(upload=True, training_file="train.jsonl", validation_file=VALIDATION)

    assert answer.ok
    assert [look.field for look in answer.files] == ["validation_file"]
    assert answer.notes[0] == "train.jsonl was not looked at: it is to be uploaded."


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"model": "gpt-5.9"}, "Unknown openai model 'gpt-5.9'"),
        ({"training_file": "s3://secret/x.jsonl"}, "may not read"),
        ({"hyperparameters": {"epoch": 3}}, "Unknown hyperparameter 'epoch'"),
        ({"provider": "bedrock", "model": "nova-lite", "endpoint": EndpointRequest(kind="provisioned")}, "model_units"),
        ({"task_type": "CHAT_COMPLETION"}, "task_type"),
    ],
)
def test_what_is_wrong_with_the_request_itself_is_a_problem_too(
    desk: Desk, fields: dict[str, Any], problem: str
) -> None:
    desk.objects.put(TRAINING, rows(60))
    found = desk.problem(**fields)
    assert found.code == "request_invalid"
    assert problem in found.message


def test_hyperparameters_that_the_rows_do_not_take_are_a_problem(desk: Desk) -> None:
    desk.objects.put(TRAINING, rows(60))
    assert "for preference pairs only" in desk.problem(hyperparameters={"beta": 0.1}).message


def test_what_is_left_out_and_converted_is_said(desk: Desk) -> None:
    desk.objects.put(TRAINING, b"\n" + rows(60))

    answer = desk.ask(provider="bedrock", model="nova-lite", hyperparameters={"batch_size": 4})

    assert any("left out" in note and "batch" in note for note in answer.notes)
    assert "train.jsonl: Blank lines were left out: 1." in answer.notes


class TestCost:
    def test_a_whole_file_above_the_limit_is_a_problem(self, desk: Desk) -> None:
        desk.objects.put(TRAINING, rows(60))
        assert desk.problem(max_cost_usd=0.000001).code == "cost_limit"

    def test_a_limit_where_nobody_knows_the_price_is_a_problem_at_once(self, desk: Desk) -> None:
        desk.objects.put(TRAINING, rows(100_000))
        found = desk.problem(provider="databricks", model="llama-3.2-3b", max_cost_usd=5)
        assert (found.code, "price of this training is unknown" in found.message) == ("cost_limit", True)


def test_a_file_that_vanishes_meanwhile_is_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.objects.put(TRAINING, rows(60))

    def vanished(uri: str) -> Any:
        raise RequestInvalidError(f"{uri} does not exist, or may not be read.")

    monkeypatch.setattr(desk.objects, "open", vanished)
    assert "does not exist" in desk.problem().message
