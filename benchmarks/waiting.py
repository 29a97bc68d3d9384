"""`make bench-waiting`: what it takes to wait for a job, by the real state machine and the real polling policy.

Nothing is run: the definition is walked through on a clock of its own, a hundred times for each case, since the waits
are given a random tenth more or less. What the functions answer is scripted: the job goes on until it ends.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.machine_walk import Definition, Walk, walk
from infra.fine_tuning_definition import definition
from infra.state_language import TaskFunction
from tunedrop.domain.polling import PollingPolicy

HOUR = 3_600.0
DURATIONS = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR}
LONGEST_DEADLINE = 14 * 24 * HOUR
GOALS = {"push": 100, "poll": 350}
"""Transitions of a job of six hours."""
EVENTS_GOAL = 20_000
WALKS = 100
PUSH_SECONDS = 2.0
"""From the job's end to the end of the wait: the most that `make bench-waking` may show."""
DSPY_SECONDS = 20.0
"""How often the thread of DSPy's own provider for OpenAI asks (dspy/clients/openai.py)."""

# us-east-1. Transitions: aws.amazon.com/step-functions/pricing. The other two could not be read there; they are small.
TRANSITION_USD = 0.025 / 1_000
CALL_USD = 0.20 / 1_000_000 + 0.5 * 1.0 * 0.0000133334
"""A request, and half a second with 1 GB: assumed, most of it is waiting for the provider."""
WRITE_USD = 4 * 0.625 / 1_000_000
"""A token on the record and on its three lists."""


@dataclass(frozen=True)
class Cost:
    """The mean of all walks; `most` are the most transitions, and the most events, that any of them took."""

    rounds: float
    transitions: float
    calls: float
    events: float
    usd_per_thousand: float
    delay: float
    most: Walk


def machine() -> Definition:
    """Bedrock's, as the stack has it."""
    functions = (
        TaskFunction(placeholder=name, timeout_seconds=900) for name in ("PrepareArn", "TasksArn", "FinishArn")
    )
    prepare, tasks, finish = functions
    return definition(provider="bedrock", prepare=prepare, tasks=tasks, finish=finish, serves=True)


def fixed_loop(seconds: int) -> Definition:
    """The same machine as many have it: a plain wait of always the same length."""
    built = dict(machine())
    wait = {"Type": "Wait", "Seconds": seconds, "Next": "Poll"}
    return {**built, "States": {**built["States"], "Wait": wait}}


def measure(
    built: Definition, duration: float, *, pushed: bool = False, lost: bool = False, walks: int = WALKS
) -> Cost:
    """What a training of `duration` seconds takes; `lost`: nobody hears of its end, though news were expected."""
    chance = random.Random(2026)  # noqa: S311
    taken, delays = [], []
    for _ in range(walks):
        # Ends are spread over the longest interval: no end falls always just before a look, or just after one.
        ends = duration + chance.uniform(0, min(1_200.0, duration / 20))
        news_at = ends + PUSH_SECONDS if pushed and not lost else None
        one = walk(built, _job(ends, pushed=pushed, chance=chance), news_at=news_at)
        taken.append(one)
        delays.append(one.seconds - ends)
    return _cost(taken, delays)


def _job(ends: float, *, pushed: bool, chance: random.Random) -> Mapping[str, Callable[[float], dict[str, Any]]]:
    started = datetime(2026, 11, 22, tzinfo=UTC)
    policy = PollingPolicy()

    def wait(at: float) -> int:
        now = started + timedelta(seconds=at)
        return policy.wait_seconds(started=started, now=now, pushed=pushed, chance=chance)

    def poll(at: float) -> dict[str, Any]:
        return {"outcome": "ended"} if at >= ends else {"outcome": "running", "wait_seconds": wait(at)}

    return {
        "Prepare": lambda _: {"outcome": "ready"},
        "Submit": lambda at: {"outcome": "submitted", "wait_seconds": wait(at)},
        "Poll": poll,
        "Finish": lambda _: {"status": "succeeded", "endpoint_execution": "one"},
    }


def _cost(taken: list[Walk], delays: list[float]) -> Cost:
    calls = mean(one.calls - 3 for one in taken)  # Prepare, Submit and Finish come once, however one waits
    transitions = mean(one.transitions for one in taken)
    return Cost(
        rounds=calls,
        transitions=transitions,
        calls=calls + 1,
        events=mean(one.events for one in taken),
        usd_per_thousand=1_000 * (transitions * TRANSITION_USD + calls * (CALL_USD + WRITE_USD)),
        delay=mean(delays),
        most=max(taken, key=lambda one: one.transitions),
    )


def thread(duration: float) -> Cost:
    """DSPy's: it asks every 20 seconds, in a process that has to live as long, on a machine that somebody pays for."""
    looks = duration / DSPY_SECONDS
    return Cost(looks, 0, looks + 1, 0, 0, DSPY_SECONDS / 2, Walk())


def print_table(cases: Mapping[str, Mapping[str, Cost]], console: Console) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("training", "how", "rounds", "transitions", "provider calls", "events", "$ / 1,000 jobs", "delay"):
        table.add_column(column, justify="left" if column in ("training", "how") else "right")
    for duration, by_method in cases.items():
        for method, cost in by_method.items():
            figures = (cost.rounds, cost.transitions, cost.calls, cost.events)
            price = f"{cost.usd_per_thousand:,.2f}" if cost.transitions else "a machine"
            table.add_row(duration, method, *(f"{figure:,.0f}" for figure in figures), price, f"{cost.delay:,.0f} s")
    console.print(table)


def main() -> int:
    console = Console(highlight=False)
    console.width = max(console.width, 110)
    built, loop = machine(), fixed_loop(60)
    cases = {
        name: {
            "with push": measure(built, duration, pushed=True),
            "every push lost": measure(built, duration, pushed=True, lost=True),
            "without push": measure(built, duration),
            "a fixed loop of 60 s": measure(loop, duration, walks=WALKS // 4),
            "DSPy's thread, 20 s": thread(duration),
        }
        for name, duration in DURATIONS.items()
    }
    console.print(
        f"\nBedrock's state machine and its polling policy, walked through {WALKS} times a line; means.\n"
        f"Assumed: news are {PUSH_SECONDS:.0f} s late, which make bench-waking measures, and a call of the function "
        "takes half a\nsecond with 1 GB.\n"
    )
    print_table(cases, console)
    six = {
        "push": cases["6h"]["with push"].most.transitions,
        "poll": cases["6h"]["without push"].most.transitions,
    }
    events = measure(built, LONGEST_DEADLINE).most.events
    for method, most in six.items():
        console.print(f"6 h, {method}: at most {most} transitions; goal {GOALS[method]}: {_met(most, GOALS[method])}")
    console.print(f"14 days: at most {events:,} events; goal under {EVENTS_GOAL:,}: {_met(events, EVENTS_GOAL - 1)}\n")
    print(json.dumps({"6h": six, "14d_events": events}))
    return 0


def _met(figure: int, limit: int) -> str:
    return "met" if figure <= limit else "missed"


if __name__ == "__main__":
    sys.exit(main())
