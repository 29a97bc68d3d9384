"""Time that passes only while somebody sleeps, with things that happen meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tunedrop.client.waiting import Waiting

BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class PretendedTime:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._coming: list[tuple[float, Callable[[], object]]] = []

    def after(self, seconds: float, happens: Callable[[], object]) -> None:
        self._coming.append((seconds, happens))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        due = [happens for at, happens in self._coming if at <= self.seconds]
        self._coming = [(at, happens) for at, happens in self._coming if at > self.seconds]
        for happens in due:
            happens()

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)

    def waiting(self) -> Waiting:
        return Waiting(clock=lambda: self.seconds, sleep=self.sleep, now=self.now)
