"""`make bench-waking`: how soon news end a wait, on the embedded AWS.

Bedrock's event, OpenAI's webhook and a cancel over the API each end 20 waits that would last ten minutes. The time is
from the moment that the news are sent until the wait is over, by the execution's own history, and so has the rule, the
function that wakes in it. The first of each 20 also starts that function, and is shown by itself, too. The last line is
JSON, in seconds. Fails where any took longer than 2 s.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from local.deployment import ROOT
from local.execution_waits import waits_in
from local.interrupts import interruptible
from local.running_stack import RunningStack, running_stack
from local.simulators.openai.webhooks import job_event, signed_headers
from local.simulators.pace import Pace

WAITS = 20
LIMIT_SECONDS = 2.0
FAR_AWAY_SECONDS = 600
"""Until the next question to a provider, and of a training."""
PATIENCE_SECONDS = 30.0
FILE = ROOT / "examples" / "support-chat.jsonl"


class Waker:
    """Makes jobs wait, and measures."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._step_functions = stack.aws.client("stepfunctions")

    def measure(self, job_id: str, send: Callable[[], object]) -> float:
        """Seconds from `send` until the wait that the job is in has been woken."""
        execution = self._stack.api.get(f"/v1/jobs/{job_id}").expect(200)["execution_arn"]
        _until(lambda: self._is_waiting(execution))
        before = len(waits_in(self._step_functions, execution))
        sent = time.time()
        send()
        _until(lambda: len(waits_in(self._step_functions, execution)) > before)
        wait = waits_in(self._step_functions, execution)[before]
        if not wait.woken_early:
            raise SystemExit(f"The wait of job {job_id} ended by itself: {wait}")
        return wait.left.timestamp() - sent

    def training(self, provider: str, model: str) -> dict[str, Any]:
        """A job that its provider trains for ten minutes, as the API shows it."""
        request = {"provider": provider, "model": model, "training_file": FILE.name, "upload": True}
        created = self._stack.api.post("/v1/jobs", request).expect(202)
        self._stack.api.upload(created["uploads"]["training_file"], FILE.read_bytes()).expect(200)
        path = f"/v1/jobs/{created['job_id']}"
        _until(lambda: self._stack.api.get(path).expect(200)["provider_job_id"] is not None)
        job: dict[str, Any] = self._stack.api.get(path).expect(200)
        return job

    def by_event(self) -> list[float]:
        job_id = self.training("bedrock", "nova-lite")["job_id"]
        events = self._stack.aws.service_events
        bedrock = self._stack.aws.client("bedrock")
        [name] = [
            job["jobName"]
            for job in bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]
            if job_id in job["jobName"]
        ]

        def send() -> None:
            events.put(
                source="aws.bedrock",
                detail_type="Model Customization Job State Change",
                detail={"jobName": name, "jobStatus": "InProgress"},
            )

        return [self.measure(job_id, send) for _ in range(WAITS)]

    def by_webhook(self) -> list[float]:
        job = self.training("openai", "gpt-4.1-mini")
        secret = self._stack.providers.credentials["openai"]["webhook_secret"]

        def send() -> None:
            event = job_event(job["provider_job_id"], "succeeded", created_at=int(time.time()))
            self._stack.webhooks.post(event.body, signed_headers(event, secret=secret))

        return [self.measure(job["job_id"], send) for _ in range(WAITS)]

    def by_api(self) -> list[float]:
        request = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": FILE.name, "upload": True}
        job_ids = [self._stack.api.post("/v1/jobs", request).expect(202)["job_id"] for _ in range(WAITS)]

        def cancel(job_id: str) -> Callable[[], object]:
            return lambda: self._stack.api.post(f"/v1/jobs/{job_id}/cancel").expect(202)

        return [self.measure(job_id, cancel(job_id)) for job_id in job_ids]

    def _is_waiting(self, execution: str) -> bool:
        [last] = self._step_functions.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)[
            "events"
        ]
        scheduled: dict[str, str] = last.get("taskScheduledEventDetails", {})
        return scheduled.get("resource", "").endswith(".waitForTaskToken")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing came within {PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.05)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waking", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench-waking", help="for logs")
    folder: Path = parser.parse_args(arguments).folder
    progress = Console(stderr=True, highlight=False)
    pace = Pace(training=FAR_AWAY_SECONDS)
    with (
        interruptible(),
        running_stack(folder, say=progress.print, shortest_poll_seconds=FAR_AWAY_SECONDS, pace=pace) as stack,
    ):
        waker = Waker(stack)
        seconds = {"event": waker.by_event(), "webhook": waker.by_webhook(), "api": waker.by_api()}
    columns = ("woken by", "waits", "first s", "median s", "worst s")
    table = Table(*columns, title=f"Waits of {FAR_AWAY_SECONDS} s that were woken")
    figures = {way: _figures(taken) for way, taken in seconds.items()}
    for way, row in figures.items():
        table.add_row(way, str(WAITS), *(f"{figure:.2f}" for figure in row.values()))
    console = Console(highlight=False)
    console.print(table)
    console.print(msgspec.json.encode(figures).decode(), soft_wrap=True)
    return 0 if all(row["worst"] <= LIMIT_SECONDS for row in figures.values()) else 1


def _figures(taken: Sequence[float]) -> dict[str, float]:
    return {
        "first": round(taken[0], 2),
        "median": round(statistics.median(taken), 2),
        "worst": round(max(taken), 2),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
