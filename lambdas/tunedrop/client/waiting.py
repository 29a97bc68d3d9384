"""The loop that asks until something has happened: often at first, then as often as the answers say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from tunedrop.client.errors import ConnectionFailedError, UnavailableError, WaitTimeoutError

T = TypeVar("T")

FIRST_SECONDS, GROWTH, LONGEST_SECONDS = 1.0, 1.25, 15.0
PATIENCE_SECONDS = 600.0
"""How long nothing but trouble may come back, once there was an answer: a laptop sleeps, a network changes."""


@dataclass(frozen=True)
class Look(Generic[T]):
    """What one question brought."""

    found: T | None
    """None: ask again."""
    retry_after: float | None = None


@dataclass(frozen=True)
class Waiting:
    """How time passes."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def deadline(self, timeout: float | None) -> float | None:
        """On the clock, so that several waits can share one timeout."""
        return None if timeout is None else self.clock() + max(0.0, timeout)

    def until(
        self,
        look: Callable[[], Look[T]],
        *,
        deadline: float | None,
        going_on: Callable[[], str],
        just_answered: bool = False,
    ) -> T:
        """What `look` found. Raises WaitTimeoutError, with `going_on()` as its message, when the deadline has passed.

        It looks at least once. Trouble with the connection is put up with for PATIENCE_SECONDS after an answer; where
        there was none before (`just_answered`), the first look has to bring one.
        """
        delay = FIRST_SECONDS
        answered_at = self.clock() if just_answered else None
        while True:
            longest = LONGEST_SECONDS
            try:
                seen = look()
            except (ConnectionFailedError, UnavailableError):
                if answered_at is None or self.clock() - answered_at > PATIENCE_SECONDS:
                    raise
            else:
                if seen.found is not None:
                    return seen.found
                answered_at = self.clock()
                longest = min(LONGEST_SECONDS, seen.retry_after or LONGEST_SECONDS)
            self._pause(min(delay, longest), deadline, going_on)
            delay *= GROWTH

    def _pause(self, seconds: float, deadline: float | None, going_on: Callable[[], str]) -> None:
        if deadline is None:
            self.sleep(seconds)
            return
        left = deadline - self.clock()
        if left <= 0:
            raise WaitTimeoutError(going_on())
        self.sleep(min(seconds, left))
