"""What the client warns of, as lines on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tunedrop.client.cli.printable import printable


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(f"warning: {printable(record.getMessage())}", file=sys.stderr)


@contextmanager
def warnings_shown() -> Iterator[None]:
    """`warning: …` each; without this Python would print them as they are, control characters and all."""
    logger, lines = logging.getLogger("tunedrop.client"), _Lines(logging.WARNING)
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
