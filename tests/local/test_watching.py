"""What the demo shows of jobs while they run."""

from __future__ import annotations

import io
from datetime import timedelta

import msgspec
import pytest
from rich.console import Console

from local.watching import WatchError, watch
from tests.builders import CREATED, job_in
from tests.fakes.job_store import MemoryJobStore
from tunedrop.domain.job import Job, JobStatus, Phase, Progress


def store_of(*jobs: Job) -> MemoryJobStore:
    store = MemoryJobStore()
    for job in jobs:
        store.create(job)
    return store


def ended(provider: str, total: int | None) -> Job:
    return msgspec.structs.replace(
        job_in(Phase.TRAINING),
        job_id=provider.ljust(26, "x"),
        provider=provider,
        progress=Progress(step=24, total_steps=total, training_loss=0.38642),
        status=JobStatus.SUCCEEDED,
        phase=Phase.DONE,
        finished_at=CREATED + timedelta(seconds=100),
    )


JOBS = [ended("openai", 24), ended("bedrock", None), ended("databricks", 24)]


def shown(*, terminal: bool) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=80, color_system=None, legacy_windows=False)
    watch(store_of(*JOBS), [job.job_id for job in JOBS], console, seconds=1)
    return output.getvalue().splitlines()


def test_elsewhere_than_in_a_terminal_each_phase_is_a_line() -> None:
    assert shown(terminal=False) == [
        "  100.0 s  openai     succeeded       step 24/24  loss 0.386",
        "  100.0 s  bedrock    succeeded       step 24  loss 0.386",
        "  100.0 s  databricks succeeded       step 24/24  loss 0.386",
    ]


def test_in_a_terminal_of_80_columns_each_job_is_one_line() -> None:
    text = "\n".join(shown(terminal=True))
    for job, steps in zip(JOBS, ("step 24/24", "step 24", "step 24/24"), strict=True):
        assert any(
            job.provider in line and line.rstrip().endswith(f"{steps}  loss 0.386") for line in text.splitlines()
        ), text


def test_jobs_that_do_not_end_in_time_are_named_with_their_trouble() -> None:
    job = job_in(Phase.QUEUED, last_error="OpenAI asks for patience")
    console = Console(file=io.StringIO())
    with pytest.raises(WatchError, match=r"openai is queued \(OpenAI asks for patience\)"):
        watch(store_of(job), [job.job_id], console, seconds=0)


def test_each_look_is_told_of_and_a_job_may_have_a_name_of_its_own() -> None:
    output = io.StringIO()
    seen: list[Job] = []
    console = Console(file=output, width=80, color_system=None, legacy_windows=False)
    first = JOBS[0]
    watch(store_of(first), [first.job_id], console, seconds=1, names={first.job_id: "the first"}, seen=seen.append)
    assert seen == [first]
    assert output.getvalue() == "  100.0 s  the first  succeeded       step 24/24  loss 0.386\n"
