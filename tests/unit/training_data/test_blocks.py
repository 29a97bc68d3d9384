"""Lines come out of a stream whole, in order and in bounded memory, wherever the pieces of the stream are cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traced_memory import assert_peak_below
from tunedrop.training_data.reading.blocks import MAX_LINE_BYTES, Blocks

LIMIT = 8
MIB = 1024 * 1024


def lines_of(pieces: list[bytes], limit: int = LIMIT) -> list[bytes | None]:
    """Every line without its ending; None for one that is too long."""
    found: list[bytes | None] = []
    for block in Blocks(pieces, max_line_bytes=limit):
        if block is None:
            found.append(None)
        else:
            assert block.endswith(b"\n")
            found += block.split(b"\n")[:-1]
    return found


def expected(content: bytes, limit: int = LIMIT) -> list[bytes | None]:
    lines = content.split(b"\n")
    last = lines.pop()
    return [None if len(line) > limit else line.removesuffix(b"\r") for line in [*lines, *([last] if last else [])]]


@given(st.lists(st.text("ab\n\r", min_size=1, max_size=LIMIT).map(str.encode), max_size=12))
def test_lines_are_the_same_wherever_the_pieces_are_cut(pieces: list[bytes]) -> None:
    assert lines_of(pieces) == expected(b"".join(pieces))


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT, LIMIT + 1])
@pytest.mark.parametrize("ending", [b"\n", b""])
def test_the_limit_is_the_last_length_that_passes(length: int, ending: bytes) -> None:
    content = b"x" * length + ending
    pieces = [content[index : index + 3] for index in range(0, len(content), 3)]
    assert lines_of([*pieces, b"y\n"] if ending else pieces)[0] == (b"x" * length if length <= LIMIT else None)


def test_lines_around_one_that_is_too_long_are_kept() -> None:
    assert lines_of([b"a\nbbbb", b"bbbbbb", b"\nc\nd"]) == [b"a", None, b"c", b"d"]


def test_windows_line_endings_are_counted_and_other_carriage_returns_kept() -> None:
    blocks = Blocks([b"a\r\nb\rb\n\r\n", b"c\r", b"\nd"])
    assert b"".join(block or b"" for block in blocks) == b"a\nb\rb\n\nc\nd\n"
    assert blocks.windows_endings == 3


def test_a_line_that_never_ends_takes_no_more_memory_than_one_that_may_pass() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1_600):
            yield b"x" * 64 * 1024

    def read() -> None:
        assert list(Blocks(endless())) == [None]

    assert_peak_below(MAX_LINE_BYTES + MIB, read)
