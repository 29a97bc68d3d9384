"""Receive: one object version, one job, one execution."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.object_store import MemoryObjectStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import Job, JobStatus, Phase, Source
from tunedrop.domain.transitions import advance
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.finish import FinishJob
from tunedrop.jobs.receive import ReceiveUpload


class Inbox:
    """Intake with everything around it in memory."""

    def __init__(self) -> None:
        self.store = MemoryJobStore()
        self.objects = MemoryObjectStore()
        self.workflow = MemoryWorkflow()
        clock = FakeClock()
        self.receive = ReceiveUpload(
            store=self.store,
            objects=self.objects,
            accept=AcceptJob(workflow=self.workflow, inbox_bucket="the-inbox", readable_buckets=["data"]),
            finish=FinishJob(
                store=self.store,
                objects=self.objects,
                clock=clock,
                artifacts_bucket="artifacts",
                serve=lambda job: None,
            ),
            clock=clock,
        )

    def drop(self, key: str, content: bytes = b"", version: str = "v1") -> Job | None:
        self.objects.put(f"s3://the-inbox/{key}", content)
        return self.receive(Source(bucket="the-inbox", key=key, version=version))

    def drop_manifest(self, **fields: Any) -> Job:
        job = self.drop("inbox/nightly.job.json", json.dumps(fields).encode())
        assert job is not None
        return job


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def reason(job: Job) -> str:
    assert job.error is not None
    return job.error.message


def test_a_file_makes_a_job_and_starts_its_execution(inbox: Inbox) -> None:
    job = inbox.drop("inbox/bedrock/nova-lite/train.jsonl")

    assert job is not None
    assert (job.provider, job.model, job.base_model) == ("bedrock", "nova-lite", "amazon.nova-lite-v1:0:300k")
    assert (job.status, job.phase) == (JobStatus.NOT_STARTED, Phase.RECEIVED)
    assert job.request is not None
    assert job.request.training_file == "s3://the-inbox/inbox/bedrock/nova-lite/train.jsonl?versionId=v1"
    assert inbox.workflow.executions == [("bedrock", job.job_id)]
    assert job.execution_arn == inbox.workflow.execution_arn("bedrock", job.job_id)


def test_a_manifest_makes_a_job_with_what_it_spells_out(inbox: Inbox) -> None:
    job = inbox.drop_manifest(
        provider="openai",
        model="gpt-4.1-mini",
        training_file="train.jsonl",
        validation_file="s3://data/val.jsonl",
        hyperparameters={"epochs": 2},
        deadline_hours=6,
    )

    assert job.request is not None
    assert job.request.training_file == "s3://the-inbox/inbox/train.jsonl"
    assert job.request.validation_file == "s3://data/val.jsonl"
    assert job.request.hyperparameters == {"epochs": 2}
    assert (job.deadline_at - job.created_at).total_seconds() == 6 * 3600
    assert inbox.workflow.executions == [("openai", job.job_id)]


@pytest.mark.parametrize("key", ["inbox/train.jsonl", "inbox/openai/", "jobs/abc/training.jsonl", "elsewhere/x.jsonl"])
def test_what_must_do_nothing_does_nothing(inbox: Inbox, key: str) -> None:
    assert inbox.drop(key) is None
    assert inbox.store.jobs == {}
    assert inbox.workflow.executions == []


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("inbox/opnai/gpt-4.1-mini/train.jsonl", "opnai.*openai.*bedrock.*databricks"),
        ("inbox/bedrock/nova-light/train.jsonl", "nova-light.*nova-lite"),
        ("inbox/openai/train.jsonl", "names no model"),
        ("inbox/openai/gpt-4.1-mini/train.csv", "does not end in .jsonl"),
    ],
)
def test_a_drop_that_cannot_be_used_ends_as_failed_with_the_way_out(inbox: Inbox, key: str, problem: str) -> None:
    job = inbox.drop(key)

    assert job is not None
    assert job.status is JobStatus.FAILED
    assert re.search(problem, reason(job), re.DOTALL)
    report = json.loads(inbox.objects.objects[f"s3://artifacts/jobs/{job.job_id}/report.json"])
    assert report["job"]["error"]["message"] == reason(job)
    assert inbox.workflow.executions == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"not json", "nightly.job.json: not JSON"),
        (b'{"provider": "openai", "model": "gpt-4.1-mini", "trainig_file": "x"}', "Did you mean 'training_file'"),
        (
            b'{"provider": "openai", "model": "gpt-4.1-mini", "training_file": "s3://secret/x.jsonl"}',
            "'secret', which this stack may not read",
        ),
        (
            b'{"provider": "bedrock", "model": "nova-lite", "training_file": "x.jsonl", '
            b'"endpoint": {"kind": "provisioned", "model_units": 1}}',
            "'endpoint.ttl_hours' is missing",
        ),
        (
            b'{"provider": "openai", "model": "gpt-4.1-mini", "training_file": "x.jsonl", '
            b'"hyperparameters": {"epoch": 3}}',
            "Unknown hyperparameter 'epoch'",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_ends_as_failed(inbox: Inbox, content: bytes, problem: str) -> None:
    job = inbox.drop("inbox/nightly.job.json", content)

    assert job is not None
    assert job.status is JobStatus.FAILED
    assert problem in reason(job)
    assert inbox.workflow.executions == []


@given(st.integers())
def test_ten_deliveries_in_any_order_make_one_job_and_one_execution_a_version(seed: int) -> None:
    inbox = Inbox()
    versions = ["v1"] * 10 + ["v2"] * 10
    random.Random(seed).shuffle(versions)

    ids = {inbox.drop("inbox/openai/gpt-4.1-mini/train.jsonl", version=version).job_id for version in versions}  # type: ignore[union-attr]

    assert len(ids) == len(inbox.store.jobs) == len(inbox.workflow.executions) == 2


def test_an_intake_that_crashed_after_its_write_is_finished_by_the_next_delivery(inbox: Inbox) -> None:
    start = inbox.workflow.start

    def crash(provider: str, name: str, state: Any) -> None:
        raise StoreUnavailableError("Step Functions did not answer")

    inbox.workflow.start = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        inbox.drop("inbox/openai/gpt-4.1-mini/train.jsonl")
    assert len(inbox.store.jobs) == 1

    inbox.workflow.start = start  # type: ignore[method-assign]
    job = inbox.drop("inbox/openai/gpt-4.1-mini/train.jsonl")

    assert job is not None
    assert inbox.workflow.executions == [("openai", job.job_id)]
    assert len(inbox.store.jobs) == 1


def test_an_intake_that_crashed_before_closing_a_bad_drop_is_finished_by_the_next_delivery(inbox: Inbox) -> None:
    write = inbox.objects.write

    def crash(*args: Any, **kwargs: Any) -> int:
        raise StoreUnavailableError("S3 did not answer")

    inbox.objects.write = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        inbox.drop("inbox/nobody/model/train.jsonl")
    [unfinished] = inbox.store.jobs.values()
    assert unfinished.status is JobStatus.NOT_STARTED

    inbox.objects.write = write  # type: ignore[method-assign]
    job = inbox.drop("inbox/nobody/model/train.jsonl")

    assert job is not None
    assert job.status is JobStatus.FAILED


def test_a_manifest_that_contradicts_itself_names_both_fields(inbox: Inbox) -> None:
    job = inbox.drop_manifest(
        provider="databricks", model="llama-3.2-3b", training_file="x.jsonl", start_endpoint=True, skip_deploy=True
    )
    assert job.status is JobStatus.FAILED
    assert "'start_endpoint' and 'skip_deploy'" in reason(job)
    assert (job.provider, job.model) == ("databricks", "llama-3.2-3b")


def test_an_upload_for_a_job_is_no_drop(inbox: Inbox) -> None:
    assert inbox.drop(f"uploads/{'a' * 26}/train.jsonl") is None


def test_a_late_delivery_leaves_a_job_that_went_on_alone(inbox: Inbox) -> None:
    job = inbox.drop("inbox/openai/gpt-4.1-mini/train.jsonl")
    assert job is not None
    inbox.workflow.executions.clear()
    inbox.store.change(job.job_id, lambda job: advance(job, Phase.PREPARING, at=job.created_at))

    inbox.drop("inbox/openai/gpt-4.1-mini/train.jsonl")

    assert inbox.workflow.executions == []
