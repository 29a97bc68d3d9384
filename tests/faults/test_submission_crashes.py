"""Submit is killed before and after each of its side effects, and repeated as Step Functions would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.builders import prepared
from tests.contracts.conftest import RIGS
from tests.contracts.rig import ProviderRig
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tunedrop.domain.errors import TransientError
from tunedrop.domain.job import Job
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.provider_ports import FineTuningProvider, ProviderJob, TrainingOrder
from tunedrop.jobs import submit as submit_module
from tunedrop.jobs.step import StepOutcome
from tunedrop.jobs.submit import SubmitJob


class Crash(BaseException):
    """The function's environment died."""


class Nemesis:
    """Crashes at one point, once."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Crash


class CrashingStore(MemoryJobStore):
    def __init__(self, nemesis: Nemesis) -> None:
        super().__init__()
        self.nemesis = nemesis

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        self.nemesis.point()
        job = super().change(job_id, change)
        self.nemesis.point()
        return job


class CrashingProvider:
    def __init__(self, provider: FineTuningProvider, nemesis: Nemesis) -> None:
        self.provider = provider
        self.nemesis = nemesis
        self.lookup_settle_seconds = provider.lookup_settle_seconds
        self.found_by_creating = provider.found_by_creating
        self.tells_news = provider.tells_news

    def find(self, order: TrainingOrder) -> str | None:
        self.nemesis.point()
        found = self.provider.find(order)
        self.nemesis.point()
        return found

    def create(self, order: TrainingOrder) -> str:
        self.nemesis.point()
        created = self.provider.create(order)
        self.nemesis.point()
        return created

    def status(self, provider_job_id: str) -> ProviderJob:
        return self.provider.status(provider_job_id)

    def stop(self, provider_job_id: str) -> None:
        self.provider.stop(provider_job_id)


def run_to_the_end(rig: ProviderRig, crash_at: int | None, monkeypatch: pytest.MonkeyPatch) -> tuple[Job, int]:
    """Submits as the state machine does, through one crash; the job, and how many points there were."""
    nemesis = Nemesis(crash_at)
    store, clock = CrashingStore(nemesis), FakeClock()
    order = rig.order("crash")
    job = msgspec.structs.replace(prepared(), base_model=order.base_model)
    store.create(job)
    # The rig's order has its files in place; it stands for the one that is made from the record.
    monkeypatch.setattr(submit_module, "order_for", lambda job: order)
    submit = SubmitJob(
        store=store,
        connect=lambda job: CrashingProvider(rig.provider, nemesis),
        clock=clock,
        polling=PollingPolicy(jitter=0),
    )
    for _ in range(10):
        try:
            result = submit(job.job_id)
        except (Crash, TransientError):
            clock.advance(seconds=2)
            continue
        if result.outcome is StepOutcome.SUBMITTED:
            return store.get(job.job_id), nemesis.passed
        assert result.outcome is StepOutcome.WAITING
        clock.advance(seconds=result.wait_seconds)
    raise AssertionError("the job was never submitted")


@pytest.fixture(params=RIGS)
def new_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Any]:
    return lambda: RIGS[request.param](tmp_path)


def test_a_crash_anywhere_in_submit_makes_no_second_job(
    new_rig: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_rig() as rig:
        _, points = run_to_the_end(rig, None, monkeypatch)
    assert points >= 6

    for crash_at in range(1, points + 1):
        with new_rig() as rig:
            job, _ = run_to_the_end(rig, crash_at, monkeypatch)
            assert (rig.jobs_created(), crash_at) == (1, crash_at)
            assert job.provider_job_id is not None
            assert rig.provider.status(job.provider_job_id).raw_status
