"""Finish: the report first, then the final status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.data_problems import Problem, ProblemCode
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.errors import RequestInvalidError, StoreUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase
from tunedrop.jobs.finish import Caught, FinishJob
from tunedrop.training_data.report import DatasetReport, FileProblems


@pytest.fixture
def store() -> MemoryJobStore:
    return MemoryJobStore()


@pytest.fixture
def objects() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def finish(store: MemoryJobStore, objects: MemoryObjectStore) -> FinishJob:
    return FinishJob(
        store=store, objects=objects, clock=FakeClock(), artifacts_bucket="artifacts", serve=lambda job: None
    )


def report_in(objects: MemoryObjectStore) -> Any:
    return json.loads(objects.objects[f"s3://artifacts/jobs/{JOB_ID}/report.json"])


def page_in(objects: MemoryObjectStore) -> str:
    return objects.objects[f"s3://artifacts/jobs/{JOB_ID}/report.md"].decode()


FOUND = DatasetReport(
    provider="openai",
    base_model="gpt-4.1-mini-2025-04-14",
    training=FileProblems(
        file="train.jsonl",
        problems=(Problem(code=ProblemCode.JSON_INVALID, message="not JSON (mend it)", file="train.jsonl", line=12),),
        problems_total=1,
    ),
)


def test_a_job_that_succeeded(finish: FinishJob, store: MemoryJobStore, objects: MemoryObjectStore) -> None:
    store.create(job_in(Phase.TRAINING, outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")))
    objects.put(f"s3://artifacts/jobs/{JOB_ID}/dataset.json", msgspec.json.encode(FOUND))

    job = finish(JOB_ID).job

    assert (job.status, job.phase, job.tuned_model) == (JobStatus.SUCCEEDED, Phase.DONE, "ft:x")
    assert job.report_uri == f"s3://artifacts/jobs/{JOB_ID}/report.json"
    assert job.finished_at == FakeClock().now()
    report = report_in(objects)
    assert report["job"]["status"] == "succeeded"
    assert report["dataset"] == json.loads(msgspec.json.encode(FOUND))
    page = page_in(objects)
    assert page.startswith("# gpt-4.1-mini at openai: succeeded\n")
    assert "- **Tuned model:** ft:x\n" in page
    assert "- train.jsonl:12: not JSON (mend it) [json_invalid]\n" in page


def test_what_an_older_version_found_is_kept_and_stops_no_job_from_ending(
    finish: FinishJob, store: MemoryJobStore, objects: MemoryObjectStore
) -> None:
    store.create(job_in(Phase.TRAINING, outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:x")))
    objects.put(f"s3://artifacts/jobs/{JOB_ID}/dataset.json", b'{"training": {"rows": 60}}')

    assert finish(JOB_ID).job.status is JobStatus.SUCCEEDED
    assert report_in(objects)["dataset"] == {"training": {"rows": 60}}
    assert "is in report.json" in page_in(objects)


def test_a_job_that_failed_before_its_files_were_read(
    finish: FinishJob, store: MemoryJobStore, objects: MemoryObjectStore
) -> None:
    error = JobError(code="request_invalid", message="no such model")
    store.create(job_in(Phase.RECEIVED, outcome=Outcome(status=JobStatus.FAILED, error=error)))

    job = finish(JOB_ID).job

    assert (job.status, job.error) == (JobStatus.FAILED, error)
    assert report_in(objects)["dataset"] is None
    assert report_in(objects)["job"]["error"]["message"] == "no such model"
    assert "- **Why:** no such model (request_invalid)\n" in page_in(objects)
    assert "- The job ended before its files were read.\n" in page_in(objects)


def test_a_step_that_broke_is_named_with_its_cause(finish: FinishJob, store: MemoryJobStore) -> None:
    store.create(job_in(Phase.PREPARING))

    job = finish(JOB_ID, Caught(error="KeyError", cause="x" * 5_000)).job

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "step_failed"
    assert "while the job was preparing: KeyError: xxx" in job.error.message
    assert len(job.error.message) < 1_300


def test_finishing_again_changes_nothing(finish: FinishJob, store: MemoryJobStore) -> None:
    store.create(job_in(Phase.TRAINING, outcome=Outcome(status=JobStatus.CANCELLED)))
    first = finish(JOB_ID)

    assert finish(JOB_ID, Caught(error="late")) == first


ENDPOINT = Endpoint(
    job_id=JOB_ID,
    provider="bedrock",
    status=EndpointStatus.STARTING,
    version=1,
    generation=1,
    kind="on_demand",
    created_at=CREATED,
    updated_at=CREATED,
)


class TestTheEndpoint:
    """The job is over before its endpoint begins, and stays as it ended whatever comes of that."""

    @pytest.fixture
    def finishing(self, store: MemoryJobStore, objects: MemoryObjectStore) -> Callable[..., FinishJob]:
        store.create(job_in(Phase.TRAINING, outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="m")))
        return lambda serve: FinishJob(
            store=store, objects=objects, clock=FakeClock(), artifacts_bucket="artifacts", serve=serve
        )

    def test_it_begins_when_the_job_has_succeeded(
        self, finishing: Callable[..., FinishJob], store: MemoryJobStore
    ) -> None:
        served: list[Job] = []

        def serve(job: Job) -> Endpoint:
            served.append(job)
            assert store.get(JOB_ID).status is JobStatus.SUCCEEDED
            return ENDPOINT

        assert finishing(serve)(JOB_ID).endpoint == ENDPOINT
        assert served == [store.get(JOB_ID)]

    def test_a_step_that_was_cut_off_before_it_begins_it_when_repeated(
        self, finishing: Callable[..., FinishJob], store: MemoryJobStore
    ) -> None:
        def cut_off(job: Job) -> Endpoint:
            raise StoreUnavailableError("no answer")

        with pytest.raises(StoreUnavailableError):
            finishing(cut_off)(JOB_ID)
        assert store.get(JOB_ID).status is JobStatus.SUCCEEDED

        assert finishing(lambda job: ENDPOINT)(JOB_ID).endpoint == ENDPOINT

    @pytest.mark.parametrize("error", [RequestInvalidError("no such kind"), KeyError("no such kind")])
    def test_what_is_in_its_way_is_noted_once_and_changes_no_end(
        self, finishing: Callable[..., FinishJob], store: MemoryJobStore, error: Exception
    ) -> None:
        def refuse(job: Job) -> Endpoint:
            raise error

        for _ in range(2):
            finished = finishing(refuse)(JOB_ID)
            assert (finished.job.status, finished.endpoint) == (JobStatus.SUCCEEDED, None)

        [note] = store.get(JOB_ID).notes
        assert note.startswith("The endpoint was not started: ")
        assert "no such kind" in note

    @pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
    def test_a_job_that_did_not_succeed_has_none(
        self, store: MemoryJobStore, objects: MemoryObjectStore, status: JobStatus
    ) -> None:
        store.create(job_in(Phase.TRAINING, outcome=Outcome(status=status)))
        finish = FinishJob(
            store=store,
            objects=objects,
            clock=FakeClock(),
            artifacts_bucket="artifacts",
            serve=lambda job: pytest.fail("there is nothing to serve"),
        )

        assert finish(JOB_ID).endpoint is None
