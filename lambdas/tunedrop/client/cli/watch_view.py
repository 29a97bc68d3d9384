"""A job as it goes on: redrawn in place on a terminal, a line for each change in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tunedrop.client.cli.loss_chart import HEIGHT, loss_chart
from tunedrop.client.cli.output import console, print_line
from tunedrop.client.cli.printable import printable
from tunedrop.client.cli.record_view import progress_words, status_words
from tunedrop.client.cli.times import span

if TYPE_CHECKING:
    from tunedrop.client.records import EndpointRecord, JobRecord

_STYLES = {"succeeded": "bold green", "failed": "bold red", "cancelled": "bold yellow"}
_OTHER_LINES = 7
"""Of a terminal: what stands around the chart."""
_LOWEST_CHART = 6


class LinesView:
    """Time, status, phase and progress between tabs; the same twice is said once."""

    def __init__(self) -> None:
        self._last: tuple[str, ...] = ()

    def job(self, record: JobRecord) -> None:
        self._say(record.updated_at, record.status, record.phase, progress_words(record.progress))

    def endpoint(self, record: EndpointRecord) -> None:
        if record.status != "none":
            self._say(record.updated_at, "endpoint", record.status)

    def _say(self, at: datetime | None, *words: str) -> None:
        if words != self._last:
            self._last = words
            moment = (at or datetime.now(UTC)).astimezone(UTC)
            print_line(f"{moment:%Y-%m-%dT%H:%M:%SZ}", *words)


class LiveView:
    """Status, progress and the loss, on a terminal; the last picture stays."""

    def __init__(self, losses: Iterable[tuple[int, float]]) -> None:
        self._losses = dict(losses)
        self._job: JobRecord | None = None
        self._endpoint: EndpointRecord | None = None
        self._live = Live(self, console=console(), refresh_per_second=2)

    def job(self, record: JobRecord) -> None:
        self._job = record
        progress = record.progress
        if progress is not None and progress.step is not None and progress.training_loss is not None:
            self._losses[progress.step] = progress.training_loss
        self._live.refresh()

    def endpoint(self, record: EndpointRecord) -> None:
        self._endpoint = record
        self._live.refresh()

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self._job is not None:
            yield Group(*self._lines(self._job))
            yield from self._chart(terminal, options)
        if self._endpoint is not None and self._endpoint.status != "none":
            yield Text.assemble("endpoint: ", (self._endpoint.status, "bold"))

    def _lines(self, job: JobRecord) -> Iterator[RenderableType]:
        name = f"  {job.job_name}" if job.job_name else ""
        yield Text(job.job_id, style="bold")
        yield Text(printable(f"{job.provider}/{job.model}{name}"))
        took = span((job.finished_at or datetime.now(UTC)) - job.created_at)
        yield Text.assemble((status_words(job.status, job.phase), _STYLES.get(job.status, "bold cyan")), f"  {took}")
        if words := progress_words(job.progress):
            yield Text(words)
        if job.progress is not None and job.progress.step is not None and job.progress.total_steps:
            row = Table.grid()  # a bar alone does not end its line
            row.add_row(ProgressBar(total=job.progress.total_steps, completed=job.progress.step, width=60))
            yield row
        if job.last_error is not None and job.finished_at is None:
            yield Text(printable(f"trouble, the job goes on: {job.last_error}"), style="yellow")

    def _chart(self, terminal: Console, options: ConsoleOptions) -> Iterator[Text]:
        height = min(HEIGHT, terminal.height - _OTHER_LINES)
        if height < _LOWEST_CHART or options.ascii_only:
            return
        chart = loss_chart(sorted(self._losses.items()), width=min(options.max_width, 100), height=height)
        if chart:
            yield Text(chart, no_wrap=True)
