"""The files of a command: opened before any work begins, and written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tunedrop.client.cli.failures import UsageError
from tunedrop.client.cli.printable import printable

STANDARD_INPUT = "-"


def shown_name(file: str) -> str:
    """What a file is called in a report."""
    return "<stdin>" if file == STANDARD_INPUT else printable(file)


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """A file, or standard input. Raises UsageError where it cannot be opened."""
    if file == STANDARD_INPUT:
        if sys.stdin is None:
            raise UsageError("cannot read <stdin>: it is closed")
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below, outside of this try
    except (OSError, ValueError) as error:
        raise unreadable(file, error) from None
    with stream:
        yield stream


def unreadable(file: str, error: Exception) -> UsageError:
    return UsageError(f"cannot read {shown_name(file)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _status(stream: BinaryIO) -> os.stat_result | None:
    try:
        return os.fstat(stream.fileno())
    except (OSError, UnsupportedOperation):
        return None


def size_of(stream: BinaryIO) -> int | None:
    """In bytes; None for a pipe."""
    status = _status(stream)
    return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None


class OutputFile:
    """Stands under its name only once `keep()` was called; until then, and after a failure, nothing has changed there.

    Raises UsageError for one of the inputs, for what is no file, and where it cannot be written.
    """

    def __init__(self, file: str, *, inputs: tuple[BinaryIO, ...]) -> None:
        self._file = file
        self._target = Path(os.path.realpath(file))  # a link stays a link
        if self._target.exists():
            self._check(inputs)
        self._draft = self._target.with_name(f".tunedrop-{secrets.token_hex(8)}")
        try:
            self._stream = self._draft.open("xb")
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from None

    def _check(self, inputs: tuple[BinaryIO, ...]) -> None:
        there = self._target.stat()
        if not stat.S_ISREG(there.st_mode):
            raise UsageError(f"cannot write {shown_name(self._file)}: it is no ordinary file")
        if any(status and os.path.samestat(status, there) for status in map(_status, inputs)):
            raise UsageError(f"cannot write {shown_name(self._file)}: it is a file that is read (name another)")

    def _unwritable(self, error: Exception) -> UsageError:
        return UsageError(f"cannot write {printable(self._file)}: {_reason(error)}")

    def write(self, chunk: bytes) -> None:
        try:
            self._stream.write(chunk)
        except OSError as error:
            raise self._unwritable(error) from None

    def keep(self) -> None:
        try:
            self._stream.close()
            if self._target.exists():
                shutil.copymode(self._target, self._draft)
            self._draft.replace(self._target)
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # it writes what is buffered, which a full disk refuses
            self._stream.close()
        self._draft.unlink(missing_ok=True)
