"""The command `tunedrop`. Imports of what a command needs stand within it: `--help` and completion are quick."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from tunedrop.client.cli import endpoint
from tunedrop.client.cli.api_docs import api_docs
from tunedrop.client.cli.ask import ask
from tunedrop.client.cli.cancel import cancel
from tunedrop.client.cli.doctor import doctor
from tunedrop.client.cli.failures import Commands, ExitCode
from tunedrop.client.cli.jobs_list import list_jobs
from tunedrop.client.cli.plot import plot
from tunedrop.client.cli.report import report
from tunedrop.client.cli.retry import retry
from tunedrop.client.cli.show import show
from tunedrop.client.cli.submit import submit
from tunedrop.client.cli.validate import validate
from tunedrop.client.cli.watch import watch

_ON_A_TERMINAL = sys.stdout is not None and sys.stdout.isatty()


def _commands(name: str, help_text: str) -> typer.Typer:
    return typer.Typer(
        name=name,
        help=help_text,
        cls=Commands,
        rich_markup_mode="markdown" if _ON_A_TERMINAL else None,  # a pipe gets plain text, in a third of the time
        pretty_exceptions_enable=False,  # they would print local variables, training text among them
        context_settings={"help_option_names": ["-h", "--help"]},
    )


app = _commands("tunedrop", "Fine-tuning jobs at OpenAI, Amazon Bedrock and Databricks, from a file.")
app.command(short_help="Check and price training data, offline.")(validate)
app.command(short_help="Make a job of a training file.")(submit)
app.command("list", short_help="List the jobs, newest first.")(list_jobs)
app.command(short_help="Show a job.")(show)
app.command(short_help="Follow a job to its end.")(watch)
app.command(short_help="Cancel a job.")(cancel)
app.command(short_help="Train again, as a new job.")(retry)
app.command(short_help="Show what was found in a job's files.")(report)

endpoints = _commands("endpoint", "Start, stop or show what serves a job's model.")
endpoints.command(short_help="Serve the model of a job that succeeded.")(endpoint.start)
endpoints.command(short_help="Stop serving a job's model.")(endpoint.stop)
endpoints.command(short_help="Show what serves a job's model.")(endpoint.show)
app.add_typer(endpoints)

app.command(short_help="Ask the tuned model of a job.")(ask)
app.command(short_help="Draw the training loss of a job into a file.")(plot)
app.command("api-docs", short_help="Show the API in the browser, and try it.")(api_docs)
app.command(short_help="Check what Tunedrop needs, and say how to mend it.")(doctor)


@app.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


def main() -> None:
    """The entry point. Ends the process: see `ExitCode`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may not fit the terminal's encoding
    app(prog_name="tunedrop")
