"""The fast engine against the slow reference: one verdict, the same lines, the same rows, for any file and model."""

from __future__ import annotations

import hashlib
import io
import json
import os
from typing import Any, BinaryIO, cast

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from tests.properties.hostile.case import CHAT, Stream, line_of
from tests.properties.reference import Verdict, judge
from tests.properties.strategies import KINDS, crowds, files
from tunedrop.domain.data_problems import ProblemCode
from tunedrop.domain.errors import DatasetInvalidError
from tunedrop.domain.models import ModelRules, find_model
from tunedrop.training_data.preparation import Preparation
from tunedrop.training_data.reading import source_file

THOROUGH = settings(
    max_examples=int(os.environ.get("TUNEDROP_PROPERTY_EXAMPLES", "400")),
    derandomize="CI" in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def with_few_rows(provider: str, name: str) -> ModelRules:
    """The rules of a model, but for the number of rows: so that both bounds are met by small files."""
    return msgspec.structs.replace(find_model(provider, name), min_rows=2, max_rows=5)


MODELS: dict[str, tuple[ModelRules, str | None]] = {
    "gpt-4o-mini": (with_few_rows("openai", "gpt-4o-mini"), None),
    "gpt-4.1": (with_few_rows("openai", "gpt-4.1"), None),
    "nova-lite": (with_few_rows("bedrock", "nova-lite"), None),
    "nova-2-lite": (with_few_rows("bedrock", "nova-2-lite"), None),
    "llama": (with_few_rows("databricks", "llama-3.2-3b"), None),
    "llama, chats": (with_few_rows("databricks", "llama-3.2-3b"), "CHAT_COMPLETION"),
    "llama, instructions": (with_few_rows("databricks", "llama-3.2-3b"), "INSTRUCTION_FINETUNE"),
}


class SeenLines:
    """As statistics see a file."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def add(self, first_line: int, lines: list[bytes]) -> None:
        assert first_line == len(self.lines) + 1
        self.lines += lines


@THOROUGH
@given(
    content=files(),
    step=st.integers(1, 40),
    block=st.integers(16, 600),
    declared=st.sampled_from((None, None, None, *KINDS)),
    role=st.sampled_from(("training", "training", "validation")),
)
@example(content=line_of(CHAT) * 3, step=1, block=64, declared=None, role="training")
def test_engine_and_reference_agree(content: bytes, step: int, block: int, declared: str | None, role: str) -> None:
    note(repr(content))
    for name, (model, task_type) in MODELS.items():
        note(name)
        verdict = judge(content, model, task_type=task_type, role=role, declared=declared)
        options: dict[str, Any] = {"task_type": task_type, "role": role, "format": declared}
        compare(verdict, io.BytesIO(content), model, options)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source_file, "READ_BYTES", block)
            compare(verdict, cast(BinaryIO, Stream([content], step=step)), model, options)
            seen = SeenLines()
            compare(verdict, io.BytesIO(content), model, {**options, "statistics": seen})
            if verdict.ok:
                assert [bool(line) for line in seen.lines].count(True) == verdict.rows
                assert len(seen.lines) == verdict.rows + verdict.blank_lines


@settings(THOROUGH, max_examples=THOROUGH.max_examples // 4)
@given(content=crowds(), block=st.sampled_from((256, 512, 2048, 65536)))
def test_they_agree_on_odd_rows_among_many_right_ones(content: bytes, block: int) -> None:
    note(repr(content))
    for name, (rules, task_type) in MODELS.items():
        note(name)
        model = msgspec.structs.replace(rules, max_rows=None)
        verdict = judge(content, model, task_type=task_type)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source_file, "READ_BYTES", block)
            compare(verdict, io.BytesIO(content), model, {"task_type": task_type})


def compare(verdict: Verdict, stream: BinaryIO, model: ModelRules, options: dict[str, Any]) -> None:
    preparation = Preparation(stream, name="train.jsonl", model=model, **options)
    prepared: list[bytes] = []
    try:
        prepared += preparation.chunks()
    except DatasetInvalidError as error:
        compare_problems(verdict, error)
        return
    assert verdict.ok, f"only the reference refuses: {verdict.problems}"
    compare_rows(verdict, b"".join(prepared), preparation)


def compare_problems(verdict: Verdict, error: DatasetInvalidError) -> None:
    found = [(problem.line, problem.code) for problem in error.problems]
    note(f"engine: {found}; reference: {verdict.problems}")
    if verdict.problems and verdict.problems[0][1] == {ProblemCode.FILE_GZIP_BROKEN}:
        # What could be unpacked of it may have been bad as well.
        assert found[-1] == (None, ProblemCode.FILE_GZIP_BROKEN)
        return
    assert error.total == len(verdict.problems)
    assert [line for line, _ in found] == [line for line, _ in verdict.problems]
    for (_, code), (_, codes) in zip(found, verdict.problems, strict=True):
        assert code in codes


def compare_rows(verdict: Verdict, prepared: bytes, preparation: Preparation) -> None:
    lines = prepared.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(verdict.prepared)
    for line, (as_it_was, document) in zip(lines, verdict.prepared, strict=True):
        assert json.loads(line) == document
        assert as_it_was is None or line == as_it_was
    summary = preparation.summary
    assert (summary.rows, summary.messages, summary.blank_lines) == (
        verdict.rows,
        verdict.messages,
        verdict.blank_lines,
    )
    assert (summary.bytes_out, summary.sha256) == (len(prepared), hashlib.sha256(prepared).hexdigest())
