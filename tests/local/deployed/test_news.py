"""News end the wait, whoever they come from; forged ones do not; where they are lost the next question finds out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from openai import OpenAI

from local.execution_waits import Wait
from local.simulators.bedrock import news as bedrock_news
from local.simulators.faults import Fault, FaultKind
from local.simulators.openai import webhooks
from tests.local.deployed.account import RARELY_SECONDS, Account, eventually
from tests.local.deployed.conftest import Trained
from tunedrop.domain.job import Job, JobStatus

TRAINING_SECONDS = 12.0
"""Of a job that is to be in its wait when it ends, on a busy machine as well."""
SOON_SECONDS = 30.0
"""From the provider's end of a job until the wait is over, on a busy machine. The next question is minutes away."""


def ended_at_provider(account: Account, job: Job) -> datetime:
    """When it ended, by the provider's own word, which is a whole second."""
    assert job.provider_job_id
    if job.provider == "bedrock":
        described = account.stack.aws.client("bedrock").get_model_customization_job(jobIdentifier=job.provider_job_id)
        ended: datetime = described["endTime"]
        return ended
    secret = account.stack.providers.credentials["openai"]
    with OpenAI(api_key=secret["api_key"], base_url=secret["base_url"]) as client:
        finished_at = client.fine_tuning.jobs.retrieve(job.provider_job_id).finished_at
    assert finished_at
    return datetime.fromtimestamp(finished_at, UTC)


def last_wait(account: Account, job: Job) -> Wait:
    """The one before the question that found the end."""
    assert job.execution_arn
    return [wait for wait in account.waits(job.execution_arn) if wait.state == "Wait"][-1]


@pytest.fixture(scope="module")
def told(account: Account) -> Mapping[str, Job]:
    """A job at each provider that tells of its end, which would be asked after ten minutes only."""
    with ExitStack() as rarely:
        rarely.enter_context(account.stack.providers.training_for(TRAINING_SECONDS))
        for provider in ("openai", "bedrock"):
            rarely.enter_context(account.asking_rarely(provider))
        job_ids = [account.create(), account.create(provider="bedrock", model="nova-lite")]
        jobs = account.when(job_ids, lambda job: job.is_final, "the jobs end by their news")
    return {job.provider: job for job in jobs}


@pytest.mark.parametrize("provider", ["openai", "bedrock"])
def test_the_end_of_a_training_ends_the_wait_while_the_next_question_is_far_away(
    provider: str, account: Account, told: Mapping[str, Job]
) -> None:
    job = told[provider]
    wait = last_wait(account, job)
    assert wait.seconds > RARELY_SECONDS / 2
    assert wait.woken_early
    assert (wait.left - ended_at_provider(account, job)).total_seconds() < SOON_SECONDS


def test_openai_is_told_that_its_webhook_has_arrived(account: Account, told: Mapping[str, Job]) -> None:
    assert told["openai"].status is JobStatus.SUCCEEDED
    answers = account.stack.webhooks.answers
    eventually(lambda: answers and answers[-1][1] == 204, "the webhook's own answer")


def test_a_provider_that_tells_nothing_is_asked(account: Account, trained: Mapping[str, Trained]) -> None:
    assert last_wait(account, trained["databricks"].job).error == "States.Timeout"


@pytest.mark.parametrize("how", ["with another secret", "unsigned", "an old one", "another body"])
def test_a_forged_webhook_is_refused_and_wakes_nobody(
    how: str, account: Account, trained: Mapping[str, Trained]
) -> None:
    job = trained["openai"].job
    before = account.record(job.job_id)["wake_seq"]
    event = webhooks.job_event(str(job.provider_job_id), "succeeded", created_at=int(time.time()))
    secret = account.stack.providers.credentials["openai"]["webhook_secret"]
    headers = {
        "with another secret": webhooks.signed_headers(event, secret=webhooks.new_secret()),
        "unsigned": {"content-type": "application/json"},
        "an old one": webhooks.signed_headers(event, secret=secret, at=int(time.time()) - 3600),
        "another body": webhooks.signed_headers(event, secret=secret),
    }[how]
    body = event.body + (b" " if how == "another body" else b"")
    reply = account.api.call("POST", "/v1/webhooks/openai", body, headers, signed=False)
    assert (reply.status, reply.document["code"]) == (400, "webhook_refused")
    assert account.record(job.job_id)["wake_seq"] == before


def test_a_webhook_that_comes_twice_wakes_once(account: Account, trained: Mapping[str, Trained]) -> None:
    job = trained["openai"].job
    before = int(account.record(job.job_id)["wake_seq"]["N"])
    event = webhooks.job_event(str(job.provider_job_id), "succeeded", created_at=int(time.time()))
    secret = account.stack.providers.credentials["openai"]["webhook_secret"]
    for _ in range(2):
        assert account.stack.webhooks.post(event.body, webhooks.signed_headers(event, secret=secret)) == 204
    assert int(account.record(job.job_id)["wake_seq"]["N"]) - before in {0, 1}  # one that has ended may be left alone


def test_an_end_whose_news_are_lost_is_found_by_the_next_question(account: Account) -> None:
    providers = account.stack.providers
    providers.openai.faults.add(Fault(operation=webhooks.OPERATION, kind=FaultKind.ERROR, times=50))
    providers.bedrock.faults.add(Fault(operation=bedrock_news.OPERATION, kind=FaultKind.ERROR, times=50))
    try:
        job_ids = [account.create(), account.create(provider="bedrock", model="nova-lite")]
        jobs = account.when(job_ids, lambda job: job.is_final, "the jobs end without news")
    finally:
        providers.openai.faults.clear()
        providers.bedrock.faults.clear()
    for job in jobs:
        assert job.status is JobStatus.SUCCEEDED
        assert job.execution_arn
        waits = [wait for wait in account.waits(job.execution_arn) if wait.state == "Wait"]
        assert {wait.error for wait in waits} == {"States.Timeout"}
