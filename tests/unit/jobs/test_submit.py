"""Submit: intent, look, create, store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from tests.builders import CREATED, job_in, prepared
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.provider import MemoryProvider
from tests.fakes.workflow import MemoryTaskTokens
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    SubmissionUncertainError,
)
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.provider_ports import TrainingOrder
from tunedrop.jobs.request_cancel import RequestCancel
from tunedrop.jobs.step import StepOutcome, StepResult
from tunedrop.jobs.submit import SubmitJob
from tunedrop.jobs.wake import WakeJob


class Bench:
    """Submit with everything around it in memory."""

    def __init__(self, job: Job | None = None) -> None:
        self.clock = FakeClock()
        self.store = MemoryJobStore()
        self.provider = MemoryProvider()
        self.store.create(job or prepared())
        self.job_id = next(iter(self.store.jobs))
        self.submit = SubmitJob(
            store=self.store,
            connect=lambda job: self.provider,
            clock=self.clock,
            polling=PollingPolicy(jitter=0),
        )

    def __call__(self) -> StepResult:
        return self.submit(self.job_id)

    @property
    def job(self) -> Job:
        return self.store.get(self.job_id)

    def when_connecting(self, action: Callable[[], object]) -> None:
        """Something that happens between the first read of the record and whatever follows."""

        def connect(job: Job) -> MemoryProvider:
            action()
            return self.provider

        self.submit = replace(self.submit, connect=connect)

    def request_cancel(self) -> None:
        wake = WakeJob(store=self.store, tokens=MemoryTaskTokens(), clock=self.clock)
        RequestCancel(store=self.store, wake=wake, clock=self.clock)(self.job_id)


def test_a_prepared_job_is_created_once_and_its_id_stored() -> None:
    bench = Bench()

    result = bench()

    assert result == StepResult(job_id=bench.job_id, outcome=StepOutcome.SUBMITTED, wait_seconds=15)
    assert (bench.job.phase, bench.job.provider_job_id) == (Phase.QUEUED, "pj-0")
    assert [order.token for order in bench.provider.orders] == [f"tunedrop-{bench.job_id}"]


def test_the_intent_is_on_the_record_before_the_provider_is_called() -> None:
    bench = Bench()
    bench.provider.create_errors.append(ProviderUnavailableError("no answer"))

    with pytest.raises(ProviderUnavailableError):
        bench()

    assert bench.job.phase is Phase.SUBMITTING
    assert bench.job.submission is not None


def test_submitting_again_creates_nothing() -> None:
    bench = Bench()
    bench()

    assert bench().outcome is StepOutcome.SUBMITTED
    assert len(bench.provider.orders) == 1


def test_a_lost_reply_is_found_again_and_not_paid_twice() -> None:
    bench = Bench()
    bench.provider.lose_replies, bench.provider.lost_reply = 1, SubmissionUncertainError("lost")
    with pytest.raises(SubmissionUncertainError):
        bench()

    assert bench().outcome is StepOutcome.SUBMITTED
    assert (bench.job.provider_job_id, len(bench.provider.orders)) == ("pj-0", 1)


def test_a_list_that_lags_is_waited_for_before_another_attempt() -> None:
    bench = Bench()
    bench.provider.lose_replies, bench.provider.lost_reply = 1, SubmissionUncertainError("lost")
    bench.provider.hidden = True
    with pytest.raises(SubmissionUncertainError):
        bench()
    bench.clock.advance(seconds=20)

    assert bench() == StepResult(job_id=bench.job_id, outcome=StepOutcome.WAITING, wait_seconds=40)

    bench.clock.advance(seconds=40)
    bench.provider.hidden = False
    assert bench().outcome is StepOutcome.SUBMITTED
    assert len(bench.provider.orders) == 1


def test_a_job_that_never_reached_the_provider_is_created_at_the_next_attempt() -> None:
    bench = Bench()
    bench.provider.create_errors.append(SubmissionUncertainError("lost on the way there"))
    with pytest.raises(SubmissionUncertainError):
        bench()
    bench.clock.advance(seconds=61)

    assert bench().outcome is StepOutcome.SUBMITTED
    assert len(bench.provider.orders) == 1
    assert bench.job.submission is not None
    assert bench.job.submission.attempts == 2


def test_a_throttled_create_waits_as_long_as_the_provider_asks() -> None:
    bench = Bench()
    bench.provider.create_errors.append(ProviderThrottledError("too many jobs", retry_after=300))

    assert bench() == StepResult(job_id=bench.job_id, outcome=StepOutcome.WAITING, wait_seconds=300)
    assert (bench.job.phase, bench.job.last_error) == (Phase.WAITING_FOR_QUOTA, "too many jobs")

    assert bench().outcome is StepOutcome.SUBMITTED
    assert (bench.job.phase, bench.job.last_error) == (Phase.QUEUED, None)


def test_a_refusal_ends_the_job_with_the_providers_own_words() -> None:
    bench = Bench()
    bench.provider.create_errors.append(ProviderRejectedError("model x cannot be tuned", provider_code="bad_model"))

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome is not None
    assert bench.job.outcome.status is JobStatus.FAILED
    assert bench.job.outcome.error is not None
    assert bench.job.outcome.error.message == "model x cannot be tuned"
    assert bench.job.outcome.error.provider_code == "bad_model"


def test_a_refusal_after_a_lost_reply_warns_that_a_job_may_exist() -> None:
    bench = Bench()
    bench.provider.lose_replies, bench.provider.lost_reply = 1, SubmissionUncertainError("lost")
    with pytest.raises(SubmissionUncertainError):
        bench()
    bench.provider.find_error = CredentialsError("the key was revoked")

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome is not None
    assert bench.job.outcome.error is not None
    assert "the key was revoked" in bench.job.outcome.error.message
    assert f"look for 'tunedrop-{bench.job_id}'" in bench.job.outcome.error.message


def test_missing_credentials_end_the_job_before_anything_is_sent() -> None:
    bench = Bench()

    def refuse(job: Job) -> MemoryProvider:
        raise CredentialsError("no secret")

    submit = SubmitJob(store=bench.store, connect=refuse, clock=bench.clock, polling=PollingPolicy())

    assert submit(bench.job_id).outcome is StepOutcome.ENDED
    assert bench.job.submission is None
    assert bench.provider.orders == []


CAUSE = JobError(code="execution_aborted", message="Somebody stopped the execution.")


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.WAITING_FOR_QUOTA])
@pytest.mark.parametrize("cause", [None, CAUSE])
def test_a_job_cancelled_before_its_submission_is_never_sent(phase: Phase, cause: JobError | None) -> None:
    job = prepared() if phase is Phase.PREPARING else job_in(phase, submission=None)
    bench = Bench(msgspec.structs.replace(job, cancel_requested_at=CREATED, cancel_cause=cause))

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED, error=cause)
    assert bench.provider.orders == []


def test_a_cancelled_job_needs_no_credentials_to_end() -> None:
    bench = Bench(prepared(cancel_requested_at=CREATED))

    def refuse(job: Job) -> MemoryProvider:
        raise CredentialsError("no secret")

    submit = SubmitJob(store=bench.store, connect=refuse, clock=bench.clock, polling=PollingPolicy())

    assert submit(bench.job_id).outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED)


def test_the_intent_is_not_written_for_a_job_cancelled_in_the_last_moment() -> None:
    bench = Bench()
    bench.when_connecting(lambda: bench.request_cancel())

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED)
    assert bench.job.submission is None
    assert bench.provider.orders == []


def test_a_job_cancelled_while_it_is_created_is_stopped_at_once() -> None:
    bench = Bench()
    create = bench.provider.create

    def create_meanwhile(order: TrainingOrder) -> str:
        bench.request_cancel()
        return create(order)

    bench.provider.create = create_meanwhile  # type: ignore[method-assign]

    assert bench().outcome is StepOutcome.CANCEL
    assert (bench.job.phase, bench.job.provider_job_id) == (Phase.CANCELLING, "pj-0")


def lost_submission(bench: Bench, *, arrived: bool) -> None:
    """A create call whose reply was lost, and then a cancel."""
    if arrived:
        bench.provider.lose_replies, bench.provider.lost_reply = 1, SubmissionUncertainError("lost")
    else:
        bench.provider.create_errors.append(SubmissionUncertainError("lost on the way there"))
    with pytest.raises(SubmissionUncertainError):
        bench()
    bench.request_cancel()


def test_a_submission_in_doubt_is_found_first_and_then_stopped() -> None:
    bench = Bench()
    lost_submission(bench, arrived=True)

    assert bench().outcome is StepOutcome.CANCEL
    assert (bench.job.phase, bench.job.provider_job_id) == (Phase.CANCELLING, "pj-0")
    assert bench.job.outcome is None


def test_a_submission_in_doubt_is_waited_for_before_the_job_is_called_cancelled() -> None:
    bench = Bench()
    lost_submission(bench, arrived=True)
    bench.provider.hidden = True
    bench.clock.advance(seconds=20)

    assert bench() == StepResult(job_id=bench.job_id, outcome=StepOutcome.WAITING, wait_seconds=40, wake_seq=1)

    bench.clock.advance(seconds=40)
    bench.provider.hidden = False
    assert bench().outcome is StepOutcome.CANCEL


@pytest.mark.parametrize("days", [0, 8])
def test_a_submission_that_never_arrived_is_not_repeated_for_a_cancelled_job(days: int) -> None:
    bench = Bench()
    lost_submission(bench, arrived=False)
    bench.clock.advance(seconds=61, days=days)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED)
    assert bench.provider.orders == []


@pytest.mark.parametrize("arrived", [True, False])
def test_where_only_creating_finds_a_job_a_cancelled_one_in_doubt_is_created_again_and_then_stopped(
    arrived: bool,
) -> None:
    """Nothing else tells whether it is there, and billing; the token makes it the same job."""
    bench = Bench()
    bench.provider.found_by_creating, bench.provider.lookup_settle_seconds, bench.provider.hidden = True, 0, True
    lost_submission(bench, arrived=arrived)

    assert bench().outcome is StepOutcome.CANCEL
    assert (bench.job.outcome, bench.job.phase) == (None, Phase.CANCELLING)
    assert {order.token for order in bench.provider.orders} == {f"tunedrop-{bench.job_id}"}


def test_where_only_creating_finds_a_job_one_in_doubt_is_not_given_up_at_the_deadline() -> None:
    bench = Bench()
    bench.provider.found_by_creating, bench.provider.lookup_settle_seconds, bench.provider.hidden = True, 0, True
    bench.provider.lose_replies, bench.provider.lost_reply = 1, SubmissionUncertainError("lost")
    with pytest.raises(SubmissionUncertainError):
        bench()
    bench.clock.advance(days=8)

    assert bench().outcome is StepOutcome.SUBMITTED
    assert bench.job.outcome is None


def test_where_only_creating_finds_a_job_one_that_was_never_tried_is_still_not_sent() -> None:
    bench = Bench(prepared(cancel_requested_at=CREATED))
    bench.provider.found_by_creating = True

    assert bench().outcome is StepOutcome.ENDED
    assert bench.provider.orders == []


def test_a_job_whose_execution_was_lost_is_stopped_once() -> None:
    """Another execution begins with Submit; what the provider was told before is not told again."""
    bench = Bench(job_in(Phase.TRAINING, cancel_requested_at=CREATED))
    assert bench().outcome is StepOutcome.CANCEL

    told = {"cancel_requested_at": CREATED, "stop_sent_at": CREATED}
    assert Bench(job_in(Phase.CANCELLING, **told))().outcome is StepOutcome.SUBMITTED
    assert Bench(job_in(Phase.CANCELLING, **told, stop_refused=True))().outcome is StepOutcome.CANCEL


def test_two_attempts_at_once_create_one_job() -> None:
    """An attempt that was given up by the state machine may still be at work."""
    bench = Bench()
    other = SubmitJob(
        store=bench.store, connect=lambda job: bench.provider, clock=bench.clock, polling=PollingPolicy(jitter=0)
    )
    bench.when_connecting(lambda: other(bench.job_id))

    with pytest.raises(SubmissionUncertainError, match="another attempt"):
        bench()
    assert len(bench.provider.orders) == 1
    assert bench.job.outcome is None
    assert bench().outcome is StepOutcome.SUBMITTED


def test_a_wake_up_during_the_look_is_not_taken_for_seen() -> None:
    bench = Bench(prepared(wake_seq=4))
    bench.when_connecting(lambda: bench.store.wake(bench.job_id, at=CREATED))

    assert bench().wake_seq == 4
    assert bench.job.wake_seq == 5


def test_a_deadline_that_passes_while_waiting_for_quota_ends_the_job() -> None:
    bench = Bench(job_in(Phase.WAITING_FOR_QUOTA, submission=None, last_error="too many jobs"))
    bench.clock.advance(days=7)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome is not None
    assert bench.job.outcome.error is not None
    assert bench.job.outcome.error.code == "deadline_exceeded"
    assert "too many jobs" in bench.job.outcome.error.message
    assert bench.provider.orders == []
