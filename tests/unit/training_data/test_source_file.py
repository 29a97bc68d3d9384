"""Which kind of file was dropped is told by its first bytes; a compressed one is unpacked, within bounds."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO, cast

import pytest

from tunedrop.domain.data_problems import ProblemCode
from tunedrop.training_data.problems import FileFormatError
from tunedrop.training_data.reading.source_file import RATIO_COUNTS_FROM, READ_BYTES, SourceFile

TEXT = b'{"prompt": "How fine?", "completion": "Seven."}\n' * 3_000


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a slow connection does."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = io.BytesIO(content)
        self._size = size

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(min(self._size, size))


def text_of(content: bytes) -> bytes:
    return b"".join(SourceFile(io.BytesIO(content)))


def refusal(content: bytes) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        text_of(content)
    return caught.value


@pytest.mark.parametrize("content", [b"", b"x", TEXT])
def test_text_passes_as_it_is(content: bytes) -> None:
    assert text_of(content) == content


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT, mtime=0), b"\xef\xbb\xbf" + TEXT])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_small_reads_change_nothing(content: bytes, size: int) -> None:
    file = SourceFile(cast(BinaryIO, Trickle(content, size)))
    pieces = list(file)
    assert b"".join(pieces) == TEXT
    assert file.bytes_in == len(content)
    assert max(map(len, pieces)) <= READ_BYTES
    assert len(pieces) < 10


@pytest.mark.parametrize("content", [TEXT, gzip.compress(b"\xef\xbb\xbf" + TEXT, mtime=0), b"\xef\xbb\xbf" + TEXT])
def test_a_byte_order_mark_is_taken_off_and_told_of(content: bytes) -> None:
    file = SourceFile(io.BytesIO(content))
    assert b"".join(file) == TEXT
    assert file.has_mark is (content != TEXT)


def test_compressed_files_are_unpacked_and_counted_as_they_are_stored() -> None:
    stored = gzip.compress(TEXT[:50_000]) + gzip.compress(TEXT[50_000:])
    file = SourceFile(io.BytesIO(stored))
    assert b"".join(file) == TEXT
    assert file.is_compressed
    assert file.bytes_in == len(stored)


PACKED = gzip.compress(TEXT)


@pytest.mark.parametrize(
    "content",
    [
        PACKED[:-9],
        PACKED[:-1],
        PACKED[:40] + bytes([PACKED[40] ^ 0xFF]) + PACKED[41:],
        PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
        PACKED + b"and then some",
        b"\x1f\x8b",
        b"\x1f\x8b and no more of it",
    ],
    ids=[
        "cut",
        "cut at the last byte",
        "a wrong byte",
        "a wrong checksum",
        "more after it",
        "a mark",
        "a wrong header",
    ],
)
def test_a_damaged_archive_is_an_error(content: bytes) -> None:
    assert refusal(content).code is ProblemCode.FILE_GZIP_BROKEN


def test_a_bomb_is_given_up_early() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"\n" * 1024 * 1024) for _ in range(300)) + packer.flush()
    pieces = iter(SourceFile(io.BytesIO(bomb)))
    read = 0
    with pytest.raises(FileFormatError) as caught:  # noqa: PT012 - it is the counting that ends
        while True:
            read += len(next(pieces))
    assert caught.value.code is ProblemCode.FILE_GZIP_BOMB
    assert read <= RATIO_COUNTS_FROM + READ_BYTES


def test_a_small_file_may_shrink_as_much_as_it_likes() -> None:
    assert text_of(gzip.compress(b"\n" * 1_000_000)) == b"\n" * 1_000_000


@pytest.mark.parametrize(
    "content",
    ["{}".encode("utf-16"), "{}".encode("utf-16-le"), "{}".encode("utf-16-be"), "{}".encode("utf-32"), b"\xff\xfe"],
)
def test_other_encodings_are_told_apart_from_rows(content: bytes) -> None:
    assert refusal(content).code is ProblemCode.FILE_UTF16


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"PK\x03\x04", "ZIP"),
        (b"PAR1", "Parquet"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (gzip.compress(b"PK\x03\x04", mtime=0), "ZIP"),
    ],
)
def test_other_kinds_of_files_are_called_by_their_name(start: bytes, word: str) -> None:
    error = refusal(start)
    assert error.code is ProblemCode.FILE_NOT_TEXT
    assert word in str(error)
