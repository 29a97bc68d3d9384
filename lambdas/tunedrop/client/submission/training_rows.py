"""Training data as callers hand it over: rows, a file on this machine, or a file that is in S3 already."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from tunedrop.client.errors import TrainingDataError
from tunedrop.client.submission.s3_places import safe_name

Rows = Iterable[Mapping[str, Any]]
IN_MEMORY_BYTES = 8 * 1024 * 1024
"""More than this of rows stands in a temporary file."""
_MOST_PROBLEMS = 100
_GZIP_MARK = b"\x1f\x8b"


@dataclass(frozen=True)
class InS3:
    """Nothing has to be uploaded."""

    uri: str


@dataclass(frozen=True)
class Local:
    """To be uploaded. `stream` can be read again from its start."""

    stream: BinaryIO
    size: int
    """In bytes."""
    name: str
    """One that an upload may have."""
    shown: str
    """What it is called in an error: the argument, or the file's name."""
    is_rows: bool
    """Whether it was handed over as rows, so that a line of it is a row of the caller's."""


Data = InS3 | Local


@contextmanager
def opened(data: Rows | str | PathLike[str], *, argument: str) -> Iterator[Data]:
    """`argument` is what callers call it. Raises TrainingDataError where it cannot be read."""
    if isinstance(data, str | PathLike):
        text = fspath(data)
        if text.startswith("s3://"):
            yield InS3(text)
            return
        with _opened_file(text, argument) as stream:
            yield _local_file(stream, text)
        return
    if isinstance(data, bytes | Mapping) or not isinstance(data, Iterable):
        raise TrainingDataError(
            f"{argument} is a {type(data).__name__}, but must be a list of dicts, a path, or an s3:// URI."
        )
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        stream = cast(BinaryIO, spooled)
        _write_rows(data, stream, argument)
        size = stream.tell()
        stream.seek(0)
        yield Local(stream, size, f"{argument}.jsonl", argument, is_rows=True)


def _opened_file(path: str, argument: str) -> BinaryIO:
    if not path.isprintable() or path.lstrip().startswith("{") or not path:
        # It is not shown: it may be the rows themselves.
        raise TrainingDataError(f"{argument} is a text, but no path: hand rows over as a list of dicts.")
    reason = "it is no ordinary file (write the rows to one, or hand them over as a list)"
    try:
        file = Path(path).expanduser()
        if not stat.S_ISFIFO(file.stat().st_mode):  # to open one would wait for its other end
            return file.open("rb")
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise TrainingDataError(f"{argument}: {path[:200]} cannot be read: {reason}.")


def _local_file(stream: BinaryIO, path: str) -> Local:
    name = Path(path).name
    compressed = stream.read(len(_GZIP_MARK)) == _GZIP_MARK
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return Local(stream, size, safe_name(name, compressed=compressed), name[:200], is_rows=False)


def _write_rows(rows: Iterable[Any], stream: BinaryIO, argument: str) -> None:
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain)
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        try:
            stream.write(_line(row, encoder))
        except _RowError as error:
            problems.append(f"row {number}: {error}")
            if len(problems) == _MOST_PROBLEMS:
                break
    if problems:
        raise TrainingDataError(
            f"{argument} cannot be used. {problems[0]}" + (f" And {len(problems) - 1} more." if problems[1:] else ""),
            problems,
        )


class _RowError(Exception):
    """Says what is wrong with a row, without its text."""


def _line(row: Any, encoder: json.JSONEncoder) -> bytes:
    if not isinstance(row, Mapping):
        raise _RowError(f"it is a {type(row).__name__}, but must be a dict (such as {{'messages': […]}})")
    try:
        return (encoder.encode(dict(row)) + "\n").encode()
    except UnicodeEncodeError:
        raise _RowError("it holds half a character, a lone surrogate (decode the text again)") from None
    except (ValueError, RecursionError):
        raise _RowError("it holds NaN, Infinity or itself, which JSON has not (take it out)") from None
    except TypeError:
        raise _RowError("the names in it must be texts (change them)") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise _RowError(f"it holds a {type(value).__name__}, which JSON has not (write it as text, numbers, lists, dicts)")
