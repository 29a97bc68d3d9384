"""How long to wait before the provider is asked again."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Protocol

import msgspec


class UniformSource(Protocol):
    """`random.Random`, or a test's own."""

    def uniform(self, a: float, b: float, /) -> float: ...


class PollingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """5 % of the time elapsed, between two bounds in seconds, give or take a tenth.

    Where the provider tells of the end by itself, a few looks at the start catch what goes wrong at once, and from
    then on one every 15 minutes is for the news that were lost.
    """

    shortest: float = 15.0
    longest: float = 1200.0
    share: float = 0.05
    jitter: float = 0.1
    pushed_longest: float = 900.0
    pushed_share: float = 3.0

    def wait_seconds(
        self,
        *,
        started: datetime,
        now: datetime,
        retry_after: float | None = None,
        pushed: bool = False,
        chance: UniformSource = random,
    ) -> int:
        """Whole seconds, at least 1; a provider's Retry-After wins over the policy, up to a day.

        `pushed`: whether the provider tells of the end by itself.
        """
        if retry_after is not None:
            return max(1, min(86_400, round(retry_after)))
        elapsed = max(0.0, (now - started).total_seconds())
        planned = min(self.longest, max(self.shortest, elapsed * self.share))
        if pushed:
            # Never more often than without news, however long the job has been running.
            planned = max(planned, min(self.pushed_longest, elapsed * self.pushed_share))
        return max(1, round(planned * chance.uniform(1 - self.jitter, 1 + self.jitter)))
