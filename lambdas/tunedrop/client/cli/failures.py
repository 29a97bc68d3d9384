"""How a command ends when it does not end well: one line on stderr, and an exit code that scripts can rely on."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from tunedrop.client.cli.printable import printable

if TYPE_CHECKING:
    from tunedrop.client.errors import TunedropError


class ExitCode(IntEnum):
    """Every command's; docs/cli.md explains them."""

    OK = 0
    UNUSABLE = 1
    """The data cannot be used or costs more than allowed; or what was waited for failed, or was cancelled."""
    USAGE = 2
    """The command was called in a way that cannot work."""
    REFUSED = 3
    """The API refused: no such job, not in this state, not for this caller."""
    UNREACHABLE = 4
    """Nothing can be called, or it gave no answer: no URL, no credentials, no network, a service in trouble."""
    TIMED_OUT = 5
    """It takes longer than was to be waited for; it goes on."""
    DEFECT = 70
    """A defect in Tunedrop."""
    INTERRUPTED = 130


class UsageError(typer.TyperException):
    """The command cannot begin, or go on: an unknown model, a file that cannot be read. The message says what to do."""

    exit_code = ExitCode.USAGE


class Ended(typer.TyperException):
    """What a command waited for did not end well; the message says how it ended."""

    exit_code = ExitCode.UNUSABLE


class Interrupted(typer.TyperException):
    """Ctrl-C, while something goes on elsewhere; the message says what, and how to follow it again."""

    exit_code = ExitCode.INTERRUPTED


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
            sys.exit(_explain(error))
        if not standalone_mode:
            return code
        if code == ExitCode.INTERRUPTED:
            print("\nerror: interrupted", file=sys.stderr)
        sys.exit(code or ExitCode.OK)


def _complain(error: typer.TyperException | typer.Abort) -> int:
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED
    if isinstance(error, Interrupted):
        print(file=sys.stderr)  # the terminal shows ^C on the line
    message = printable(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message.rstrip('.')} (see {context.command_path} --help)"
    print(f"error: {message}", file=sys.stderr)
    return error.exit_code


def _explain(error: Exception) -> int:
    """An error of the client in its own words, each problem of a file on a line of its own; any other is a defect."""
    from tunedrop.client.errors import TrainingDataError, TunedropError

    if not isinstance(error, TunedropError):
        return _confess(error)
    if isinstance(error, TrainingDataError):
        for problem in error.problems:
            print(printable(problem), file=sys.stderr)
    print(f"error: {printable(str(error))}", file=sys.stderr)
    return exit_code_of(error)


def exit_code_of(error: TunedropError) -> ExitCode:
    """Which way out there is: mend the data, the command, what the API names, or the connection."""
    from tunedrop.client import errors

    codes: tuple[tuple[tuple[type[TunedropError], ...], ExitCode], ...] = (
        ((errors.TrainingDataError,), ExitCode.UNUSABLE),
        ((errors.JobFailedError, errors.JobCancelledError, errors.EndpointFailedError), ExitCode.UNUSABLE),
        ((errors.TrainKwargsError,), ExitCode.USAGE),
        ((errors.WaitTimeoutError,), ExitCode.TIMED_OUT),
        ((errors.ConfigurationError, errors.ConnectionFailedError), ExitCode.UNREACHABLE),
        ((errors.UnavailableError, errors.UploadError), ExitCode.UNREACHABLE),
    )
    return next((code for kinds, code in codes if isinstance(error, kinds)), ExitCode.REFUSED)


def _confess(error: Exception) -> int:
    """Where it happened, without the error's message, which may hold training text."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    print(f"{frames}error: a defect in Tunedrop ({type(error).__name__}): please report it.", file=sys.stderr)
    return ExitCode.DEFECT
