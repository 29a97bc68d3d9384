"""The training's loss as a small chart in the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

FEWEST_POINTS = 2
"""One value makes no curve."""
HEIGHT = 12
"""Lines of a chart, title and scale among them."""
NARROWEST = 40


def loss_chart(points: Sequence[tuple[int, float]], *, width: int, height: int = HEIGHT) -> str:
    """Lines of at most `width` columns, without colours, for pairs of a step and its loss. Empty where there are too
    few points, or too few columns, for a curve. Needs a terminal that shows UTF-8: the curve is made of braille."""
    curve = [(step, loss) for step, loss in points if math.isfinite(loss)]  # plotext ends the process at infinity
    if len(curve) < FEWEST_POINTS or width < NARROWEST:
        return ""
    import plotext

    steps, losses = [step for step, _ in curve], [loss for _, loss in curve]
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    figure.title("Training loss by step")
    figure.ruler("x").ticks(*_ticks(steps[0], steps[-1]))
    figure.draw(figure.signal(steps, losses, marker="braille").lines())
    drawn: str = figure.build().string(colorless=True)
    return "\n".join(line.rstrip() for line in drawn.splitlines()).rstrip("\n")


def _ticks(first: int, last: int) -> tuple[list[int], list[str]]:
    """Up to five whole steps, evenly spread."""
    parts = min(4, last - first) or 1
    steps = sorted({first + (last - first) * number // parts for number in range(parts + 1)})
    return steps, [f"{step:,}" for step in steps]
