"""A bar for files that take a while: bytes read of the file's size, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

LARGE_BYTES = 20 * 1024 * 1024
"""Smaller files are read before anybody could look at a bar."""


@contextmanager
def with_progress(stream: BinaryIO, *, name: str, size: int | None) -> Iterator[BinaryIO]:
    """The same stream; while it is read, a bar stands on stderr, and leaves nothing behind."""
    if size is None or size < LARGE_BYTES or not sys.stderr.isatty():
        yield stream
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=30)),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress.wrap_file(stream, total=size, description=name.rpartition("/")[2])
