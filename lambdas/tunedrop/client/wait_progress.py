"""Shows a job while it is waited for, in a terminal and in a notebook; on a pipe there is nothing to see."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tunedrop.client.following import NoView, WaitView
from tunedrop.client.job_words import how_to_attach, status_words

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from tunedrop.client.records import EndpointRecord, JobRecord

_STYLES = {"succeeded": "bold green", "failed": "bold red", "cancelled": "bold yellow"}
_NOTEBOOK_COLUMNS = 100
_BAR_COLUMNS = 40
_IN_A_NOTEBOOK = "<pre>{code}</pre>"


@contextmanager
def wait_progress(progress: bool | None = None, *, console: Console | None = None) -> Iterator[WaitView]:
    """The view to tell of what is seen; a silent one where `progress` is False or nobody could see it."""
    if progress is False:
        yield NoView()
        return
    from rich.console import Console  # only those who look at it wait for it

    console = console or Console(stderr=True)
    if console.is_jupyter:
        with _pictured(_NotebookView()) as view:
            yield view
    elif console.is_terminal and not console.is_dumb_terminal:
        with _pictured(_TerminalView(console)) as view:
            yield view
    else:
        yield NoView()


@contextmanager
def _pictured(view: _TerminalView | _NotebookView) -> Iterator[WaitView]:
    view.begin()
    try:
        yield view
    except KeyboardInterrupt:
        view.picture.interrupted = True
        raise
    finally:
        view.end()


class Picture:
    """The job as it was seen last, in two or three lines."""

    def __init__(self) -> None:
        self.job: JobRecord | None = None
        self.endpoint: EndpointRecord | None = None
        self.interrupted = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self.job is None:
            return
        from rich.columns import Columns
        from rich.text import Text  # as it is: what the API says is no markup

        yield Columns(list(self._first_line(self.job)), padding=(0, 2))
        if self.endpoint is not None and self.endpoint.status != "none":
            yield Text(f"endpoint: {self.endpoint.status}")
        if self.interrupted:
            yield Text(f"The job goes on. {how_to_attach(self.job.job_id)}")

    def _first_line(self, job: JobRecord) -> Iterator[RenderableType]:
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        yield Text(job.job_id)
        yield Text(status_words(job), style=_STYLES.get(job.status, "bold cyan"))
        progress = job.progress
        if progress is not None and progress.step is not None and not job.is_final:
            total = progress.total_steps
            if total:
                yield ProgressBar(total=total, completed=progress.step, width=_BAR_COLUMNS)
            yield Text(f"step {progress.step}/{total}" if total else f"step {progress.step}")
        if progress is not None and progress.training_loss is not None:
            yield Text(f"loss {progress.training_loss:.4g}")
        yield Text(_elapsed(job), style="dim")


class _TerminalView:
    """Redrawn in place, four times a second, so that the time goes on between two answers."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self.picture = Picture()
        self._live = Live(self.picture, console=console, refresh_per_second=4)

    def begin(self) -> None:
        self._live.start()

    def end(self) -> None:
        self._live.stop()

    def job(self, record: JobRecord) -> None:
        self.picture.job = record

    def endpoint(self, record: EndpointRecord) -> None:
        self.picture.endpoint = record


class _NotebookView:
    """One output of the cell, replaced with every answer. IPython's own display does it, without any widgets."""

    def __init__(self) -> None:
        self.picture = Picture()
        self._handle: Any = None

    def begin(self) -> None:
        self._handle = import_module("IPython.display").display({"text/plain": ""}, raw=True, display_id=True)

    def end(self) -> None:
        self._show()

    def job(self, record: JobRecord) -> None:
        self.picture.job = record
        self._show()

    def endpoint(self, record: EndpointRecord) -> None:
        self.picture.endpoint = record
        self._show()

    def _show(self) -> None:
        from rich.console import Console

        drawn = Console(file=io.StringIO(), record=True, width=_NOTEBOOK_COLUMNS, force_jupyter=False)
        drawn.print(self.picture)
        html = drawn.export_html(inline_styles=True, code_format=_IN_A_NOTEBOOK, clear=False)
        self._handle.update({"text/html": html, "text/plain": drawn.export_text()}, raw=True)


def _elapsed(job: JobRecord) -> str:
    """`1:02:03` since the job was made, as on the API's clock."""
    seconds = max(0, int(((job.finished_at or datetime.now(UTC)) - job.created_at).total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
