"""The interval between two looks at a provider."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.domain.polling import PollingPolicy

START = datetime(2026, 11, 22, tzinfo=UTC)


class Middle:
    """Chance without chance: always the middle of the range."""

    def uniform(self, a: float, b: float, /) -> float:
        return (a + b) / 2


@pytest.mark.parametrize(
    ("elapsed", "seconds"),
    [
        (timedelta(0), 15),
        (timedelta(minutes=5), 15),
        (timedelta(minutes=10), 30),
        (timedelta(hours=1), 180),
        (timedelta(hours=6), 1080),
        (timedelta(hours=7), 1200),
        (timedelta(days=14), 1200),
    ],
)
def test_the_interval_is_five_percent_of_the_time_elapsed_within_its_bounds(elapsed: timedelta, seconds: int) -> None:
    assert PollingPolicy().wait_seconds(started=START, now=START + elapsed, chance=Middle()) == seconds


@pytest.mark.parametrize(
    ("elapsed", "seconds"),
    [
        (timedelta(0), 15),
        (timedelta(seconds=15), 45),
        (timedelta(minutes=1), 180),
        (timedelta(minutes=5), 900),
        (timedelta(hours=5), 900),
        (timedelta(hours=6), 1080),
        (timedelta(days=14), 1200),
    ],
)
def test_where_the_provider_tells_of_the_end_a_few_looks_at_the_start_are_followed_by_one_every_quarter_of_an_hour(
    elapsed: timedelta, seconds: int
) -> None:
    wait = PollingPolicy().wait_seconds(started=START, now=START + elapsed, pushed=True, chance=Middle())

    assert wait == seconds


@given(st.floats(min_value=0, max_value=14 * 86_400))
def test_news_are_never_a_reason_to_ask_more_often(elapsed: float) -> None:
    now = START + timedelta(seconds=elapsed)
    pushed = PollingPolicy().wait_seconds(started=START, now=now, pushed=True, chance=Middle())

    assert pushed >= PollingPolicy().wait_seconds(started=START, now=now, chance=Middle())


def test_a_retry_after_wins_also_where_the_provider_tells_news() -> None:
    assert PollingPolicy().wait_seconds(started=START, now=START, retry_after=7, pushed=True) == 7


@given(st.floats(min_value=0, max_value=14 * 86_400), st.integers())
def test_jitter_is_at_most_a_tenth_and_the_wait_is_a_whole_number_of_seconds(elapsed: float, seed: int) -> None:
    now = START + timedelta(seconds=elapsed)
    middle = PollingPolicy().wait_seconds(started=START, now=now, chance=Middle())
    wait = PollingPolicy().wait_seconds(started=START, now=now, chance=random.Random(seed))

    assert isinstance(wait, int)
    assert 0.9 * middle - 1 <= wait <= 1.1 * middle + 1


@pytest.mark.parametrize(("asked", "seconds"), [(0.2, 1), (7.0, 7), (3600.0, 3600), (10**9, 86_400)])
def test_a_retry_after_wins_up_to_a_day(asked: float, seconds: int) -> None:
    assert PollingPolicy().wait_seconds(started=START, now=START, retry_after=asked) == seconds


def test_a_clock_that_went_backwards_waits_the_shortest_interval() -> None:
    assert PollingPolicy().wait_seconds(started=START, now=START - timedelta(hours=1), chance=Middle()) == 15


def test_a_shortest_interval_of_less_than_a_second_still_waits_a_second() -> None:
    assert PollingPolicy(shortest=0.1).wait_seconds(started=START, now=START, chance=Middle()) == 1
