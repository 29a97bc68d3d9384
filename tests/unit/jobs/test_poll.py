"""Poll: the provider's answer, or the deadline, decides what comes next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.builders import CREATED, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.provider import MemoryProvider
from tunedrop.domain.errors import CredentialsError, ProviderThrottledError, ProviderUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, Progress
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.provider_ports import ProviderJob, ProviderState
from tunedrop.domain.transitions import advance
from tunedrop.jobs.poll import STOP_GRACE, PollJob
from tunedrop.jobs.step import StepOutcome, StepResult


class Bench:
    """Poll with everything around it in memory."""

    def __init__(self, *answers: ProviderJob | Exception, phase: Phase = Phase.QUEUED, **changes: object) -> None:
        self.clock = FakeClock()
        self.store = MemoryJobStore()
        self.provider = MemoryProvider()
        self.provider.answers.extend(answers)
        self.store.create(job_in(phase, **changes))
        self.job_id = next(iter(self.store.jobs))
        self.poll = PollJob(
            store=self.store,
            connect=lambda job: self.provider,
            clock=self.clock,
            polling=PollingPolicy(jitter=0),
        )

    def __call__(self) -> StepResult:
        return self.poll(self.job_id)

    def during_the_look(self, action: Callable[[], object]) -> None:
        """Something that happens while the provider is asked."""
        status = self.provider.status

        def asked(provider_job_id: str) -> ProviderJob:
            action()
            return status(provider_job_id)

        self.provider.status = asked  # type: ignore[method-assign]

    @property
    def job(self) -> Job:
        return self.store.get(self.job_id)


def answer(state: ProviderState, **fields: object) -> ProviderJob:
    return ProviderJob(state=state, raw_status=state.value.upper(), **fields)  # type: ignore[arg-type]


def test_a_job_that_trains_goes_on_and_shows_its_progress() -> None:
    progress = Progress(step=12, total_steps=24, training_loss=0.61)
    bench = Bench(answer(ProviderState.TRAINING, progress=progress))
    bench.clock.advance(hours=1)

    assert bench() == StepResult(job_id=bench.job_id, outcome=StepOutcome.RUNNING, wait_seconds=180)
    assert (bench.job.phase, bench.job.progress, bench.job.provider_status) == (Phase.TRAINING, progress, "TRAINING")


def test_an_answer_without_news_writes_nothing() -> None:
    bench = Bench(answer(ProviderState.TRAINING))
    bench()
    version = bench.job.version

    bench()

    assert bench.job.version == version


def test_success_names_the_tuned_model() -> None:
    bench = Bench(answer(ProviderState.SUCCEEDED, tuned_model="ft:x"), phase=Phase.TRAINING)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome is not None
    assert (bench.job.outcome.status, bench.job.outcome.tuned_model) == (JobStatus.SUCCEEDED, "ft:x")


def test_success_without_a_model_is_no_success() -> None:
    bench = Bench(answer(ProviderState.SUCCEEDED), phase=Phase.TRAINING)
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.status is JobStatus.FAILED


def test_a_failed_training_ends_with_the_providers_own_words() -> None:
    bench = Bench(answer(ProviderState.FAILED, error_code="invalid_training_file", error_message="row 7 is bad"))
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.error is not None
    assert (bench.job.outcome.error.message, bench.job.outcome.error.provider_code) == (
        "row 7 is bad",
        "invalid_training_file",
    )


def test_a_job_stopped_in_the_providers_console_ends_as_cancelled_and_says_so() -> None:
    bench = Bench(answer(ProviderState.CANCELLED), phase=Phase.TRAINING)
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.status is JobStatus.CANCELLED
    assert bench.job.outcome.error is not None
    assert "not by Tunedrop" in bench.job.outcome.error.message


def test_a_word_that_nobody_knows_keeps_polling_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ProviderJob(state=ProviderState.UNKNOWN, raw_status="hibernating"), phase=Phase.TRAINING)

    assert bench().outcome is StepOutcome.RUNNING
    assert (bench.job.phase, bench.job.provider_status) == (Phase.TRAINING, "hibernating")
    assert caplog.records[0].__dict__["provider_status"] == "hibernating"


def test_a_throttled_look_waits_as_long_as_the_provider_asks() -> None:
    bench = Bench(ProviderThrottledError("slow down", retry_after=90))

    assert bench() == StepResult(job_id=bench.job_id, outcome=StepOutcome.RUNNING, wait_seconds=90)
    assert bench.job.last_error == "slow down"


def test_trouble_that_may_pass_is_for_the_state_machine_to_retry() -> None:
    bench = Bench(ProviderUnavailableError("no answer"))

    with pytest.raises(ProviderUnavailableError):
        bench()


def test_a_revoked_key_does_not_end_a_job_that_may_be_billing() -> None:
    bench = Bench(CredentialsError("the key was revoked"), answer(ProviderState.TRAINING), phase=Phase.TRAINING)

    assert bench().outcome is StepOutcome.RUNNING
    assert bench.job.last_error == "the key was revoked"

    bench()
    assert bench.job.last_error is None


def test_the_deadline_leads_to_cancel() -> None:
    bench = Bench(answer(ProviderState.TRAINING), phase=Phase.TRAINING)
    bench.clock.advance(days=7)

    assert bench().outcome is StepOutcome.DEADLINE


def test_no_wait_passes_over_the_deadline() -> None:
    bench = Bench(ProviderThrottledError("slow down", retry_after=3600), phase=Phase.TRAINING)
    bench.clock.advance(days=7, seconds=-100)

    assert bench().wait_seconds == 101


def test_a_job_that_ends_in_the_last_moment_has_succeeded_all_the_same() -> None:
    bench = Bench(answer(ProviderState.SUCCEEDED, tuned_model="ft:x"), phase=Phase.TRAINING)
    bench.clock.advance(days=8)
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.status is JobStatus.SUCCEEDED


def test_a_job_that_the_deadline_stopped_has_failed_and_says_so() -> None:
    bench = Bench(answer(ProviderState.CANCELLED), phase=Phase.CANCELLING, stop_sent_at=CREATED + timedelta(days=7))
    bench.clock.advance(days=7, seconds=30)
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.status is JobStatus.FAILED
    assert bench.job.outcome.error is not None
    assert bench.job.outcome.error.code == "deadline_exceeded"


def test_a_job_that_is_being_stopped_stays_in_cancelling() -> None:
    bench = Bench(answer(ProviderState.TRAINING), phase=Phase.CANCELLING, stop_sent_at=CREATED)

    assert bench().outcome is StepOutcome.RUNNING
    assert bench.job.phase is Phase.CANCELLING


@pytest.mark.parametrize(("asked", "words"), [(None, "The deadline passed"), (CREATED, "The job was to be cancelled")])
def test_a_provider_that_never_confirms_a_stop_ends_the_job_loudly(asked: datetime | None, words: str) -> None:
    bench = Bench(
        answer(ProviderState.STOPPING),
        phase=Phase.CANCELLING,
        cancel_requested_at=asked,
        stop_sent_at=CREATED + timedelta(days=7),
    )
    bench.clock.advance(days=7, seconds=STOP_GRACE.total_seconds())
    bench()

    assert bench.job.outcome is not None
    assert bench.job.outcome.error is not None
    assert bench.job.outcome.error.code == "stop_unconfirmed"
    assert bench.job.outcome.error.message.startswith(f"{words}, and 12 hours after the request to stop")
    assert "pj-0" in bench.job.outcome.error.message


ASKED = {"cancel_requested_at": CREATED}
TOLD = {**ASKED, "stop_sent_at": CREATED}
REFUSED = {**TOLD, "stop_refused": True, "last_error": "The provider refused to stop the job: no"}


def test_a_cancel_leads_to_cancel_once_the_provider_says_that_the_job_goes_on() -> None:
    assert Bench(answer(ProviderState.TRAINING), phase=Phase.TRAINING, **ASKED)().outcome is StepOutcome.CANCEL
    assert Bench(answer(ProviderState.QUEUED), phase=Phase.QUEUED, **ASKED)().outcome is StepOutcome.CANCEL


def test_a_cancel_during_the_look_is_seen_by_it() -> None:
    bench = Bench(answer(ProviderState.TRAINING), phase=Phase.TRAINING)
    bench.during_the_look(lambda: bench.store.change(bench.job_id, cancelling))

    assert bench().outcome is StepOutcome.CANCEL


def cancelling(job: Job) -> Job:
    return advance(job, Phase.CANCELLING, at=CREATED, cancel_requested_at=CREATED)


def test_a_provider_that_was_told_is_not_told_again() -> None:
    assert Bench(answer(ProviderState.STOPPING), phase=Phase.CANCELLING, **TOLD)().outcome is StepOutcome.RUNNING


def test_a_provider_that_refused_to_stop_is_told_again_and_the_refusal_stays_on_the_record() -> None:
    bench = Bench(answer(ProviderState.TRAINING), phase=Phase.CANCELLING, **REFUSED)

    assert bench().outcome is StepOutcome.CANCEL
    assert bench.job.last_error == REFUSED["last_error"]


def test_a_deadlines_stop_that_was_refused_is_sent_again() -> None:
    bench = Bench(
        answer(ProviderState.TRAINING),
        phase=Phase.CANCELLING,
        stop_sent_at=CREATED + timedelta(days=7),
        stop_refused=True,
    )
    bench.clock.advance(days=7, seconds=15)

    assert bench().outcome is StepOutcome.DEADLINE


@pytest.mark.parametrize("trouble", [CredentialsError("revoked"), ProviderThrottledError("slow", retry_after=900)])
def test_a_cancel_does_not_wait_for_a_provider_that_does_not_say_how_the_job_is(trouble: Exception) -> None:
    assert Bench(trouble, phase=Phase.CANCELLING, **ASKED)().outcome is StepOutcome.CANCEL


@pytest.mark.parametrize("changes", [ASKED, TOLD, REFUSED])
def test_a_provider_that_finished_before_the_cancel_wins(changes: dict[str, object]) -> None:
    bench = Bench(answer(ProviderState.SUCCEEDED, tuned_model="ft:x"), phase=Phase.CANCELLING, **changes)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")


@pytest.mark.parametrize("cause", [None, JobError(code="execution_aborted", message="Somebody stopped the execution.")])
def test_a_cancelled_job_ends_as_cancelled_when_the_provider_says_so(cause: JobError | None) -> None:
    bench = Bench(answer(ProviderState.CANCELLED), phase=Phase.CANCELLING, **TOLD, cancel_cause=cause)
    bench()

    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED, error=cause)


def test_a_provider_that_tells_news_is_asked_often_at_first_and_then_every_quarter_of_an_hour() -> None:
    waits = []
    bench = Bench(answer(ProviderState.TRAINING), phase=Phase.TRAINING)
    bench.provider.tells_news = True
    for _ in range(5):
        waits.append(bench().wait_seconds)
        bench.clock.advance(seconds=waits[-1])

    assert waits == [15, 45, 180, 720, 900]


def test_trouble_to_hear_of_a_provider_that_tells_news_is_no_reason_to_ask_it_more_often() -> None:
    bench = Bench(CredentialsError("revoked"), phase=Phase.TRAINING)
    bench.provider.tells_news = True
    bench.clock.advance(seconds=600)

    assert bench().wait_seconds == 900


def test_a_wake_up_during_the_look_is_not_taken_for_seen() -> None:
    """The wait that follows finds another count on the record, and is over at once."""
    bench = Bench(answer(ProviderState.TRAINING), wake_seq=2)
    bench.during_the_look(lambda: bench.store.wake(bench.job_id, at=CREATED))

    assert bench().wake_seq == 2
    assert bench.job.wake_seq == 3
