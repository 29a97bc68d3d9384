"""The functions: an event in, one use case, an answer out."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, get_args

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import bedrock_tasks
import databricks_tasks
import finish
import intake
import notify
import openai_tasks
import prepare
from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.publisher import MemoryPublisher
from tests.unit.endpoints.builders import endpoint_in
from tunedrop import wiring
from tunedrop.aws import endpoint_items
from tunedrop.aws.job_items import event_of, record_key, record_of
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.errors import ProviderUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, Source
from tunedrop.domain.transitions import close
from tunedrop.endpoints.notify import NotifyEndpointChange
from tunedrop.jobs.finish import Caught, Finished
from tunedrop.jobs.notify import NotifyChange
from tunedrop.jobs.step import StepOutcome, StepResult


@pytest.fixture
def context() -> LambdaContext:
    context = LambdaContext()
    context._function_name = "tunedrop"
    context._memory_limit_in_mb = 128
    context._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tunedrop"
    context._aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"
    return context


def answer(monkeypatch: pytest.MonkeyPatch, use_case: str, answer: Callable[..., Any]) -> None:
    monkeypatch.setattr(wiring, use_case, lambda *_: answer)


def drop_event(key: str, **fields: str) -> dict[str, Any]:
    """`Object Created`, as S3 sends it through EventBridge."""
    return {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {
            "version": "0",
            "bucket": {"name": "inbox"},
            "object": {"key": key, "size": 5, "etag": "b1946ac9", "sequencer": "00617F08299329D189", **fields},
            "reason": "PutObject",
        },
    }


class TestIntake:
    def test_the_object_version_is_the_source(self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext) -> None:
        seen: list[Source] = []

        def receive(source: Source) -> Job:
            seen.append(source)
            return job_in(Phase.RECEIVED)

        answer(monkeypatch, "receive_upload", receive)

        assert intake.handler(drop_event("inbox/a b/ü.jsonl", **{"version-id": "v7"}), context) == {"job_id": JOB_ID}
        assert seen == [Source(bucket="inbox", key="inbox/a b/ü.jsonl", version="v7")]

    def test_without_versions_the_sequencer_tells_uploads_apart(
        self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext
    ) -> None:
        seen: list[Source] = []
        answer(monkeypatch, "receive_upload", lambda source: seen.append(source))

        assert intake.handler(drop_event("inbox/x/"), context) == {"job_id": None}
        assert seen[0].version == "00617F08299329D189"

    @pytest.mark.parametrize(
        ("woken", "metric"), [(JOB_ID, "UploadsArrived"), (None, "UploadsIgnored")], ids=["awaited", "not awaited"]
    )
    def test_a_file_that_a_job_may_wait_for_is_told_to_it_and_makes_no_job(
        self,
        monkeypatch: pytest.MonkeyPatch,
        context: LambdaContext,
        function_log: io.StringIO,
        capsys: pytest.CaptureFixture[str],
        woken: str | None,
        metric: str,
    ) -> None:
        seen: list[str] = []

        def hear(key: str) -> str | None:
            seen.append(key)
            return woken

        answer(monkeypatch, "hear_of_upload", hear)
        key = f"uploads/{JOB_ID}/train set.jsonl"

        assert intake.handler(drop_event(key), context) == {"job_id": woken}
        assert seen == [key]
        assert key in function_log.getvalue()
        assert metric in capsys.readouterr().out


class TestSteps:
    @pytest.mark.parametrize(
        ("module", "provider"),
        [(openai_tasks, "openai"), (bedrock_tasks, "bedrock"), (databricks_tasks, "databricks")],
    )
    @pytest.mark.parametrize("operation", get_args(wiring.Operation))
    def test_a_task_runs_the_operation_that_its_payload_names(
        self,
        monkeypatch: pytest.MonkeyPatch,
        context: LambdaContext,
        function_log: io.StringIO,
        module: Any,
        provider: str,
        operation: str,
    ) -> None:
        def task(asked: str) -> Callable[[str], StepResult]:
            assert asked == operation
            return lambda job_id: StepResult(job_id=job_id, outcome=StepOutcome.RUNNING, wait_seconds=15)

        monkeypatch.setattr(wiring, "provider_task", task)

        assert module.handler({"operation": operation, "job_id": JOB_ID}, context) == {
            "job_id": JOB_ID,
            "outcome": "running",
            "wait_seconds": 15,
            "wake_seq": 0,
        }
        assert f'"provider":"{provider}"' in function_log.getvalue()

    def test_an_unknown_operation_is_refused(self, context: LambdaContext) -> None:
        with pytest.raises(ValueError, match="operation"):
            openai_tasks.handler({"operation": "dance", "job_id": JOB_ID}, context)

    def test_trouble_escapes_for_the_state_machine_to_retry(
        self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext
    ) -> None:
        def fail(job_id: str) -> StepResult:
            raise ProviderUnavailableError("no answer")

        answer(monkeypatch, "provider_task", fail)

        with pytest.raises(ProviderUnavailableError):
            openai_tasks.handler({"operation": "poll", "job_id": JOB_ID}, context)

    def test_prepare_answers_with_the_next_state(self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext) -> None:
        answer(monkeypatch, "prepare_job", lambda job_id: StepResult(job_id=job_id, outcome=StepOutcome.READY))

        assert prepare.handler({"job_id": JOB_ID}, context)["outcome"] == "ready"


class TestFinish:
    def test_the_end_is_answered_with_its_reason(self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext) -> None:
        error = JobError(code="training_failed", message="row 7 is bad")
        before = job_in(Phase.TRAINING)
        ended = close(before, Outcome(status=JobStatus.FAILED, error=error), at=before.created_at)
        seen: list[Caught | None] = []

        def finish_job(job_id: str, caught: Caught | None) -> Finished:
            seen.append(caught)
            return Finished(ended)

        answer(monkeypatch, "finish_job", finish_job)

        assert finish.handler({"job_id": JOB_ID, "failure": {"Error": "KeyError", "Cause": "x"}}, context) == {
            "job_id": JOB_ID,
            "status": "failed",
            "error": {"code": "training_failed", "message": "row 7 is bad", "provider_code": None},
        }
        assert seen == [Caught(error="KeyError", cause="x")]

    @pytest.mark.parametrize(
        ("status", "executions", "named"),
        [
            (EndpointStatus.STARTING, 1, {"endpoint_execution": f"{JOB_ID}-1"}),
            (EndpointStatus.STARTING, 2, {"endpoint_execution": f"{JOB_ID}-1-2"}),
            (EndpointStatus.READY, 1, {}),
        ],
    )
    def test_the_execution_of_an_endpoint_that_has_to_be_started_is_named(
        self,
        monkeypatch: pytest.MonkeyPatch,
        context: LambdaContext,
        status: EndpointStatus,
        executions: int,
        named: dict[str, str],
    ) -> None:
        ended = close(job_in(Phase.TRAINING), Outcome(status=JobStatus.SUCCEEDED, tuned_model="m"), at=CREATED)
        endpoint = endpoint_in(status, executions=executions)
        answer(monkeypatch, "finish_job", lambda job_id, caught: Finished(ended, endpoint))

        assert finish.handler({"job_id": JOB_ID}, context) == {"job_id": JOB_ID, "status": "succeeded", **named}


class TestNotify:
    def stream(self, *changes: tuple[Job | None, Job]) -> dict[str, Any]:
        """The records that the table's stream holds after the changes: of the job's item, and of its events."""
        records = []
        for number, (before, after) in enumerate(changes):
            key = record_key(after.job_id)
            images = {"NewImage": {**key, **record_of(after)}}
            if before is not None:
                images["OldImage"] = {**key, **record_of(before)}
            records.append(self.record(f"{number}a", images))
            records.append(self.record(f"{number}b", {"NewImage": event_of(before, after)}))
        return {"Records": records}

    @staticmethod
    def record(sequence: str, images: dict[str, Any]) -> dict[str, Any]:
        return {
            "eventID": sequence,
            "eventName": "MODIFY" if "OldImage" in images else "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"SequenceNumber": sequence, "StreamViewType": "NEW_AND_OLD_IMAGES", **images},
        }

    def test_each_change_of_status_is_published_once(
        self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext
    ) -> None:
        publisher = MemoryPublisher()
        answer(monkeypatch, "notify_change", NotifyChange(publisher=publisher))
        received, preparing, submitting = (
            job_in(phase) for phase in (Phase.RECEIVED, Phase.PREPARING, Phase.SUBMITTING)
        )

        event = self.stream((None, received), (received, preparing), (preparing, submitting))

        assert notify.handler(event, context) == {"batchItemFailures": []}
        assert [change.detail["status"] for change in publisher.changes] == ["not_started", "pending"]

    def test_a_record_that_could_not_be_published_is_named_and_comes_again(
        self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext
    ) -> None:
        publisher = MemoryPublisher()

        def publish(before: Job | None, after: Job) -> None:
            if after.phase is Phase.PREPARING:
                raise ConnectionError
            NotifyChange(publisher=publisher)(before, after)

        answer(monkeypatch, "notify_change", publish)
        received, preparing = job_in(Phase.RECEIVED), job_in(Phase.PREPARING)

        event = self.stream((None, received), (received, preparing))

        assert notify.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "1a"}]}
        assert len(publisher.changes) == 1

    def test_a_change_of_an_endpoints_status_is_published_too(
        self, monkeypatch: pytest.MonkeyPatch, context: LambdaContext
    ) -> None:
        publisher = MemoryPublisher()
        answer(monkeypatch, "notify_endpoint_change", NotifyEndpointChange(publisher=publisher))
        starting, ready = endpoint_in(EndpointStatus.STARTING), endpoint_in(EndpointStatus.READY, version=2)
        key = endpoint_items.record_key(JOB_ID)
        images = [{**key, **endpoint_items.record_of(each)} for each in (starting, ready)]
        records = [
            self.record("0", {"NewImage": images[0]}),
            self.record("1", {"NewImage": endpoint_items.event_of(None, starting)}),
            self.record("2", {"OldImage": images[0], "NewImage": images[1]}),
        ]

        assert notify.handler({"Records": records}, context) == {"batchItemFailures": []}
        assert [(change.detail_type, change.event_id, change.detail["status"]) for change in publisher.changes] == [
            ("Fine-Tuning Endpoint State Change", f"{JOB_ID}-endpoint-1", "starting"),
            ("Fine-Tuning Endpoint State Change", f"{JOB_ID}-endpoint-2", "ready"),
        ]
