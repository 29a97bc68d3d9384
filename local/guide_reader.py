"""Runs the blocks of docs/guide.md for one provider, as a reader would: in order, in one namespace, to the end.

A process of its own for each provider, since DSPy's settings are those of a process.
"""

from __future__ import annotations

import ast
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from local.guide_blocks import Block, GuidePageError, read_blocks
from local.guide_steps import STEPS, Reading
from local.guide_substitutions import Reader, substituted, substituted_kwargs

FAILED = "failed: "
"""How the last line of a run begins that did not come to the end of the page."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner tells this process."""

    reader: Reader
    page: str
    errors: str
    """The file that takes the warnings of the libraries, and the traceback of a failure."""


class BlockError(Exception):
    """A block failed; the message has its number, the line on the page, and the reason."""


def main(arguments: Sequence[str]) -> int:
    order = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Order)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # whoever follows the log reads whole lines
    with Path(order.errors).open("ab", buffering=0) as errors:
        os.dup2(errors.fileno(), sys.stderr.fileno())  # also what threads and libraries in C write
    try:
        run(order.reader, Path(order.page))
    except (BlockError, GuidePageError) as error:
        print(f"{FAILED}{error}")
        return 1
    return 0


def run(reader: Reader, page: Path) -> None:
    """Runs every block that is for the reader's provider. Raises BlockError or GuidePageError."""
    blocks = read_blocks(page)
    missing = STEPS.keys() - {block.section for block in blocks if not block.ours}
    if missing:
        raise GuidePageError(f"the page has no block under {', '.join(sorted(missing))}")
    reading = Reading(reader.provider, substituted_kwargs(reader, blocks), simulator=reader.simulator)
    for block in blocks:
        if block.runs_for(reader.provider):
            run_block(block, substituted(block, reader, blocks), reading, page)


def run_block(block: Block, tree: ast.Module, reading: Reading, page: Path) -> None:
    """Runs one block, as `tree`, with what is done around it. Raises BlockError."""
    started = time.monotonic()
    code = compile(tree, str(page), "exec")
    try:
        reading.run(block, lambda: exec(code, reading.names))  # noqa: S102 - this project's own page
    except Exception as error:
        traceback.print_exc()
        raise BlockError(f"block {block.number}, line {_line(error, block, page)}: {_reason(error)}") from error
    print(f"block {block.number} ran in {time.monotonic() - started:.1f} s: line {block.line}, {block.section}")


def _line(error: BaseException, block: Block, page: Path) -> int:
    """Where on the page it was raised; the block's first line when it was raised after the block."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == str(page)), block.line)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
