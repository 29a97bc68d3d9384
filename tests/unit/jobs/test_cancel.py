"""Cancel: the provider is told; only its own answer ends the job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.provider import MemoryProvider
from tunedrop.domain.errors import CredentialsError, ProviderRejectedError, ProviderUnavailableError
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.transitions import advance
from tunedrop.jobs.cancel import CancelJob
from tunedrop.jobs.step import StepOutcome


@pytest.fixture
def store() -> MemoryJobStore:
    store = MemoryJobStore()
    store.create(job_in(Phase.TRAINING))
    return store


@pytest.fixture
def provider() -> MemoryProvider:
    return MemoryProvider()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cancel(store: MemoryJobStore, provider: MemoryProvider, clock: FakeClock) -> CancelJob:
    return CancelJob(store=store, connect=lambda job: provider, clock=clock, polling=PollingPolicy(jitter=0))


def test_the_provider_is_told_and_polling_goes_on(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider
) -> None:
    result = cancel(JOB_ID)

    assert (result.outcome, result.wait_seconds) == (StepOutcome.RUNNING, 15)
    assert provider.stopped == ["pj-0"]
    assert store.get(JOB_ID).phase is Phase.CANCELLING
    assert store.get(JOB_ID).stop_sent_at == FakeClock().now()


def test_a_provider_that_does_not_answer_is_asked_again(cancel: CancelJob, provider: MemoryProvider) -> None:
    provider.stop_error = ProviderUnavailableError("no answer")

    with pytest.raises(ProviderUnavailableError):
        cancel(JOB_ID)


def test_a_refusal_to_stop_is_kept_on_the_record_and_polling_goes_on(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider
) -> None:
    provider.stop_error = ProviderRejectedError("not allowed")

    assert cancel(JOB_ID).outcome is StepOutcome.RUNNING
    assert "refused to stop the job: not allowed" in (store.get(JOB_ID).last_error or "")
    assert store.get(JOB_ID).stop_refused


def test_a_refusal_that_is_repeated_is_written_once_and_asked_for_ever_more_rarely(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider, clock: FakeClock
) -> None:
    provider.stop_error = ProviderRejectedError("not allowed")
    cancel(JOB_ID)
    version = store.get(JOB_ID).version
    clock.advance(hours=1)

    assert cancel(JOB_ID).wait_seconds == 180
    assert store.get(JOB_ID).version == version


def test_a_request_that_is_taken_at_last_takes_the_refusal_off_the_record(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider, clock: FakeClock
) -> None:
    provider.stop_error = ProviderRejectedError("not allowed")
    cancel(JOB_ID)
    clock.advance(hours=1)
    provider.stop_error = None
    cancel(JOB_ID)

    job = store.get(JOB_ID)
    assert (job.stop_refused, job.last_error) == (False, None)
    assert job.stop_sent_at == CREATED, "the provider's time to obey began with the first request"


def test_a_missing_secret_is_a_refusal_too(store: MemoryJobStore, clock: FakeClock) -> None:
    def refuse(job: Job) -> MemoryProvider:
        raise CredentialsError("no secret")

    result = CancelJob(store=store, connect=refuse, clock=clock, polling=PollingPolicy())(JOB_ID)

    assert (result.outcome, store.get(JOB_ID).stop_refused) == (StepOutcome.RUNNING, True)


def test_a_job_that_ended_meanwhile_is_left_alone(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider
) -> None:
    outcome = Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")
    store.change(JOB_ID, lambda job: advance(job, job.phase, at=CREATED, outcome=outcome))

    assert cancel(JOB_ID).outcome is StepOutcome.ENDED
    assert provider.stopped == []


def test_a_provider_that_tells_news_is_asked_rarely_whether_it_has_stopped(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider, clock: FakeClock
) -> None:
    provider.tells_news = True
    store.change(JOB_ID, lambda job: advance(job, Phase.CANCELLING, at=CREATED, stop_sent_at=CREATED))
    clock.advance(hours=1)

    assert cancel(JOB_ID).wait_seconds == 900


def test_no_news_tell_that_a_refusal_has_passed(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider, clock: FakeClock
) -> None:
    provider.tells_news = True
    provider.stop_error = ProviderRejectedError("not allowed")
    cancel(JOB_ID)
    clock.advance(hours=1)

    assert cancel(JOB_ID).wait_seconds == 180


def test_a_wake_up_during_the_call_is_not_taken_for_seen(
    cancel: CancelJob, store: MemoryJobStore, provider: MemoryProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "stop", lambda _: store.wake(JOB_ID, at=CREATED + timedelta(seconds=1)))

    assert cancel(JOB_ID).wake_seq == 0
    assert store.get(JOB_ID).wake_seq == 1
