"""The measure of memory itself: what takes too much fails, and another thread's work does not make it."""

from __future__ import annotations

import threading

import pytest

from tests.traced_memory import assert_peak_below

LIMIT = 100_000


def test_work_that_takes_too_much_fails_with_what_it_took() -> None:
    with pytest.raises(AssertionError, match=r"takes \[3\d{5}, 3\d{5}, 3\d{5}\] bytes"):
        assert_peak_below(LIMIT, lambda: bytes(300_000))


def test_what_another_thread_takes_meanwhile_is_not_held_against_it() -> None:
    left_behind = [threading.Thread(target=bytearray, args=(300_000,))]

    def work() -> None:
        for thread in left_behind:
            thread.start()
            thread.join()
        left_behind.clear()

    assert_peak_below(LIMIT, work)
