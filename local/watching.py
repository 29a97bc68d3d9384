"""Shows the life of jobs as it happens: one line a job, read from their records."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunedrop.domain.job import Job, JobStatus
from tunedrop.domain.ports import JobStore

LOOK_SECONDS = 0.4
_COLOURS = {JobStatus.SUCCEEDED: "green", JobStatus.FAILED: "red", JobStatus.CANCELLED: "yellow"}


class WatchError(Exception):
    """The jobs did not end in time; the message says where each of them is."""


def watch(
    store: JobStore,
    job_ids: Sequence[str],
    console: Console,
    *,
    seconds: float,
    names: Mapping[str, str] | None = None,
    seen: Callable[[Job], None] | None = None,
) -> list[Job]:
    """The jobs, ended. In a terminal the lines move; elsewhere each change of phase is a line of its own.

    A job is called by its provider's name, or as `names` says of its id. `seen` is given each job at each look.
    Raises WatchError after `seconds`.
    """
    names = names or {}
    started = time.monotonic()
    shown: dict[str, str] = {}
    with Live(console=console, refresh_per_second=8, transient=False, auto_refresh=console.is_terminal) as live:
        while True:
            jobs = [store.get(job_id) for job_id in job_ids]
            elapsed = time.monotonic() - started
            if seen is not None:
                for job in jobs:
                    seen(job)
            if console.is_terminal:
                live.update(_lines(jobs, elapsed, names))
            else:
                _print_changes(jobs, elapsed, names, shown, console)
            if all(job.is_final for job in jobs):
                return jobs
            if elapsed > seconds:
                where = ", ".join(f"{job.provider} is {job.phase} ({job.last_error or 'no trouble'})" for job in jobs)
                raise WatchError(f"After {seconds:.0f} s not every job has ended: {where}.")
            time.sleep(LOOK_SECONDS)


def _lines(jobs: Sequence[Job], elapsed: float, names: Mapping[str, str]) -> Table:
    """At most 80 columns."""
    table = Table.grid(padding=(0, 2))
    for job in jobs:
        table.add_row(
            f"  {names.get(job.job_id, job.provider)}",
            Text(_phase(job), style=_COLOURS.get(job.status, "cyan")),
            ProgressBar(total=1.0, completed=_done(job), width=14),
            f"{_seconds(job, elapsed):4.1f} s",
            _loss(job),
        )
    return table


def _done(job: Job) -> float:
    """How much of the training is over, from 0 to 1; 0 where the provider does not say."""
    if job.status is JobStatus.SUCCEEDED:
        return 1.0
    if job.progress is None or not job.progress.total_steps:
        return 0.0
    return (job.progress.step or 0) / job.progress.total_steps


def _print_changes(
    jobs: Sequence[Job], elapsed: float, names: Mapping[str, str], shown: dict[str, str], console: Console
) -> None:
    for job in jobs:
        if shown.get(job.job_id) != _phase(job):
            shown[job.job_id] = _phase(job)
            name = names.get(job.job_id, job.provider)
            console.print(f"  {_seconds(job, elapsed):5.1f} s  {name:<11}{_phase(job):<16}{_loss(job)}".rstrip())


def _phase(job: Job) -> str:
    return job.status.value if job.is_final else job.phase.value


def _seconds(job: Job, elapsed: float) -> float:
    return (job.finished_at - job.created_at).total_seconds() if job.finished_at else elapsed


def _loss(job: Job) -> str:
    """Only what the provider says: Bedrock names no total."""
    if job.progress is None or job.progress.training_loss is None:
        return ""
    step, total = job.progress.step, job.progress.total_steps
    steps = "" if step is None else f"step {step}/{total}  " if total else f"step {step}  "
    return f"{steps}loss {job.progress.training_loss:.3f}"
