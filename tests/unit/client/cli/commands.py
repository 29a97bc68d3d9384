"""The command line as tests run it: in this process, without a terminal, 80 columns wide."""

from __future__ import annotations

from pathlib import Path

import msgspec
from typer.testing import CliRunner, Result

from tunedrop.client.cli.app import app

_SURROUNDINGS = {"COLUMNS": "80", "FORCE_COLOR": None, "NO_COLOR": None, "TTY_COMPATIBLE": None}


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner(env=_SURROUNDINGS).invoke(
        app, [str(each) for each in arguments], input=stdin, prog_name="tunedrop", catch_exceptions=False
    )


def row(number: int = 0, *, answer: str = "It is in the box.", user: str = "user") -> bytes:
    messages = [
        {"role": user, "content": f"Where is part {number}?"},
        {"role": "assistant", "content": answer},
    ]
    return msgspec.json.encode({"messages": messages}) + b"\n"


def write_rows(path: Path, count: int = 12, *, bad_lines: tuple[int, ...] = ()) -> Path:
    """Chat rows that differ; those at `bad_lines` (from 1) have a role that nobody knows."""
    rows = (row(number, user="robot" if number in bad_lines else "user") for number in range(1, count + 1))
    path.write_bytes(b"".join(rows))
    return path
