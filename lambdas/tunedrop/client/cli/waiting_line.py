"""A line that says what is waited for, while it is waited for, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def waiting_line(doing: str) -> Iterator[None]:
    """Stands on stderr, and leaves nothing behind."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from tunedrop.client.cli.output import console

    with console(stderr=True).status(f"{doing} …"):
        yield
