"""A curve of losses drawn by matplotlib, without a display and without its global state."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from io import BytesIO

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 8.0, 4.5, 150
_MOST_MARKED_POINTS = 60
"""More would hide the curve."""


def loss_picture(curve: Sequence[tuple[int, float]], *, title: str, kind: str) -> bytes:
    """A file of this `kind` (png, svg or pdf), for pairs of a step and its loss. Reproducible."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    steps, losses = [step for step, _ in curve], [loss if math.isfinite(loss) else math.nan for _, loss in curve]
    marker = "o" if len(curve) <= _MOST_MARKED_POINTS else None
    picture = BytesIO()
    with (
        matplotlib.rc_context({"svg.hashsalt": "tunedrop", "svg.fonttype": "none", "pdf.fonttype": 42}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a job's name in a script that the font lacks
        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot(steps, losses, color="#1f5fa8", linewidth=1.8, marker=marker, markersize=4)
        axes.set_title(title, fontsize=10, parse_math=False)  # a $ in a name is no formula
        axes.set_xlabel("Step")
        axes.set_ylabel("Training loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(visible=True, color="#d8d8d8", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        figure.savefig(picture, format=kind, dpi=DOTS_PER_INCH, metadata=undated)
    return picture.getvalue()
