"""Walks through a state machine's definition as Step Functions would, on a clock that only waits move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Definition: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Callable[[float], Mapping[str, Any]]
"""What a function answers, a number of seconds after the start."""

_EVENTS_OF_TASK = 5
"""Entered, scheduled, started, succeeded, exited."""
_EVENTS_OF_TOKEN_WAIT = 6
"""The same, and submitted; timed out or succeeded."""
_EVENTS_OF_OTHERS = 2
"""Entered and exited. An execution's own start and end are two more."""


@dataclass
class Walk:
    """One execution: what it took, and when it ended, in seconds after its start."""

    transitions: int = 0
    """States that were entered, which is what AWS bills."""
    events: int = 2
    calls: int = 0
    """Of functions."""
    seconds: float = 0.0


def walk(definition: Definition, steps: Mapping[str, Step], *, news_at: float | None = None) -> Walk:
    """The execution of `definition`, whose task functions answer as `steps` say, by the names of their states.

    `news_at`: when a waker sends the token of whatever waits then.
    """
    taken = Walk()
    name = definition["StartAt"]
    state: dict[str, Any] = {}
    while True:
        described = definition["States"][name]
        taken.transitions += 1
        kind = described["Type"]
        if kind in ("Succeed", "Fail"):
            taken.events += _EVENTS_OF_OTHERS
            return taken
        if kind == "Choice":
            taken.events += _EVENTS_OF_OTHERS
            name = _chosen(described, state)
        elif kind == "Wait":
            taken.events += _EVENTS_OF_OTHERS
            taken.seconds += described.get("Seconds") or state["wait_seconds"]
            name = described["Next"]
        elif described["Resource"].endswith(".waitForTaskToken"):
            taken.events += _EVENTS_OF_TOKEN_WAIT
            name = _wait(taken, described, state["wait_seconds"], news_at)
        else:
            taken.events += _EVENTS_OF_TASK
            if name in steps:
                taken.calls += 1
                state = dict(steps[name](taken.seconds))
            name = described["Next"]


def _wait(taken: Walk, state: Mapping[str, Any], seconds: float, news_at: float | None) -> str:
    over = taken.seconds + seconds
    if news_at is not None and taken.seconds <= news_at < over:
        taken.seconds = news_at
        return str(state["Next"])
    taken.seconds = over
    timed_out = next(catch for catch in state["Catch"] if "States.Timeout" in catch["ErrorEquals"])
    return str(timed_out["Next"])


def _chosen(state: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    for rule in state["Choices"]:
        value = data.get(rule["Variable"].removeprefix("$."))
        if rule.get("IsPresent") == (value is not None) or ("StringEquals" in rule and value == rule["StringEquals"]):
            return str(rule["Next"])
    return str(state["Default"])
