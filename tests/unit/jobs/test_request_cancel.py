"""A user's request to cancel: what it does to a job in each phase, and that its execution hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import CREATED, JOB_ID, ended, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.workflow import MemoryTaskTokens
from tunedrop.domain.errors import ConflictError, JobNotFoundError
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.transitions import advance
from tunedrop.jobs.request_cancel import RequestCancel
from tunedrop.jobs.wake import WakeJob


class Bench:
    """A job whose execution waits with the token `t-1`."""

    def __init__(self, job: Job) -> None:
        self.clock = FakeClock()
        self.store = MemoryJobStore()
        self.tokens = MemoryTaskTokens()
        self.store.create(job)
        self.store.tokens[JOB_ID] = "t-1"
        wake = WakeJob(store=self.store, tokens=self.tokens, clock=self.clock)
        self.cancel = RequestCancel(store=self.store, wake=wake, clock=self.clock)

    def __call__(self) -> Job:
        return self.cancel(JOB_ID)

    @property
    def job(self) -> Job:
        return self.store.get(JOB_ID)


@pytest.mark.parametrize(
    ("phase", "becomes"),
    [
        (Phase.RECEIVED, Phase.RECEIVED),
        (Phase.AWAITING_UPLOAD, Phase.AWAITING_UPLOAD),
        (Phase.PREPARING, Phase.CANCELLING),
        (Phase.SUBMITTING, Phase.CANCELLING),
        (Phase.WAITING_FOR_QUOTA, Phase.CANCELLING),
        (Phase.QUEUED, Phase.CANCELLING),
        (Phase.TRAINING, Phase.CANCELLING),
        (Phase.CANCELLING, Phase.CANCELLING),
    ],
)
def test_a_job_that_goes_on_is_marked_and_its_execution_woken(phase: Phase, becomes: Phase) -> None:
    bench = Bench(job_in(phase))
    status = bench.job.status

    job = bench()

    assert (job.phase, job.cancel_requested_at) == (becomes, CREATED)
    assert job.status is status, "the job is cancelled when its execution says so"
    assert (bench.job.wake_seq, bench.tokens.sent) == (1, ["t-1"])
    assert bench.job.cancel_cause is None


def test_the_mark_is_there_before_the_execution_is_woken() -> None:
    bench = Bench(job_in(Phase.TRAINING))
    marks = []
    cancel = RequestCancel(
        store=bench.store, wake=lambda job_id: marks.append(bench.job.cancel_requested_at), clock=bench.clock
    )
    cancel(JOB_ID)

    assert marks == [CREATED]


def test_asking_again_changes_nothing() -> None:
    bench = Bench(job_in(Phase.TRAINING))
    first = bench()
    bench.clock.advance(hours=1)

    again = bench()

    assert (again.version, again.cancel_requested_at) == (first.version, first.cancel_requested_at)


def test_asking_again_wakes_again_in_case_the_first_request_died_halfway() -> None:
    bench = Bench(job_in(Phase.CANCELLING, cancel_requested_at=CREATED - timedelta(seconds=1)))
    bench()

    assert bench.tokens.sent == ["t-1"]


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED])
@pytest.mark.parametrize("final", [True, False])
def test_a_job_that_ended_in_another_way_refuses_with_how_it_ended(status: JobStatus, final: bool) -> None:
    bench = Bench(ended(status) if final else job_in(Phase.TRAINING, outcome=Outcome(status=status)))
    before = bench.job

    with pytest.raises(ConflictError, match=f"has ended as {status}") as refused:
        bench()

    assert refused.value.code == "job_ended"
    assert bench.job == before
    assert bench.tokens.sent == []


@pytest.mark.parametrize("final", [True, False])
def test_a_cancelled_job_is_answered_as_it_is(final: bool) -> None:
    outcome = Outcome(status=JobStatus.CANCELLED)
    bench = Bench(ended(JobStatus.CANCELLED) if final else job_in(Phase.CANCELLING, outcome=outcome))
    before = bench.job

    assert bench() == before
    assert bench.job == before
    assert bench.tokens.sent == []


def test_an_end_that_comes_first_is_not_overwritten() -> None:
    """The store repeats a change that somebody else's write made void; the end is what it then sees."""
    bench = Bench(job_in(Phase.TRAINING))
    outcome = Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")
    bench.store.change(JOB_ID, lambda job: advance(job, job.phase, at=CREATED, outcome=outcome))

    with pytest.raises(ConflictError):
        bench()
    assert bench.job.cancel_requested_at is None


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(JobNotFoundError):
        Bench(job_in(Phase.TRAINING)).cancel("nosuchjob")
