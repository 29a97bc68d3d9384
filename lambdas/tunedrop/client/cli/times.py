"""Times as people read them: the moment in UTC, or how long ago it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def moment(at: datetime) -> str:
    """To the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def span(length: timedelta) -> str:
    """In its largest unit: `3 d`, `5 h`, `12 min`, `40 s`; a clock that is behind gives `0 s`."""
    seconds = max(0, int(length.total_seconds()))
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), f"{seconds} s")
