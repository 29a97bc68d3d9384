"""A file as it is stored: which kind it is by its first bytes, unpacked where it is compressed, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from tunedrop.domain.data_problems import ProblemCode
from tunedrop.training_data.problems import FileFormatError

READ_BYTES = 96 * 1024
"""Above 128 KiB, the C library asks the kernel for the memory of each copy, which is slower than any parser."""

MAX_RATIO = 250
"""Rows shrink to a tenth, very uniform ones to a hundredth. Deflate's limit is 1,032."""
RATIO_COUNTS_FROM = 16 * 1024 * 1024
"""Unpacked bytes from which on the ratio is looked at."""

_UTF8_MARK = b"\xef\xbb\xbf"
_GZIP_MARK = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_MARKS = {
    b"PK\x03\x04": "a ZIP archive (unpack it; .jsonl and .jsonl.gz are taken)",
    b"PAR1": "a Parquet file (export it as JSON Lines)",
    b"%PDF": "a PDF document (write its text as rows)",
    b"\x89PNG": "an image (only text can be trained on here)",
    b"\xff\xd8\xff": "an image (only text can be trained on here)",
    b"BZh": "compressed with bzip2 (unpack it; .jsonl and .jsonl.gz are taken)",
    b"\xfd7zXZ\x00": "compressed with xz (unpack it; .jsonl and .jsonl.gz are taken)",
    b"\x28\xb5\x2f\xfd": "compressed with zstd (unpack it; .jsonl and .jsonl.gz are taken)",
}
_LONGEST_MARK = max(map(len, _OTHER_MARKS))


class SourceFile:
    """Iterates once over the text's bytes, without a byte order mark, in pieces of at most READ_BYTES.

    With `at_most`, a longer text ends with the last line that is whole within so many bytes, and no more is read.
    Raises FileFormatError for a file that is not UTF-8 text, and for a compressed one that is damaged, or a bomb.
    """

    def __init__(self, stream: BinaryIO, *, at_most: int | None = None) -> None:
        self._stored = _Counted(stream)
        self._at_most = at_most
        self.is_whole = True
        """False once the text turned out to be longer than `at_most`."""
        self.has_mark = False
        """Whether the text began with a UTF-8 byte order mark."""
        self.is_compressed = False

    @property
    def bytes_in(self) -> int:
        """What was read of the file as it is stored."""
        return self._stored.count

    def __iter__(self) -> Iterator[bytes]:
        return self._text() if self._at_most is None else self._beginning(self._at_most)

    def _beginning(self, at_most: int) -> Iterator[bytes]:
        beginning = b""
        for piece in self._text():
            beginning += piece
            if len(beginning) > at_most:
                self.is_whole = False
                beginning = beginning[: beginning.rfind(b"\n", 0, at_most) + 1]
                break
        if beginning:
            yield beginning

    def _text(self) -> Iterator[bytes]:
        pieces = _full_reads(self._stored)
        head = next(pieces, b"")
        if head.startswith(_GZIP_MARK):
            self.is_compressed = True
            pieces = self._unpacked(head)
            head = next(pieces, b"")
        _refuse_other_kinds(head)
        if head.startswith(_UTF8_MARK):
            self.has_mark = True
            head = head[len(_UTF8_MARK) :]
        if head:
            yield head
        yield from pieces

    def _unpacked(self, head: bytes) -> Iterator[bytes]:
        self._stored.put_back(head)
        unpacked = 0
        try:
            with gzip.GzipFile(fileobj=cast(BinaryIO, self._stored), mode="rb") as stream:
                for piece in _full_reads(cast(BinaryIO, stream)):
                    unpacked += len(piece)
                    if unpacked > RATIO_COUNTS_FROM and unpacked > MAX_RATIO * self._stored.count:
                        raise FileFormatError(
                            ProblemCode.FILE_GZIP_BOMB,
                            f"the file unpacks to over {MAX_RATIO} times its size (unpack it, and look what it is)",
                        )
                    yield piece
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FileFormatError(
                ProblemCode.FILE_GZIP_BROKEN,
                f"the file is damaged where it is compressed: {error} (was the upload cut off? Compress it again)",
            ) from error


class _Counted:
    """A stream that counts what was read of it, and takes its first bytes back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._head = b""
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
        else:
            piece = self._stream.read(size)
        self.count += len(piece)
        return piece

    def put_back(self, head: bytes) -> None:
        self._head = head
        self.count -= len(head)


def _full_reads(stream: BinaryIO | _Counted) -> Iterator[bytes]:
    """READ_BYTES at a time, whatever the stream gives at once: small pieces would cost time, and cut marks."""
    while piece := stream.read(READ_BYTES):
        if len(piece) < READ_BYTES:
            pieces, size = [piece], len(piece)
            while size < READ_BYTES and (more := stream.read(READ_BYTES - size)):
                pieces.append(more)
                size += len(more)
            piece = b"".join(pieces)
        yield piece


def _refuse_other_kinds(head: bytes) -> None:
    if head.startswith(_UTF16_MARKS) or b"\0" in head[:2]:
        raise FileFormatError(ProblemCode.FILE_UTF16, "the file is UTF-16 or UTF-32 (save it as UTF-8)")
    start = head[:_LONGEST_MARK]
    for mark, kind in _OTHER_MARKS.items():
        if start.startswith(mark):
            raise FileFormatError(ProblemCode.FILE_NOT_TEXT, f"the file is {kind}")
