"""Following a job to its end, for every command that can: `watch`, `submit --watch`, `retry --watch`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.going_on import going_on

if TYPE_CHECKING:
    from tunedrop.client.following import WaitView
    from tunedrop.client.job import Job

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Follow the job to its end, as watch does.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="Follow it no longer than this; it goes on.")
]


def hand_over(job: Job, *, watch: bool, timeout: float | None, as_json: bool) -> None:
    """What is printed of a job that was just made. Its id comes first, so that a script has it whatever happens."""
    from tunedrop.client.cli.output import as_document, on_terminal, print_json, print_line

    if as_json and not watch:
        print_json(as_document(job.record))
    if not as_json:
        print_line(job.job_id)
    if watch:
        follow(job, timeout=timeout, as_json=as_json)
    elif on_terminal() and not as_json:
        print_line(f"It goes on in the account. To follow it: tunedrop watch {job.job_id}")


def follow(job: Job, *, timeout: float | None, as_json: bool) -> None:
    """Prints the name to call the model by. Raises what says why there is none, and Interrupted for Ctrl-C."""
    from tunedrop.client.cli.output import as_document, on_terminal, print_json, print_line
    from tunedrop.client.job_words import name_to_call

    with going_on(f"tunedrop watch {job.job_id}", "the job"), _view(job, as_json=as_json) as view:
        endpoint = job.follow(view, timeout=timeout)
    if as_json:
        print_json(as_document(job.record))
    name = name_to_call(job.record, endpoint)
    if not as_json:
        print_line(f"Call the model as {name}" if on_terminal() else name)


def _view(job: Job, *, as_json: bool) -> AbstractContextManager[WaitView]:
    if as_json:
        from tunedrop.client.following import NoView

        return nullcontext(NoView())
    from tunedrop.client.cli.output import on_terminal
    from tunedrop.client.cli.watch_view import LinesView, LiveView

    if not on_terminal():
        return nullcontext(LinesView())
    points = job.metrics()
    return LiveView(
        (point.step, point.training_loss)
        for point in points
        if point.step is not None and point.training_loss is not None
    )
