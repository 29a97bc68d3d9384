"""Retry: a job that failed or was cancelled, tried again as a new one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.builders import DATASET, JOB_ID, REQUEST, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.object_store import MemoryObjectStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.errors import ConflictError, JobNotFoundError, RequestInvalidError, StoreUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, job_id_from
from tunedrop.domain.transitions import advance, close
from tunedrop.jobs import artifacts
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.retry import RetryJob

NEW_ID = job_id_from("retry", JOB_ID)
FAILED = Outcome(status=JobStatus.FAILED, error=JobError(code="training_failed", message="It broke."))
CANCELLED = Outcome(status=JobStatus.CANCELLED)
PREPARED = {"dataset": DATASET, "hyperparameters": {"n_epochs": 3}, "notes": ("Blank lines were left out: 1.",)}
DROPPED = "s3://inbox/inbox/openai/gpt-4.1-mini/train.jsonl?versionId=v1"


class Bench:
    def __init__(self, job: Job, *, outcome: Outcome | None = FAILED) -> None:
        self.store = MemoryJobStore()
        self.objects = MemoryObjectStore()
        self.workflow = MemoryWorkflow()
        self.clock = FakeClock()
        self.clock.advance(days=3)
        self.store.create(job if outcome is None else close(job, outcome, at=job.created_at))
        self.objects.put(DATASET.training_uri, b"prepared")
        self.objects.put(artifacts.dataset_report("artifacts", JOB_ID), b'{"found": 1}')
        accept = AcceptJob(workflow=self.workflow, inbox_bucket="inbox", readable_buckets=[])
        self.retry_job = RetryJob(
            store=self.store,
            objects=self.objects,
            accept=accept,
            clock=self.clock,
            inbox_bucket="inbox",
            artifacts_bucket="artifacts",
        )

    def retry(self) -> Job:
        return self.retry_job(JOB_ID)

    def conflict(self) -> ConflictError:
        before = dict(self.store.jobs)
        with pytest.raises(ConflictError) as caught:
            self.retry()
        assert self.store.jobs == before
        assert self.workflow.executions == []
        return caught.value


def trained(**changes: Any) -> Job:
    return job_in(Phase.TRAINING, **{**PREPARED, "base_model": "gpt-4.1-mini-2025-04-14", **changes})


def uploaded(phase: Phase = Phase.AWAITING_UPLOAD, **files: str) -> Job:
    place = f"s3://inbox/uploads/{JOB_ID}"
    names = {"training_file": "train.jsonl", **files}
    request = msgspec.structs.replace(REQUEST, **{field: f"{place}/{name}" for field, name in names.items()})
    return job_in(phase, request=request)


@pytest.mark.parametrize("outcome", [FAILED, CANCELLED])
def test_a_prepared_job_is_tried_again_with_what_was_prepared(outcome: Outcome) -> None:
    bench = Bench(trained(), outcome=outcome)

    job = bench.retry()

    assert (job.job_id, job.retry_of) == (NEW_ID, JOB_ID)
    assert (job.status, job.phase) == (JobStatus.NOT_STARTED, Phase.RECEIVED)
    assert (job.dataset, job.hyperparameters, job.notes) == (DATASET, {"n_epochs": 3}, PREPARED["notes"])
    assert job.request == trained().request
    assert job.created_at == bench.clock.now()
    assert bench.store.get(NEW_ID) == job
    assert bench.workflow.executions == [("openai", NEW_ID)]


def test_nothing_of_the_old_jobs_fate_is_taken_over() -> None:
    old = trained(last_error="slow", cancel_requested_at=trained().created_at, recoveries=2)
    job = Bench(old).retry()

    fresh = Bench(trained()).retry()
    assert job == fresh
    assert (job.submission, job.provider_job_id, job.outcome, job.error, job.finished_at) == (None,) * 5
    assert job.execution_arn == MemoryWorkflow().execution_arn("openai", NEW_ID)


def test_the_deadline_begins_anew() -> None:
    request = msgspec.structs.replace(REQUEST, deadline_hours=5)
    job = Bench(trained(request=request)).retry()
    assert (job.deadline_at - job.created_at).total_seconds() == 5 * 3600


def test_what_was_found_in_the_files_is_in_the_new_jobs_report_too() -> None:
    bench = Bench(trained())
    bench.retry()
    assert bench.objects.objects[artifacts.dataset_report("artifacts", NEW_ID)] == b'{"found": 1}'


def test_a_model_that_an_alias_means_by_now_does_not_get_rows_of_another() -> None:
    assert Bench(trained(base_model="gpt-4.1-mini-2024-01-01")).retry().base_model == "gpt-4.1-mini-2024-01-01"


def test_a_job_that_was_not_prepared_takes_its_source_files_again() -> None:
    job = Bench(job_in(Phase.PREPARING)).retry()

    assert (job.dataset, job.hyperparameters, job.notes) == (None, None, ())
    assert job.request is not None
    assert job.request.training_file == DROPPED
    assert (job.phase, job.retry_of) == (Phase.RECEIVED, JOB_ID)


@pytest.mark.parametrize("lost", ["training", "validation"])
def test_where_a_prepared_file_was_deleted_the_source_files_are_taken_again(lost: str) -> None:
    dataset = msgspec.structs.replace(DATASET, validation_uri="s3://artifacts/jobs/x/validation.jsonl")
    bench = Bench(trained(dataset=dataset))
    if lost == "training":
        bench.objects.put("s3://artifacts/jobs/x/validation.jsonl", b"prepared")
        del bench.objects.objects[DATASET.training_uri]

    job = bench.retry()

    assert job.dataset is None
    assert job.request is not None
    assert job.request.training_file == DROPPED


def test_retrying_again_gives_the_same_job_whatever_became_of_it() -> None:
    bench = Bench(trained())
    first = bench.retry()
    assert bench.retry() == first
    going = bench.store.change(NEW_ID, lambda job: advance(job, Phase.PREPARING, at=job.created_at))
    bench.workflow.executions.clear()
    bench.objects.objects.clear()

    assert bench.retry() == going
    assert len(bench.store.jobs) == 2
    assert bench.workflow.executions == []


def test_a_retry_that_crashed_before_its_execution_began_is_finished_by_the_next() -> None:
    bench = Bench(trained())
    start = bench.workflow.start

    def crash(provider: str, name: str, state: Any) -> None:
        raise StoreUnavailableError("Step Functions did not answer")

    bench.workflow.start = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        bench.retry()
    bench.workflow.start = start  # type: ignore[method-assign]

    bench.retry()
    assert bench.workflow.executions == [("openai", NEW_ID)]


def test_a_retry_that_another_one_overtook_answers_with_the_others_job() -> None:
    bench = Bench(trained())
    winner = job_in(Phase.RECEIVED, job_id=NEW_ID, retry_of=JOB_ID, last_error="the other one")
    create = bench.store.create

    def overtaken(record: Job) -> bool:
        create(winner)
        return create(record)

    bench.store.create = overtaken  # type: ignore[method-assign]
    assert bench.retry() == winner


def test_a_retry_may_be_retried() -> None:
    bench = Bench(trained())
    first = bench.retry()
    bench.store.change(NEW_ID, lambda job: close(job, FAILED, at=job.created_at))

    second = bench.retry_job(NEW_ID)

    assert second.retry_of == first.job_id
    assert second.dataset == DATASET
    assert second.job_id not in {JOB_ID, NEW_ID}


@pytest.mark.parametrize("phase", [Phase.RECEIVED, Phase.AWAITING_UPLOAD, Phase.TRAINING, Phase.CANCELLING])
def test_a_job_that_goes_on_is_not_retried(phase: Phase) -> None:
    error = Bench(job_in(phase), outcome=None).conflict()
    assert error.code == "job_not_finished"
    assert "cancel it first" in str(error)


def test_a_job_that_succeeded_is_not_retried() -> None:
    error = Bench(trained(), outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")).conflict()
    assert error.code == "job_succeeded"
    assert "Create a new job" in str(error)


def test_a_drop_that_could_not_be_understood_is_not_retried() -> None:
    error = Bench(job_in(Phase.RECEIVED, request=None)).conflict()
    assert error.code == "request_unknown"
    assert "drop it again, or create a new job" in str(error)


def test_a_request_whose_model_is_gone_says_so() -> None:
    request = msgspec.structs.replace(REQUEST, model="gpt-4.1-nano")
    bench = Bench(trained(request=request))
    with pytest.raises(RequestInvalidError, match="can no longer be trained"):
        bench.retry()
    assert list(bench.store.jobs) == [JOB_ID]


def test_an_unknown_job_is_not_retried() -> None:
    with pytest.raises(JobNotFoundError):
        Bench(trained()).retry_job("b" * 26)


class TestUploads:
    def test_a_file_that_was_uploaded_is_taken_from_where_it_is(self) -> None:
        bench = Bench(uploaded(), outcome=CANCELLED)
        bench.objects.put(f"s3://inbox/uploads/{JOB_ID}/train.jsonl", b"{}")

        job = bench.retry()

        assert job.phase is Phase.RECEIVED
        assert job.request is not None
        assert job.request.training_file == f"s3://inbox/uploads/{JOB_ID}/train.jsonl"

    def test_a_file_that_never_arrived_is_awaited_for_the_new_job(self) -> None:
        bench = Bench(uploaded(validation_file="val.jsonl"), outcome=CANCELLED)
        bench.objects.put(f"s3://inbox/uploads/{JOB_ID}/val.jsonl", b"{}")

        job = bench.retry()

        assert (job.phase, job.retry_of) == (Phase.AWAITING_UPLOAD, JOB_ID)
        assert job.request is not None
        assert job.request.training_file == f"s3://inbox/uploads/{NEW_ID}/train.jsonl"
        assert job.request.validation_file == f"s3://inbox/uploads/{JOB_ID}/val.jsonl"
        assert bench.workflow.executions == [("openai", NEW_ID)]
