"""The command `tunedrop`. Imports of what a command needs stand within it: `--help` and completion are quick."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from tunedrop.client.cli.failures import Commands, ExitCode
from tunedrop.client.cli.validate import validate

_ON_A_TERMINAL = sys.stdout is not None and sys.stdout.isatty()

app = typer.Typer(
    name="tunedrop",
    cls=Commands,
    rich_markup_mode="markdown" if _ON_A_TERMINAL else None,  # a pipe gets plain text, in a third of the time
    pretty_exceptions_enable=False,  # they would print local variables, training text among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="Check and price training data, offline.")(validate)


@app.callback(invoke_without_command=True)
def _commands(context: typer.Context) -> None:
    """Fine-tuning jobs at OpenAI, Amazon Bedrock and Databricks, from a file."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


def main() -> None:
    """The entry point. Ends the process: see `ExitCode`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may not fit the terminal's encoding
    app(prog_name="tunedrop")
