"""How much memory a piece of work takes at most, by Python's own account."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

ATTEMPTS = 3


def assert_peak_below(limit: float, work: Callable[[], object]) -> None:
    """The work, done up to three times, once takes fewer bytes than `limit`.

    Python counts for the whole process, so that a thread which another test has left behind (a part of an upload that
    nobody waits for any more) is counted as well. Work that takes too much does so each time.
    """
    peaks: list[int] = []
    while len(peaks) < ATTEMPTS:
        tracemalloc.start()
        try:
            work()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        if peaks[-1] < limit:
            return
    raise AssertionError(f"takes {peaks} bytes, and not less than {limit:,.0f}")
