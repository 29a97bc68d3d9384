"""A cancel at each moment of a job: the state machine carries it out, and its graph shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local.simulators.faults import FaultKind
from tests.workflow.account import Account
from tests.workflow.test_outcomes import CREATE, KEYS, add_fault, drop, every_provider, rows, seconds
from tunedrop import wiring
from tunedrop.domain.errors import ConflictError, SubmissionUncertainError
from tunedrop.domain.job import Job, JobStatus
from tunedrop.domain.provider_ports import ProviderState
from tunedrop.jobs.poll import PollJob
from tunedrop.jobs.submit import SubmitJob

END = ["Finish", "HowDidItEnd", "Cancelled"]


def state_at_the_provider(account: Account, job_id: str) -> ProviderState:
    """As the provider's own API tells it."""
    job = account.store.get(job_id)
    assert job.provider_job_id is not None
    poll = wiring.provider_task("poll")
    assert isinstance(poll, PollJob)
    return poll.connect(job).status(job.provider_job_id).state


def assert_cancelled(account: Account, job: Job) -> None:
    assert (job.status, job.error) == (JobStatus.CANCELLED, None), job
    assert account.states(job.job_id)[-3:] == END
    assert account.execution(job.job_id)["status"] == "SUCCEEDED"


@every_provider
def test_before_the_provider_knows_the_job(account: Account, provider: str) -> None:
    job = account.drop(KEYS[provider], rows(provider), after={"prepare": account.cancel})

    assert_cancelled(account, job)
    assert account.states(job.job_id) == ["Prepare", "IsPrepared", "Submit", "IsSubmitted", *END]
    assert account.jobs_created(provider) == 0
    assert job.submission is None


def test_while_its_file_is_awaited(account: Account) -> None:
    manifest = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "never.jsonl"}

    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode(), at={100: account.cancel})

    assert_cancelled(account, job)
    assert account.states(job.job_id)[-6:] == ["WaitForFile", "Prepare", "IsPrepared", *END]
    assert 100 <= seconds(job) < 110, "the cancel ends the wait"


@every_provider
def test_while_the_provider_takes_no_more_jobs(account: Account, provider: str) -> None:
    add_fault(account, provider, CREATE[provider], FaultKind.THROTTLE, times=1000)

    job = drop(account, provider, at={100: account.cancel})

    assert_cancelled(account, job)
    assert account.states(job.job_id)[-6:] == ["WaitToSubmit", "Submit", "IsSubmitted", *END]
    assert 100 <= seconds(job) < 110, "the cancel ends the wait"
    assert account.jobs_created(provider) == 0


