"""`make bench-waiting`: the goals are met by the definition and the policy as they are, and the count is right."""

from __future__ import annotations

import json

import pytest

from benchmarks.machine_walk import walk
from benchmarks.waiting import EVENTS_GOAL, GOALS, HOUR, PUSH_SECONDS, fixed_loop, machine, main, measure

TOKEN_WAIT = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
SMALL = {
    "StartAt": "Look",
    "States": {
        "Look": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "IsOver"},
        "IsOver": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.outcome", "StringEquals": "ended", "Next": "Over"}],
            "Default": "Wait",
        },
        "Wait": {
            "Type": "Task",
            "Resource": TOKEN_WAIT,
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Look"}],
            "Next": "Look",
        },
        "Over": {"Type": "Succeed"},
    },
}


def look(at: float) -> dict[str, object]:
    return {"outcome": "ended"} if at >= 25 else {"outcome": "running", "wait_seconds": 10}


def test_every_state_that_is_entered_is_a_transition_and_a_round_is_thirteen_events() -> None:
    taken = walk(SMALL, {"Look": look})

    assert (taken.seconds, taken.calls, taken.transitions) == (30, 4, 3 * 3 + 3)
    assert taken.events == 2 + 3 * 13 + (5 + 2 + 2)


def test_news_end_the_wait_that_they_meet() -> None:
    taken = walk(SMALL, {"Look": look}, news_at=25.5)

    assert (taken.seconds, taken.calls) == (25.5, 4)


def test_the_goals_for_six_hours_and_for_two_weeks_are_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    figures = json.loads(printed.splitlines()[-1])
    assert list(figures) == ["6h", "14d_events"]
    assert 50 < figures["6h"]["push"] <= GOALS["push"]
    assert 250 < figures["6h"]["poll"] <= GOALS["poll"]
    assert 5_000 < figures["14d_events"] < EVENTS_GOAL
    assert "missed" not in printed
    for shown in ("without push", "every push lost", "a fixed loop of 60 s", "DSPy's thread", "7d"):
        assert shown in printed


def test_with_push_the_news_are_as_late_as_the_push_and_lost_ones_are_found_by_a_look() -> None:
    assert PUSH_SECONDS * 0.9 < measure(machine(), 6 * HOUR, pushed=True).delay <= PUSH_SECONDS
    lost = measure(machine(), 6 * HOUR, pushed=True, lost=True).delay
    assert 300 < lost < 600


def test_a_fixed_loop_asks_each_time() -> None:
    assert measure(fixed_loop(60), HOUR).rounds == pytest.approx(62, abs=2)
