"""Waits that news end: what comes early is heard at once, nothing is lost, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.client
import pytest

from tests.workflow.account import Account
from tests.workflow.test_outcomes import KEYS, drop, errors, every_provider, rows, seconds
from tunedrop import wiring
from tunedrop.domain.job import Job, JobStatus, Phase, job_id_from
from tunedrop.domain.job_request import JobRequest


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news, nobody looks for nine minutes or more; the trainings here end long before."""
    monkeypatch.setenv("POLL_SHORTEST_SECONDS", "600")


def polls(account: Account, job: Job) -> int:
    return account.states(job.job_id).count("Poll")


@every_provider
@pytest.mark.usefixtures("quiet")
def test_news_end_the_wait(account: Account, provider: str) -> None:
    job = drop(account, provider, at={300: account.wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert 300 <= seconds(job) < 310
    assert polls(account, job) == 1


@every_provider
@pytest.mark.usefixtures("quiet")
def test_lost_news_are_made_good_by_the_next_look(account: Account, provider: str) -> None:
    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert seconds(job) >= 540
    assert polls(account, job) == 1


@every_provider
@pytest.mark.usefixtures("quiet")
def test_news_between_the_look_and_the_wait_are_not_lost(account: Account, provider: str) -> None:
    """The provider had answered when they came, and the wait had not begun: it finds them on the record."""

    def finish_and_wake(job_id: str) -> None:
        account.time.sleep(300)
        account.wake(job_id)

    job = drop(account, provider, at={40: account.wake}, after={"poll": finish_and_wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert 340 <= seconds(job) < 350, "the second look came at once"
    states = account.states(job.job_id)
    assert states[4:9] == ["Wait", "Poll", "HasEnded", "Wait", "Poll"]
    assert errors(account, job) == ["DynamoDb.ConditionalCheckFailedException"]


@every_provider
def test_news_before_the_first_wait_are_not_lost(account: Account, provider: str) -> None:
    job = account.drop(KEYS[provider], rows(provider), after={"submit": account.wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert errors(account, job) == ["DynamoDb.ConditionalCheckFailedException"]


@pytest.mark.usefixtures("quiet")
def test_many_wake_ups_at_once_make_one_look(account: Account) -> None:
    def wake(job_id: str) -> None:
        for _ in range(20):
            account.wake(job_id)

    job = drop(account, "openai", at={300: wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert polls(account, job) == 1
    assert job.wake_seq == 20


@pytest.mark.usefixtures("quiet")
def test_wake_ups_that_are_no_news_make_one_look_each_and_then_the_wait_goes_on(account: Account) -> None:
    job = drop(account, "openai", at={20: account.wake, 21: account.wake, 22: account.wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert polls(account, job) == 4
    assert seconds(job) >= 540


def test_a_job_that_has_ended_is_not_woken_to_do_anything(account: Account) -> None:
    job = drop(account, "openai")
    events = len(account.history(job.job_id))

    account.wake(job.job_id)

    assert len(account.history(job.job_id)) == events
    assert account.store.get(job.job_id).status is JobStatus.SUCCEEDED


def create_awaiting_upload(account: Account, *, at: float, action: Callable[[str, str], object]) -> Job:
    """A job made to have its file uploaded; `action` gets its id and the file's key, so many seconds later."""
    job_id = job_id_from("key", "one")
    account.time.at(at, lambda: action(job_id, f"uploads/{job_id}/train.jsonl"))
    request = JobRequest(provider="openai", model="gpt-4.1-mini", training_file="train.jsonl")
    job = wiring.create_job()(request, upload=True, idempotency_key="one")
    assert (job.job_id, job.phase) == (job_id, Phase.AWAITING_UPLOAD)
    return account.ended(job_id)


def test_an_upload_is_heard_of_at_once(account: Account) -> None:
    def upload(job_id: str, key: str) -> None:
        assert account.store.get(job_id).phase is Phase.AWAITING_UPLOAD
        account.deliver(key, account.put(key, rows("openai")))

    job = create_awaiting_upload(account, at=4 * 3600, action=upload)

    assert job.status is JobStatus.SUCCEEDED, job
    assert job.submission is not None
    assert 0 <= (job.submission.attempted_at - job.created_at).total_seconds() - 4 * 3600 < 10
    assert account.states(job.job_id).count("WaitForFile") < 25


def test_a_job_whose_upload_is_awaited_can_be_cancelled(account: Account) -> None:
    job = create_awaiting_upload(account, at=4 * 3600, action=lambda job_id, key: account.cancel(job_id))

    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    assert 0 <= seconds(job) - 4 * 3600 < 10


class Record:
    """The table refuses tokens: as many as `times`, with the error `code`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, code: str, times: int) -> None:
        self.refused = 0
        call = botocore.client.BaseClient._make_api_call

        def answer(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            if "wait_token" not in parameters.get("UpdateExpression", "") or self.refused >= times:
                return call(client, operation, parameters)
            self.refused += 1
            error = {"Error": {"Code": code, "Message": "refused"}}
            metadata = {"HTTPStatusCode": 400, "RequestId": "r"}
            raise client.exceptions.from_code(code)({**error, "ResponseMetadata": metadata}, operation)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)


@every_provider
def test_a_token_that_cannot_be_stored_costs_the_news_and_nothing_else(
    account: Account, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a role that lost its permission: the intervals are kept all the same."""
    Record(monkeypatch, code="ResourceNotFoundException", times=1000)

    job = drop(account, provider, at={70: account.wake})

    assert job.status is JobStatus.SUCCEEDED, job
    states = account.states(job.job_id)
    assert states.count("WaitPlainly") == states.count("Wait") >= 2
    assert seconds(job) >= 150


@pytest.mark.usefixtures("quiet")
def test_a_write_in_the_way_of_a_token_is_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(monkeypatch, code="TransactionConflictException", times=2)

    job = drop(account, "openai", at={300: account.wake})

    assert job.status is JobStatus.SUCCEEDED, job
    assert record.refused == 2
    assert "WaitPlainly" not in account.states(job.job_id)
    assert seconds(job) < 310
