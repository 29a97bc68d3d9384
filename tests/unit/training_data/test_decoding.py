"""From a line to a row: how it is told what a row is, and what is said of a line that is none."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traced_memory import assert_peak_below
from tests.unit.training_data.bad_rows import BAD_FORMATS, BAD_LINES, BAD_SHAPES, said
from tests.unit.training_data.sample_rows import (
    CHAT,
    COMPLETION,
    CONVERSE,
    PAIR,
    RESPONSE,
    TOOLS,
    assistant,
    chat,
    line_of,
    user,
)
from tunedrop.domain.data_problems import ProblemCode
from tunedrop.training_data.problems import RowInvalidError
from tunedrop.training_data.rows.decoding import RowKind, decode, detect
from tunedrop.training_data.rows.nesting import MAX_DEPTH, depth
from tunedrop.training_data.rows.shapes import ChatRow


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (CHAT, RowKind.CHAT),
        (TOOLS, RowKind.CHAT),
        (COMPLETION, RowKind.COMPLETION),
        (RESPONSE, RowKind.COMPLETION),
        ({"completion": "Seven."}, RowKind.COMPLETION),
        (PAIR, RowKind.PREFERENCE),
        ({"input": {}, "non_preferred_output": []}, RowKind.PREFERENCE),
        (CONVERSE, RowKind.CONVERSE),
        ({"messages": [], "system": []}, RowKind.CONVERSE),
        ({"messages": [], "schemaVersion": ""}, RowKind.CONVERSE),
    ],
)
def test_the_keys_tell_the_format(row: object, kind: RowKind) -> None:
    assert detect(line_of(row)) is kind


@pytest.mark.parametrize(("row", "code", "words"), BAD_FORMATS)
def test_keys_that_do_not_tell_the_format_are_refused(row: object, code: ProblemCode, words: str) -> None:
    assert words in refusal(line_of(row), code)


def refusal(line: bytes, code: ProblemCode) -> str:
    """What `detect` says, or `decode` of the kind that it found; with the code."""
    with pytest.raises(RowInvalidError) as caught:
        decode(line, detect(line))
    assert caught.value.code is code
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    BAD_LINES,
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_a_line_that_is_no_row_is_said_to_be_what_it_is(line: bytes, code: ProblemCode, words: str) -> None:
    message = refusal(line, code)
    assert words in message
    assert message.endswith(")")
    assert len(message) < 200


@pytest.mark.parametrize("text", [b"\\ud83d\\ude00", b"\\\\ud800", b"\\u0000", b"\\u20ac", "😀€\u2028".encode()])
def test_what_json_allows_in_a_text_is_taken(text: bytes) -> None:
    row = decode(said(text), RowKind.CHAT)
    assert isinstance(row, ChatRow)
    assert row.messages[0].content == json.loads(b'"%s"' % text)


def test_brackets_in_a_text_are_no_nesting() -> None:
    line = line_of(chat(user('"[{' * 1000 + "\\"), assistant("[" * 1000)))
    assert depth(line) == 3
    assert decode(line, RowKind.CHAT)


def test_a_row_may_be_nested_as_deep_as_the_bound_and_no_deeper() -> None:
    def row(levels: int) -> bytes:
        inner = b'{"a":' * levels + b"1" + b"}" * levels
        tool = b'{"type":"function","function":{"name":"f","parameters":%s}}' % inner
        return b'{"messages":[],"tools":[%s]}' % tool

    deepest = row(MAX_DEPTH - 4)
    assert depth(deepest) == MAX_DEPTH
    assert decode(deepest, RowKind.CHAT)
    assert "more than 100 levels" in refusal(row(MAX_DEPTH - 3), ProblemCode.JSON_TOO_DEEP)


def test_a_line_of_brackets_takes_little_more_memory_than_the_line() -> None:
    line = b"[" * 4_000_000
    assert_peak_below(3 * len(line), lambda: refusal(line, ProblemCode.JSON_TOO_DEEP))


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_is_that_of_the_parsed_value(value: object) -> None:
    assert depth(json.dumps(value).encode()) == deepest_of(value)


def deepest_of(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(deepest_of, value), default=0) if isinstance(value, list) else 0


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    line = b'{"messages":[{"role":"user","content":"first","content":"last"}],"messages":%s}'
    row = decode(line % line_of([user("b")]), RowKind.CHAT)
    assert isinstance(row, ChatRow)
    assert [message.content for message in row.messages] == ["b"]
    assert row == decode(line_of(chat(user("b"))), RowKind.CHAT)


@pytest.mark.parametrize(("row", "code", "words"), BAD_SHAPES)
def test_a_row_of_the_wrong_shape_is_named_with_its_place_and_the_way_out(
    row: object, code: ProblemCode, words: str
) -> None:
    message = refusal(line_of(row), code)
    assert words in message
    assert message.endswith(")")
    assert len(message) < 200


def test_a_number_that_no_machine_holds_is_refused() -> None:
    tool = b'{"type":"function","function":{"name":"f","parameters":{"maximum":1e999}}}'
    assert "no machine holds" in refusal(b'{"messages":[],"tools":[%s]}' % tool, ProblemCode.TOOLS_INVALID)


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_row_or_are_refused(line: bytes) -> None:
    for kind in RowKind:
        with contextlib.suppress(RowInvalidError):
            assert decode(line, kind)