@every_provider
def test_while_its_submission_is_in_doubt(account: Account, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is created, its id is lost, and then comes the cancel: found first, then stopped."""
    lose_the_id(monkeypatch)

    job = drop(account, provider, after={"submit": account.cancel})

    assert_cancelled(account, job)
    states = account.states(job.job_id)
    assert states[states.index("Cancel") - 1] == "IsSubmitted"
    assert account.jobs_created(provider) == 1
    assert state_at_the_provider(account, job.job_id) is ProviderState.CANCELLED


def lose_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first environment that has created a job dies before it can write that down."""
    store_id = SubmitJob._store_id
    died: list[str] = []

    def store_or_die(submit: SubmitJob, job: Job, provider_job_id: str) -> Job:
        if not died:
            died.append(provider_job_id)
            raise SubmissionUncertainError("the environment died")
        return store_id(submit, job, provider_job_id)

    monkeypatch.setattr(SubmitJob, "_store_id", store_or_die)


@every_provider
def test_after_a_submission_that_never_arrived(account: Account, provider: str) -> None:
    """Whether it did is not known until the provider's list cannot hide it any more."""
    add_fault(account, provider, CREATE[provider], FaultKind.ERROR, times=20)

    job = drop(account, provider, after={"submit": account.cancel})

    assert_cancelled(account, job)
    if provider == "databricks":  # where only creating it again tells whether it is there
        assert state_at_the_provider(account, job.job_id) is ProviderState.CANCELLED
    else:
        assert account.jobs_created(provider) == 0


@every_provider
def test_between_the_submission_and_the_first_look(account: Account, provider: str) -> None:
    job = drop(account, provider, after={"submit": account.cancel})

    assert_cancelled(account, job)
    states = account.states(job.job_id)
    assert states[4:8] == ["Wait", "Poll", "HasEnded", "Cancel"]
    assert state_at_the_provider(account, job.job_id) is ProviderState.CANCELLED


@every_provider
def test_while_it_trains(account: Account, provider: str) -> None:
    before: list[ProviderState] = []

    def look_and_cancel(job_id: str) -> None:
        before.append(state_at_the_provider(account, job_id))
        assert account.cancel(job_id).phase == "cancelling"

    job = drop(account, provider, at={70: look_and_cancel})

    assert_cancelled(account, job)
    assert before == [ProviderState.TRAINING]
    assert state_at_the_provider(account, job.job_id) is ProviderState.CANCELLED
    assert account.states(job.job_id).count("Cancel") == 1
    assert seconds(job) < 150, "the provider did not train to the end"


@every_provider
def test_twice(account: Account, provider: str) -> None:
    job = drop(account, provider, at={70: account.cancel, 70.5: account.cancel, 75: account.cancel})

    assert_cancelled(account, job)
    assert account.states(job.job_id).count("Cancel") == 1
    assert job.cancel_requested_at is not None
    assert (job.cancel_requested_at - job.created_at).total_seconds() == 70


@every_provider
def test_after_the_provider_has_finished(account: Account, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was done already when the cancel came, only nobody had looked."""
    monkeypatch.setenv("POLL_SHORTEST_SECONDS", "900")

    job = drop(account, provider, at={500: account.cancel})

    assert job.status is JobStatus.SUCCEEDED, job
    assert job.tuned_model
    assert job.cancel_requested_at is not None
    assert "Cancel" not in account.states(job.job_id)
    assert seconds(job) < 510, "the cancel ended the wait"


@every_provider
def test_a_provider_that_finishes_before_it_is_told_wins(account: Account, provider: str) -> None:
    """It was training when it was asked, and done when it was told to stop."""

    def cancel_and_finish(job_id: str) -> None:
        account.cancel(job_id)
        account.reactions["poll"] = [partial(account.time.sleep, 600)]

    job = drop(account, provider, at={70: cancel_and_finish})

    assert job.status is JobStatus.SUCCEEDED, job
    assert account.states(job.job_id).count("Cancel") == 1


def test_after_the_end(account: Account) -> None:
    succeeded = drop(account, "openai")
    with pytest.raises(ConflictError, match="has ended as succeeded"):
        account.cancel(succeeded.job_id)
    assert account.store.get(succeeded.job_id) == succeeded


def test_after_it_was_cancelled(account: Account) -> None:
    cancelled = drop(account, "openai", at={70: account.cancel})

    assert account.cancel(cancelled.job_id) == cancelled


@pytest.mark.parametrize("provider", ["openai", "bedrock"])
def test_a_provider_that_refuses_to_stop_is_told_again_until_it_does(account: Account, provider: str) -> None:
    """A key that was revoked when the cancel came, and mended later."""
    refuse, mend = keys_of(account, provider)

    def cancel(job_id: str) -> None:
        refuse()
        account.cancel(job_id)

    told: list[Any] = []

    def look(job_id: str) -> None:
        told.append(account.store.get(job_id))
        mend()

    job = drop(account, provider, at={40: cancel, 100: look})

    assert_cancelled(account, job)
    assert account.states(job.job_id).count("Cancel") >= 2
    [during] = told
    assert during.stop_refused
    assert "refused" in during.last_error
    assert not job.stop_refused


def keys_of(account: Account, provider: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """What makes the provider refuse our key, and what makes it take it again."""
    if provider == "openai":
        return lambda: account.openai.change_key("another"), lambda: account.openai.change_key("openai-key")
    known = set(account.bedrock.access_keys)
    return account.bedrock.access_keys.clear, lambda: account.bedrock.access_keys.update(known)


@every_provider
def test_in_the_moment_of_the_deadline(account: Account, provider: str) -> None:
    """Asked for by a user, so that the job has not failed."""
    manifest = {
        "provider": provider,
        "model": KEYS[provider].split("/")[2],
        "training_file": "train.jsonl",
        "deadline_hours": 72.5 / 3600,
    }
    account.put("inbox/train.jsonl", rows(provider))

    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode(), at={72: account.cancel})

    assert_cancelled(account, job)
