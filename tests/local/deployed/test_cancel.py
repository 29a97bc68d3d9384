"""Cancelling over the API, before the provider knows the job and while it trains; and trying again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from openai import OpenAI

from tests.local.deployed.account import Account
from tests.local.deployed.conftest import Trained
from tunedrop.domain.job import Job, JobStatus, Phase

MODELS = {"openai": "gpt-4o-mini", "bedrock": "nova-lite", "databricks": "llama-3.2-3b"}
each_provider = pytest.mark.parametrize("provider", sorted(MODELS))


@pytest.fixture(scope="module")
def cancelled(account: Account) -> Mapping[str, Job]:
    """A job at each provider, cancelled while it trained, and ended."""
    with account.long_trainings():
        job_ids = [account.create(provider=provider, model=model) for provider, model in MODELS.items()]
        account.when(job_ids, lambda job: job.phase in {Phase.QUEUED, Phase.TRAINING}, "the jobs are at the providers")
    for job_id in job_ids:
        answer = account.api.post(f"/v1/jobs/{job_id}/cancel").expect(202)
        assert answer["phase"] == Phase.CANCELLING
        account.api.post(f"/v1/jobs/{job_id}/cancel").expect(200, 202)  # as often as you like
    return {job.provider: job for job in account.when(job_ids, lambda job: job.is_final, "the jobs end")}


def status_at_provider(account: Account, job: Job) -> str:
    """The provider's own word, asked with its SDK."""
    assert job.provider_job_id
    if job.provider == "bedrock":
        client = account.stack.aws.client("bedrock")
        return str(client.get_model_customization_job(jobIdentifier=job.provider_job_id)["status"])
    if job.provider == "openai":
        secret = account.stack.providers.credentials["openai"]
        with OpenAI(api_key=secret["api_key"], base_url=secret["base_url"]) as openai:
            return openai.fine_tuning.jobs.retrieve(job.provider_job_id).status
    state = account.databricks.jobs.get_run(int(job.provider_job_id)).state
    return str(state.result_state.value) if state and state.result_state else "none"


@each_provider
def test_a_job_cancelled_while_it_trains_ends_as_cancelled_and_is_stopped_at_its_provider(
    provider: str, account: Account, cancelled: Mapping[str, Job]
) -> None:
    job = cancelled[provider]
    assert (job.status, job.phase, job.tuned_model) == (JobStatus.CANCELLED, Phase.DONE, None)
    assert job.stop_sent_at
    assert status_at_provider(account, job) in {"cancelled", "Stopped", "CANCELED"}
    assert job.execution_arn
    assert account.end_of(job.execution_arn) == "SUCCEEDED"
    assert account.report(job)["job"]["status"] == "cancelled"


@each_provider
def test_cancelling_it_again_after_its_end_says_that_it_is(
    provider: str, account: Account, cancelled: Mapping[str, Job]
) -> None:
    answer = account.api.post(f"/v1/jobs/{cancelled[provider].job_id}/cancel").expect(200)
    assert answer["status"] == "cancelled"


def test_a_job_cancelled_before_its_file_came_ends_at_once_and_no_provider_hears_of_it(account: Account) -> None:
    before = account.jobs_at_providers()
    created = account.api.post(
        "/v1/jobs", {"provider": "bedrock", "model": "nova-lite", "training_file": "never.jsonl", "upload": True}
    ).expect(202)
    execution = account.waiting_for_its_file(created["job_id"])
    account.api.post(f"/v1/jobs/{created['job_id']}/cancel").expect(202)
    [job] = account.when([created["job_id"]], lambda job: job.is_final, "the job ends")
    assert (job.status, job.provider_job_id, job.submission) == (JobStatus.CANCELLED, None, None)
    assert [wait.error for wait in account.waits(execution) if wait.state == "WaitForFile"][-1] is None
    assert account.jobs_at_providers() == before


def test_a_job_that_succeeded_is_not_cancelled(account: Account, trained: Mapping[str, Trained]) -> None:
    reply = account.api.post(f"/v1/jobs/{trained['openai'].job.job_id}/cancel")
    assert (reply.status, reply.document["code"]) == (409, "job_ended")


def test_a_cancelled_job_is_tried_again_from_its_prepared_file_as_one_new_job(
    account: Account, cancelled: Mapping[str, Job]
) -> None:
    old = cancelled["openai"]
    with account.long_trainings():
        first, second = (account.api.post(f"/v1/jobs/{old.job_id}/retry").expect(202) for _ in range(2))
        assert first["job_id"] == second["job_id"] != old.job_id
        assert first["retry_of"] == old.job_id
        [job] = account.when([first["job_id"]], lambda job: job.provider_job_id is not None, "it is at the provider")
    assert job.provider_job_id != old.provider_job_id
    assert job.dataset
    assert old.dataset
    assert job.dataset.sha256 == old.dataset.sha256
    account.api.post(f"/v1/jobs/{job.job_id}/cancel").expect(202)
