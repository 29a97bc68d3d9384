"""`tunedrop plot`: the picture of a job's training loss, and what is said where there is none to draw."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from matplotlib import image

from tests.api.states import state
from tests.builders import CREATED, job_in
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import Stack
from tunedrop.client.cli import plot as command
from tunedrop.client.cli.loss_picture import loss_picture
from tunedrop.domain.job import Job, Phase, Progress, job_id_from

LOSSES = [(4, 2.1), (8, 1.4), (12, 0.9), (16, 0.6)]


def train(stack: Stack, losses: Sequence[tuple[int, float | None]] = LOSSES, **changes: Any) -> str:
    """A job in training whose provider has told of these losses, one after the other; its id."""
    job = msgspec.structs.replace(job_in(Phase.TRAINING), job_id=job_id_from("plot", str(losses)), **changes)
    stack.hold(msgspec.structs.replace(job, progress=None))
    for number, (step, loss) in enumerate(losses, start=1):
        _tell(stack, job.job_id, Progress(step=step, total_steps=24, training_loss=loss), number)
    return job.job_id


def _tell(stack: Stack, job_id: str, progress: Progress, number: int) -> None:
    def with_progress(job: Job) -> Job:
        at = CREATED + timedelta(minutes=number)
        return msgspec.structs.replace(job, progress=progress, updated_at=at, version=job.version + 1)

    stack.account.jobs.change(job_id, with_progress)


def words_in(picture: Path) -> str:
    """Of an SVG."""
    texts = ElementTree.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}text")  # noqa: S314  # our own
    return "\n".join("".join(text.itertext()) for text in texts)


@pytest.mark.parametrize(
    ("name", "beginning"), [("loss.png", b"\x89PNG"), ("loss.SVG", b"<?xml"), ("loss.pdf", b"%PDF")]
)
def test_the_ending_says_which_kind_of_picture(stack: Stack, tmp_path: Path, name: str, beginning: bytes) -> None:
    picture = tmp_path / name
    result = run("plot", train(stack), "-o", picture)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{picture}: 4 points\n"
    assert picture.read_bytes().startswith(beginning)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_it_is_titled_with_job_and_model_and_its_axes_are_named(stack: Stack, tmp_path: Path) -> None:
    picture = tmp_path / "loss.svg"
    job_id = train(stack)
    assert run("plot", job_id, "-o", picture).exit_code == 0
    words = words_in(picture)
    for wanted in (f"Job {job_id}", "openai/gpt-4.1-mini", "Step", "Training loss"):
        assert wanted in words


def test_the_curve_falls_where_the_loss_does() -> None:
    falling, rising = (
        image.imread(_file(loss_picture(curve, title="t", kind="png")))
        for curve in ([(1, 2.0), (2, 1.0)], [(1, 1.0), (2, 2.0)])
    )
    for picture, first_is_higher in ((falling, True), (rising, False)):
        blue: Any = (picture[..., 2] > 0.5) & (picture[..., 0] < 0.3)
        columns = blue.any(axis=0).nonzero()[0]
        left, right = (blue[:, columns[place]].nonzero()[0].mean() for place in (0, -1))
        assert bool(left < right) is first_is_higher  # rows count from the top


def _file(content: bytes) -> Any:
    from io import BytesIO

    return BytesIO(content)


def test_the_same_curve_gives_the_same_picture() -> None:
    for kind in ("png", "svg", "pdf"):
        assert loss_picture(LOSSES, title="t", kind=kind) == loss_picture(LOSSES, title="t", kind=kind)


@pytest.mark.parametrize("title", ["$5 and $6", "a_{b", "名前", "x" * 300])
def test_any_title_can_be_drawn(title: str) -> None:
    assert loss_picture(LOSSES, title=title, kind="svg")


@pytest.mark.parametrize("loss", [float("inf"), float("nan")])
def test_a_loss_that_is_no_number_is_a_gap(loss: float) -> None:
    assert loss_picture([(1, 2.0), (2, loss), (3, 1.0)], title="t", kind="png").startswith(b"\x89PNG")


def test_json_says_what_was_drawn(stack: Stack, tmp_path: Path) -> None:
    picture = tmp_path / "loss.png"
    job_id = train(stack, [(4, None), (8, 1.4), (8, 1.3)])
    document = json.loads(run("plot", job_id, "--output", picture, "--json").stdout)
    assert document == {"job_id": job_id, "file": str(picture), "points": 1}


@pytest.mark.parametrize("name", ["loss.jpg", "loss", ".png", "loss.png/"])
def test_another_ending_is_wrong_usage(stack: Stack, tmp_path: Path, name: str) -> None:
    result = run("plot", "j" * 26, "-o", f"{tmp_path}/{name}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_it_says_how_to_get_it(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "matplotlib" else find(name))
    result = run("plot", "j" * 26, "-o", tmp_path / "loss.png")
    assert (result.exit_code, result.stderr) == (2, "error: Drawing needs matplotlib: pip install 'tunedrop[plot]'\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("received", "has no training loss yet: it is not_started (received)"),
        ("queued", "has no training loss yet: it is pending (queued)"),
        ("training", "has no training loss yet: openai has told of none so far"),
        ("failed", "failed without any training loss that openai told of"),
        ("succeeded", "succeeded without any training loss that bedrock told of"),
    ],
)
def test_a_job_without_metrics_says_so_and_leaves_what_was_there(
    stack: Stack, tmp_path: Path, name: str, said: str
) -> None:
    job, _ = state(name, of="plot")
    stack.hold(msgspec.structs.replace(job, progress=None))
    picture = tmp_path / "loss.png"
    picture.write_bytes(b"an older picture")
    result = run("plot", job.job_id, "-o", picture)
    assert (result.exit_code, result.stdout) == (3, "")
    assert said in result.stderr
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"loss.png": b"an older picture"}


def test_a_folder_that_is_not_there_is_wrong_usage(stack: Stack, tmp_path: Path) -> None:
    result = run("plot", "j" * 26, "-o", tmp_path / "none" / "loss.png")
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
