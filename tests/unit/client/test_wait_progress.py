"""What is seen while a job is waited for."""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from tests.unit.client.pretended_time import BEGIN
from tunedrop.client.following import NoView
from tunedrop.client.records import EndpointRecord, JobRecord, ProgressRecord
from tunedrop.client.wait_progress import wait_progress

JOB_ID = "jzvdoef3b2g5cia5vwgy4ufrw7"


def job(status: str = "running", phase: str = "training", **more: Any) -> JobRecord:
    times: dict[str, Any] = {"created_at": BEGIN, "updated_at": BEGIN, "finished_at": BEGIN + timedelta(seconds=3723)}
    return JobRecord(job_id=JOB_ID, provider="bedrock", model="nova-lite", status=status, phase=phase, **times, **more)


def console(**options: Any) -> tuple[Console, io.StringIO]:
    shown = io.StringIO()
    return Console(file=shown, width=120, color_system=None, **options), shown


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> tuple[Console, io.StringIO]:
    monkeypatch.setenv("TERM", "xterm")
    return console(force_terminal=True)


def running(**progress: Any) -> JobRecord:
    return JobRecord(
        job_id=JOB_ID,
        provider="bedrock",
        model="nova-lite",
        status="running",
        phase="training",
        created_at=BEGIN,
        updated_at=BEGIN,
        progress=ProgressRecord(**progress),
    )


def interrupted(screen: Console) -> None:
    with wait_progress(console=screen) as view:
        view.job(running())
        raise KeyboardInterrupt


def test_a_terminal_shows_phase_step_loss_and_time(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with wait_progress(console=screen) as view:
        view.job(running(step=4, total_steps=90, training_loss=1.5525))
    text = shown.getvalue()
    for words in (JOB_ID, "running: training", "step 4/90", "loss 1.552", ":"):
        assert words in text


def test_steps_without_a_known_end_are_shown_as_they_are(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with wait_progress(True, console=screen) as view:
        view.job(running(step=4))
    assert "step 4 " in shown.getvalue()
    assert "loss" not in shown.getvalue()


def test_the_last_picture_has_the_end_and_how_long_it_took(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with wait_progress(console=screen) as view:
        view.job(job("succeeded", "done"))
        view.endpoint(EndpointRecord(job_id=JOB_ID, status="ready"))
    last = shown.getvalue().rpartition(JOB_ID)[2]
    assert "succeeded" in last
    assert "1:02:03" in last
    assert "endpoint: ready" in last


def test_a_terminal_that_was_interrupted_says_that_the_job_goes_on(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with pytest.raises(KeyboardInterrupt):
        interrupted(screen)
    assert f"The job goes on. Take it up again with Tunedrop().attach('{JOB_ID}')" in shown.getvalue()


def test_an_interruption_before_the_first_answer_shows_nothing(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with pytest.raises(KeyboardInterrupt), wait_progress(console=screen):
        raise KeyboardInterrupt
    assert "Job" not in shown.getvalue()


@pytest.mark.parametrize("progress", [None, True])
def test_on_a_pipe_there_is_nothing(progress: bool | None) -> None:
    pipe, shown = console()
    with wait_progress(progress, console=pipe) as view:
        view.job(running(step=4))
        view.endpoint(EndpointRecord(job_id=JOB_ID, status="ready"))
    assert shown.getvalue() == ""


def test_a_terminal_that_cannot_go_back_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    dumb, shown = console(force_terminal=True)
    with wait_progress(console=dumb) as view:
        view.job(running(step=4))
    assert shown.getvalue() == ""


def test_who_wants_to_see_nothing_sees_nothing(terminal: tuple[Console, io.StringIO]) -> None:
    screen, shown = terminal
    with wait_progress(False, console=screen) as view:
        view.job(running(step=4))
    assert shown.getvalue() == ""
    assert isinstance(view, NoView)


class Output:
    """What IPython's display() gives: one output of the cell, that is replaced."""

    def __init__(self) -> None:
        self.pictures: list[dict[str, str]] = []

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.pictures.append(data)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Output:
    """IPython as far as it is used: https://ipython.readthedocs.io/en/stable/api/generated/IPython.display.html."""
    output = Output()

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Output:
        assert raw
        assert display_id
        return output

    package, module = ModuleType("IPython"), ModuleType("IPython.display")
    vars(module)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return output


def test_a_notebook_shows_one_picture_that_changes(notebook: Output) -> None:
    cell, shown = console(force_jupyter=True)
    with wait_progress(console=cell) as view:
        view.job(running(step=4, total_steps=90, training_loss=1.5525))
        first = notebook.pictures[-1]
        view.job(job("succeeded", "done"))
        view.endpoint(EndpointRecord(job_id=JOB_ID, status="starting"))
    assert "step 4/90" in first["text/plain"]
    assert first["text/html"].startswith("<pre>")
    assert "step 4/90" in first["text/html"]
    last = notebook.pictures[-1]["text/plain"]
    assert "succeeded" in last
    assert "endpoint: starting" in last
    assert shown.getvalue() == ""


def test_a_notebook_that_was_interrupted_says_that_the_job_goes_on(notebook: Output) -> None:
    cell, _ = console(force_jupyter=True)
    with pytest.raises(KeyboardInterrupt):
        interrupted(cell)
    assert "The job goes on." in notebook.pictures[-1]["text/html"]


def test_what_a_stranger_named_is_no_markup_in_a_notebook(notebook: Output) -> None:
    cell, _ = console(force_jupyter=True)
    with wait_progress(console=cell) as view:
        view.job(job("running", "<script>alert(1)</script>"))
        view.endpoint(EndpointRecord(job_id=JOB_ID, status="[link=http://example.com]<b>ready</b>[/link]"))
    html = notebook.pictures[-1]["text/html"]
    assert "<script>" not in html
    assert "<b>" not in html
    assert "[link=" in html
