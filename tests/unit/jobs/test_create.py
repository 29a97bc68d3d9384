"""Create: a request over the API, one job, one execution."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.errors import ConflictError, RequestInvalidError, StoreUnavailableError
from tunedrop.domain.job import Job, JobStatus, Phase, job_id_from
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.transitions import advance
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.create import CreateJob


class Desk:
    """Where requests come in, with everything around it in memory."""

    def __init__(self) -> None:
        self.store = MemoryJobStore()
        self.workflow = MemoryWorkflow()
        self.clock = FakeClock()
        accept = AcceptJob(workflow=self.workflow, inbox_bucket="the-inbox", readable_buckets=["data"])
        self.create_job = CreateJob(store=self.store, accept=accept, clock=self.clock)

    def create(self, *, upload: bool = False, key: str | None = None, **fields: Any) -> Job:
        return self.create_job(request(**fields), upload=upload, idempotency_key=key)

    def refused(self, *, upload: bool = False, **fields: Any) -> str:
        """Why the request is refused; nothing may be left behind."""
        with pytest.raises(RequestInvalidError) as caught:
            self.create(upload=upload, **fields)
        assert self.store.jobs == {}
        assert self.workflow.executions == []
        return str(caught.value)


def request(**fields: Any) -> JobRequest:
    given = {"provider": "bedrock", "model": "nova-lite", "training_file": "train.jsonl", **fields}
    return JobRequest(**given)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_request_makes_a_job_and_starts_its_execution(desk: Desk) -> None:
    job = desk.create(deadline_hours=6, hyperparameters={"epochs": 2})

    assert desk.store.jobs == {job.job_id: job}
    assert re.fullmatch(r"[a-z2-7]{26}", job.job_id)
    assert (job.provider, job.model, job.base_model) == ("bedrock", "nova-lite", "amazon.nova-lite-v1:0:300k")
    assert (job.status, job.phase, job.source) == (JobStatus.NOT_STARTED, Phase.RECEIVED, None)
    assert job.request == request(
        training_file="s3://the-inbox/inbox/train.jsonl", deadline_hours=6, hyperparameters={"epochs": 2}
    )
    assert (job.deadline_at - job.created_at).total_seconds() == 6 * 3600
    assert desk.workflow.executions == [("bedrock", job.job_id)]
    assert desk.workflow.inputs[job.job_id]["job_id"] == job.job_id
    assert job.execution_arn == desk.workflow.execution_arn("bedrock", job.job_id)


def test_without_a_deadline_a_job_has_seven_days(desk: Desk) -> None:
    job = desk.create()
    assert (job.deadline_at - job.created_at).days == 7


def test_two_requests_without_a_key_are_two_jobs(desk: Desk) -> None:
    assert desk.create().job_id != desk.create().job_id
    assert len(desk.workflow.executions) == 2


def test_a_key_makes_one_job_however_often_it_is_sent(desk: Desk) -> None:
    first = desk.create(key="order-7")
    desk.clock.advance(hours=30)
    second = desk.create(key="order-7")

    assert first == second
    assert first.job_id == job_id_from("key", "order-7")
    assert len(desk.store.jobs) == len(desk.workflow.executions) == 1
    assert desk.create(key="order-8").job_id != first.job_id


@pytest.mark.parametrize(
    "other", [{"model": "nova-pro"}, {"training_file": "other.jsonl"}, {"upload": True}, {"job_name": "x"}]
)
def test_a_key_that_made_another_job_is_refused(desk: Desk, other: dict[str, Any]) -> None:
    first = desk.create(key="order-7")

    with pytest.raises(ConflictError, match=f"made job {first.job_id} before") as caught:
        desk.create(key="order-7", **other)
    assert caught.value.code == "idempotency_key_reused"
    assert desk.store.jobs == {first.job_id: first}
    assert len(desk.workflow.executions) == 1


def test_a_request_that_crashed_after_its_write_is_finished_by_its_repetition(desk: Desk) -> None:
    start = desk.workflow.start

    def crash(provider: str, name: str, state: Any) -> None:
        raise StoreUnavailableError("Step Functions did not answer")

    desk.workflow.start = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        desk.create(key="order-7")
    [unfinished] = desk.store.jobs.values()

    desk.workflow.start = start  # type: ignore[method-assign]
    assert desk.create(key="order-7") == unfinished
    assert desk.workflow.executions == [("bedrock", unfinished.job_id)]


def test_a_late_repetition_leaves_a_job_that_went_on_alone(desk: Desk) -> None:
    job = desk.create(key="order-7")
    going = desk.store.change(job.job_id, lambda job: advance(job, Phase.PREPARING, at=job.created_at))
    desk.workflow.executions.clear()

    assert desk.create(key="order-7") == going
    assert desk.workflow.executions == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"provider": "opnai"}, "Unknown provider 'opnai'.*openai"),
        ({"model": "nova-light"}, "nova-light.*nova-lite"),
        ({"training_file": "s3://secret/x.jsonl"}, "'secret', which this stack may not read"),
        ({"training_file": "train.csv"}, "'training_file' names 'train.csv', which does not end in"),
        ({"validation_file": "deep/val.jsonl"}, "'validation_file' is 'deep/val.jsonl'"),
        ({"hyperparameters": {"epoch": 3}}, "Unknown hyperparameter 'epoch'"),
        ({"hyperparameters": {"epochs": 0}}, "'epochs' is '0', but must be"),
        (
            {"model": "nova-2-lite", "validation_file": "v.jsonl"},
            "takes no validation file: leave 'validation_file' out",
        ),
        ({"start_endpoint": True, "skip_deploy": True, "provider": "databricks", "model": "llama-3.2-3b"}, "'start_en"),
        ({"endpoint": EndpointRequest(kind="provisioned", model_units=1)}, "'endpoint.ttl_hours' is missing"),
        ({"endpoint": EndpointRequest(kind="serving")}, "'endpoint.kind' cannot be 'serving' at bedrock"),
    ],
)
def test_a_request_that_cannot_be_used_leaves_nothing_behind(desk: Desk, fields: dict[str, Any], problem: str) -> None:
    assert re.search(problem, desk.refused(**fields), re.DOTALL)


def test_preference_hyperparameters_are_taken_where_the_rows_may_be_pairs(desk: Desk) -> None:
    openai: dict[str, Any] = {"provider": "openai", "model": "gpt-4.1-mini", "hyperparameters": {"beta": 0.1}}
    assert desk.create(**openai).phase is Phase.RECEIVED
    assert "for preference pairs only" in Desk().refused(**openai, format="chat")


class TestUpload:
    def test_the_job_waits_for_its_files_at_a_place_of_its_own(self, desk: Desk) -> None:
        job = desk.create(upload=True, training_file="train set.jsonl", validation_file="val.jsonl.gz")

        assert (job.status, job.phase) == (JobStatus.NOT_STARTED, Phase.AWAITING_UPLOAD)
        assert job.request is not None
        assert job.request.training_file == f"s3://the-inbox/uploads/{job.job_id}/train set.jsonl"
        assert job.request.validation_file == f"s3://the-inbox/uploads/{job.job_id}/val.jsonl.gz"
        assert desk.workflow.executions == [("bedrock", job.job_id)]

    def test_a_file_that_is_there_already_need_not_be_uploaded(self, desk: Desk) -> None:
        job = desk.create(upload=True, training_file="train.jsonl", validation_file="s3://data/val.jsonl")

        assert job.request is not None
        assert job.request.validation_file == "s3://data/val.jsonl"
        assert job.phase is Phase.AWAITING_UPLOAD

    def test_a_crash_before_the_start_is_mended_by_a_repetition(self, desk: Desk) -> None:
        desk.create(upload=True, key="order-7")
        desk.workflow.executions.clear()
        job = desk.create(upload=True, key="order-7")
        assert desk.workflow.executions == [("bedrock", job.job_id)]

    @pytest.mark.parametrize(
        ("files", "problem"),
        [
            ({"training_file": "train.csv"}, "'training_file' names 'train.csv', which does not end in .jsonl"),
            ({"training_file": "a?versionId=b.jsonl"}, "'training_file' is .* letters, digits, spaces"),
            ({"training_file": "a\nb.jsonl"}, "letters, digits, spaces"),
            ({"training_file": "x" * 195 + ".jsonl"}, "at most 200 characters"),
            ({"training_file": "deep/train.jsonl"}, "no file is to be uploaded"),
            ({"training_file": "s3://data/train.jsonl"}, "no file is to be uploaded"),
            ({"training_file": "a.jsonl", "validation_file": "a.jsonl"}, "have the same name"),
            ({"training_file": "a.jsonl", "validation_file": "s3://secret/v.jsonl"}, "may not read"),
        ],
    )
    def test_names_that_cannot_be_uploaded_are_refused(self, desk: Desk, files: dict[str, str], problem: str) -> None:
        assert re.search(problem, desk.refused(upload=True, **files))
