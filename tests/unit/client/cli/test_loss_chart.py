"""The training's loss as a chart of text."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from tunedrop.client.cli.loss_chart import loss_chart

FALLING = [(step, 2.4 * 0.97**step) for step in range(1, 91)]
LAMBDAS = Path(__file__).resolve().parents[4] / "lambdas"


def _braille(line: str) -> int:
    return sum("\u2800" < each <= "\u28ff" for each in line)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_it_fits_its_width_and_has_no_escape_codes(width: int) -> None:
    lines = loss_chart(FALLING, width=width, height=10).splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) == width
    assert "\x1b" not in "".join(lines)


def test_a_falling_loss_falls_from_left_to_right() -> None:
    drawn = [line for line in loss_chart(FALLING, width=72).splitlines() if _braille(line)]
    places = [min(column for column, each in enumerate(line) if _braille(each)) for line in drawn]
    assert len(places) > 5
    assert places == sorted(places)


def test_the_scales_say_the_first_and_the_last_step_and_loss() -> None:
    lines = loss_chart([(1, 2.0), (1200, 0.5)], width=60).splitlines()
    assert lines[-1].split()[0] == "1"
    assert lines[-1].split()[-1] == "1,200"
    labels = [float(line.partition("┤")[0]) for line in lines if "┤" in line]
    assert (labels[0], labels[-1]) == (2.0, 0.5)


def test_steps_are_whole_numbers() -> None:
    *_, scale = loss_chart([(1, 2.0), (2, 1.0), (3, 0.5)], width=60).splitlines()
    assert scale.split() == ["1", "2", "3"]


@pytest.mark.parametrize("points", [[], [(4, 1.5)], [(1, math.nan), (2, math.inf), (3, 1.0)]])
def test_too_little_for_a_curve_is_no_chart(points: list[tuple[int, float]]) -> None:
    assert loss_chart(points, width=72) == ""


def test_a_terminal_that_is_too_narrow_gets_no_chart() -> None:
    assert loss_chart(FALLING, width=39) == ""


def test_a_loss_that_is_no_number_is_left_out_and_the_program_goes_on() -> None:
    """plotext would end the process, not raise: so this is tried in another one."""
    program = (
        "from tunedrop.client.cli.loss_chart import loss_chart\n"
        "points = [(1, 2.0), (2, float('nan')), (3, float('inf')), (4, float('-inf')), (5, 1.0)]\n"
        "assert loss_chart(points, width=60) == loss_chart([(1, 2.0), (5, 1.0)], width=60) != ''\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(LAMBDAS)}, check=False)
    assert done.returncode == 0


def test_a_loss_that_stays_is_drawn_too() -> None:
    assert _braille(loss_chart([(1, 2.0), (50, 2.0)], width=60))
