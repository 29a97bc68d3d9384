"""How a command ends when it does not end well: one line on stderr, and an exit code that scripts can rely on."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from tunedrop.client.cli.printable import printable


class ExitCode(IntEnum):
    """Every command's; docs/cli.md explains them."""

    OK = 0
    UNUSABLE = 1
    """The data cannot be used, or costs more than allowed."""
    USAGE = 2
    """The command was called in a way that cannot work."""
    DEFECT = 70
    """A defect in Tunedrop."""
    INTERRUPTED = 130


class UsageError(typer.TyperException):
    """The command cannot begin, or go on: an unknown model, a file that cannot be read. The message says what to do."""

    exit_code = ExitCode.USAGE


class Commands(TyperGroup):
    """Prints every error as `error: …`, whether it was found by Typer or by us, so that all of them read alike."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except (typer.TyperException, typer.Abort) as error:
            if not standalone_mode:
                raise
            sys.exit(_complain(error))
        except Exception as error:
            if not standalone_mode:
                raise
            sys.exit(_confess(error))
        if not standalone_mode:
            return code
        if code == ExitCode.INTERRUPTED:
            print("\nerror: interrupted", file=sys.stderr)
        sys.exit(code or ExitCode.OK)


def _complain(error: typer.TyperException | typer.Abort) -> int:
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED
    message = printable(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message.rstrip('.')} (see {context.command_path} --help)"
    print(f"error: {message}", file=sys.stderr)
    return error.exit_code


def _confess(error: Exception) -> int:
    """Where it happened, without the error's message, which may hold training text."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    print(f"{frames}error: a defect in Tunedrop ({type(error).__name__}): please report it.", file=sys.stderr)
    return ExitCode.DEFECT
