"""What the provider said of the training, out of a job's timeline."""

from __future__ import annotations

from collections.abc import Iterable

from tunedrop.client.records import EventRecord, MetricPoint, ProgressRecord

OF_THE_JOB = frozenset({"status", "progress"})


def points_of(events: Iterable[EventRecord]) -> list[MetricPoint]:
    """One for each thing that was news: a change of status repeats what was known before it."""
    points: list[MetricPoint] = []
    said: tuple[object, ...] | None = None
    for event in events:
        if event.type not in OF_THE_JOB or event.progress is None:
            continue
        figures = _figures(event.progress)
        if figures != said and any(figure is not None for figure in figures):
            said = figures
            points.append(_point(event, event.progress))
    return points


def _figures(progress: ProgressRecord) -> tuple[object, ...]:
    return progress.step, progress.total_steps, progress.training_loss, progress.trained_tokens


def _point(event: EventRecord, progress: ProgressRecord) -> MetricPoint:
    return MetricPoint(
        at=event.at,
        step=progress.step,
        total_steps=progress.total_steps,
        training_loss=progress.training_loss,
        trained_tokens=progress.trained_tokens,
    )
