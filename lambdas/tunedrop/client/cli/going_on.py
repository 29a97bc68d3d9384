"""Ctrl-C in a command that only waits: the work goes on in the account, and the command says how to see it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tunedrop.client.cli.failures import Interrupted


@contextmanager
def going_on(command: str, what: str) -> Iterator[None]:
    """`what` goes on when it is interrupted here, and `command` shows it. Raises Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted, but {what} goes on: {command}") from None
