"""How often is asked, how long is waited, and what trouble is put up with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.client.pretended_time import PretendedTime
from tunedrop.client.errors import ConnectionFailedError, NotFoundError, UnavailableError, WaitTimeoutError
from tunedrop.client.waiting import Look

TROUBLE = ConnectionFailedError("no network")


def found_after(passing: PretendedTime, seconds: float, retry_after: float | None = None) -> Callable[[], Look[str]]:
    return lambda: Look("found" if passing.seconds >= seconds else None, retry_after)


def test_it_asks_at_once_then_less_and_less_often_up_to_every_15_seconds(passing: PretendedTime) -> None:
    look = found_after(passing, 300)
    assert passing.waiting().until(look, deadline=None, going_on=str) == "found"
    assert passing.slept[:4] == [1.0, 1.25, 1.5625, 1.953125]
    assert passing.slept[-1] == 15.0
    assert max(passing.slept) == 15.0


def test_it_asks_as_often_as_the_answers_say(passing: PretendedTime) -> None:
    passing.waiting().until(found_after(passing, 60, retry_after=3), deadline=None, going_on=str)
    assert max(passing.slept) == 3.0


def test_a_longer_pause_than_15_seconds_is_too_long_for_somebody_who_waits(passing: PretendedTime) -> None:
    passing.waiting().until(found_after(passing, 300, retry_after=300), deadline=None, going_on=str)
    assert max(passing.slept) == 15.0


def test_what_is_there_already_takes_no_time(passing: PretendedTime) -> None:
    waiting = passing.waiting()
    assert waiting.until(found_after(passing, 0), deadline=waiting.deadline(0), going_on=str) == "found"
    assert passing.slept == []


def test_the_timeout_is_kept_to_the_second_and_looked_after_once_more(passing: PretendedTime) -> None:
    waiting = passing.waiting()
    assert waiting.until(found_after(passing, 10), deadline=waiting.deadline(10), going_on=str) == "found"
    with pytest.raises(WaitTimeoutError, match="it trains") as raised:
        waiting.until(found_after(passing, 21), deadline=waiting.deadline(10), going_on=lambda: "it trains")
    assert passing.seconds == 20
    assert isinstance(raised.value, TimeoutError)


def troubled(passing: PretendedTime, since: float, until: float, error: Exception = TROUBLE) -> Callable[[], Look[str]]:
    def look() -> Look[str]:
        if since <= passing.seconds < until:
            raise error
        return Look("found" if passing.seconds >= 2000 else None)

    return look


@pytest.mark.parametrize("error", [TROUBLE, UnavailableError("busy", status=503)])
def test_ten_minutes_without_a_network_are_put_up_with(passing: PretendedTime, error: Exception) -> None:
    look = troubled(passing, 100, 690, error)
    assert passing.waiting().until(look, deadline=None, going_on=str) == "found"


def test_trouble_that_stays_is_raised(passing: PretendedTime) -> None:
    with pytest.raises(ConnectionFailedError):
        passing.waiting().until(troubled(passing, 100, 1500), deadline=None, going_on=str)
    assert 690 < passing.seconds < 730


def test_the_deadline_counts_during_trouble_too(passing: PretendedTime) -> None:
    waiting = passing.waiting()
    with pytest.raises(WaitTimeoutError):
        waiting.until(troubled(passing, 100, 1500), deadline=waiting.deadline(200), going_on=str)
    assert passing.seconds == 200


def test_who_never_got_an_answer_hears_so_at_once(passing: PretendedTime) -> None:
    with pytest.raises(ConnectionFailedError):
        passing.waiting().until(troubled(passing, 0, 5), deadline=None, going_on=str)
    assert passing.slept == []
    look = troubled(passing, 0, 5)
    assert passing.waiting().until(look, deadline=None, going_on=str, just_answered=True) == "found"


def test_a_refusal_is_no_trouble_that_passes(passing: PretendedTime) -> None:
    look = troubled(passing, 100, 200, NotFoundError("gone", status=404))
    with pytest.raises(NotFoundError):
        passing.waiting().until(look, deadline=None, going_on=str)
