"""The API of the deployed stack: jobs made, repeated, listed and followed; what it refuses says why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.api_client import Reply
from tests.local.deployed.account import RIDDLES, Account, eventually
from tests.local.deployed.conftest import Trained
from tunedrop.domain.job import JobStatus, Phase

AWAITED = {"provider": "openai", "model": "gpt-4o-mini", "training_file": "later.jsonl", "upload": True}


@pytest.fixture(scope="module")
def awaiting(account: Account) -> Iterator[list[str]]:
    """Three jobs whose files never come, oldest first."""
    job_ids = [account.api.post("/v1/jobs", AWAITED).expect(202)["job_id"] for _ in range(3)]
    yield job_ids
    for job_id in job_ids:
        account.api.post(f"/v1/jobs/{job_id}/cancel").expect(200, 202)


def assert_problem(reply: Reply, status: int, code: str) -> Any:
    """An error in the form that all of the API's have; its document."""
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    problem = reply.document
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:problem-type:tunedrop:{code.replace('_', '-')}"
    assert problem["title"]
    assert problem["request_id"]
    return problem


def test_a_post_makes_a_job_of_a_file_in_the_inbox(account: Account) -> None:
    source = account.put("inbox/over-the-api.jsonl", RIDDLES)  # data beside a manifest: it makes no job by itself
    request = {"provider": "openai", "model": "gpt-4o-mini", "training_file": f"s3://{source.bucket}/{source.key}"}
    with account.long_trainings():
        reply = account.api.post("/v1/jobs", request)
        job_id = reply.expect(202)["job_id"]
        assert reply.headers["Location"].endswith(f"jobs/{job_id}")
        assert int(reply.headers["Retry-After"]) >= 1
        [job] = account.when([job_id], lambda job: job.provider_job_id is not None, "the job is at the provider")
    assert job.dataset
    assert job.dataset.training_rows == 16
    account.api.post(f"/v1/jobs/{job_id}/cancel").expect(200, 202)


def test_a_job_made_with_upload_waits_for_its_file_and_begins_when_it_comes(account: Account) -> None:
    created = account.api.post("/v1/jobs", AWAITED).expect(202)
    job_id = created["job_id"]
    assert (created["status"], created["phase"]) == ("not_started", "awaiting_upload")
    execution = account.waiting_for_its_file(job_id)
    with account.long_trainings():
        account.upload(created)
        [job] = account.when([job_id], lambda job: job.provider_job_id is not None, "the job is at the provider")
    assert job.dataset
    assert job.dataset.training_rows == 16
    assert [wait.error for wait in account.waits(execution) if wait.state == "WaitForFile"][-1] is None
    account.api.post(f"/v1/jobs/{job_id}/cancel").expect(200, 202)


def test_repeating_a_post_with_its_key_answers_again_and_makes_no_second_job(account: Account) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (account.api.post("/v1/jobs", AWAITED, key).expect(202) for _ in range(2))
    assert first["job_id"] == second["job_id"]
    assert account.execution_names("openai").count(first["job_id"]) == 1
    other = account.api.post("/v1/jobs", {**AWAITED, "model": "gpt-4.1"}, key)
    assert_problem(other, 422, "idempotency_key_reused")
    account.api.post(f"/v1/jobs/{first['job_id']}/cancel").expect(200, 202)


def test_a_list_is_newest_first_in_pages_by_status_and_provider(account: Account, awaiting: list[str]) -> None:
    question: dict[str, str | int] = {"status": "not_started", "provider": "openai", "limit": 2}
    seen: list[str] = []
    page = account.api.get("/v1/jobs", **question).expect(200)
    while True:
        assert len(page["jobs"]) <= 2
        assert {(job["status"], job["provider"]) for job in page["jobs"]} <= {("not_started", "openai")}
        seen += [job["job_id"] for job in page["jobs"]]
        if page["next_token"] is None:
            break
        token = page["next_token"]
        page = account.api.get("/v1/jobs", **question, next_token=token).expect(200)
    assert [job_id for job_id in seen if job_id in awaiting] == awaiting[::-1]
    assert len(set(seen)) == len(seen)
    assert_problem(account.api.get("/v1/jobs", status="failed", next_token=token), 400, "page_token_invalid")
    everything = account.api.get("/v1/jobs", limit=100).expect(200)["jobs"]
    assert [job["created_at"] for job in everything] == sorted((job["created_at"] for job in everything), reverse=True)


def test_a_job_and_its_timeline_are_shown(account: Account, trained: Mapping[str, Trained]) -> None:
    job = trained["bedrock"].job
    shown = account.api.get(f"/v1/jobs/{job.job_id}")
    assert "Retry-After" not in shown.headers
    document = shown.expect(200)
    assert (document["status"], document["tuned_model"]) == (JobStatus.SUCCEEDED, job.tuned_model)
    events = account.api.get(f"/v1/jobs/{job.job_id}/events", limit=100).expect(200)["events"]
    timeline = [event for event in events if not event["endpoint_status"]]
    assert [event["version"] for event in timeline] == list(range(1, job.version + 1))
    assert (timeline[0]["phase"], timeline[-1]["phase"]) == (Phase.RECEIVED, Phase.DONE)
    assert any(event["progress"] and event["progress"]["training_loss"] for event in timeline)


def test_the_timeline_of_a_job_holds_what_becomes_of_its_endpoint(
    account: Account, trained: Mapping[str, Trained]
) -> None:
    job_id = trained["bedrock"].job.job_id

    def look() -> bool:
        events = account.api.get(f"/v1/jobs/{job_id}/events", limit=100).expect(200)["events"]
        return {event["endpoint_status"] for event in events} >= {"starting", "ready"}

    eventually(look, "an endpoint that starts and is ready")  # it comes up after the job's end


def test_a_refresh_ends_the_wait_at_once_but_not_twice_in_30_seconds(account: Account, awaiting: list[str]) -> None:
    job = account.store.get(awaiting[0])
    execution = account.waiting_for_its_file(job.job_id)
    account.api.get(f"/v1/jobs/{job.job_id}", refresh="true").expect(200)
    eventually(lambda: any(wait.error is None for wait in account.waits(execution)), "the wait is over")
    account.api.get(f"/v1/jobs/{job.job_id}", refresh="true").expect(200)
    assert account.store.get(job.job_id).wake_seq == job.wake_seq + 1


@pytest.mark.parametrize(
    ("method", "path", "signed", "status", "code"),
    [
        ("GET", "/v1/jobs", False, 403, "not_signed"),
        ("POST", "/v1/jobs/abcdefghijklmnopqrstuvwxyz/cancel", False, 403, "not_signed"),
        ("GET", "/v1/nowhere", True, 403, "not_signed"),
        ("PATCH", "/v1/jobs", True, 403, "not_signed"),
        ("GET", "/v1/jobs/abcdefghijklmnopqrstuvwxyz", True, 404, "job_not_found"),
    ],
)
def test_what_the_gateway_or_the_function_refuses_is_a_problem(
    method: str, path: str, signed: bool, status: int, code: str, account: Account
) -> None:
    assert_problem(account.api.call(method, path, signed=signed), status, code)


def test_a_request_that_cannot_be_used_names_the_field(account: Account) -> None:
    problem = assert_problem(account.api.post("/v1/jobs", {**AWAITED, "modle": "x"}), 422, "request_invalid")
    assert "modle" in str(problem["errors"])
