"""A job from Python, over the API's real function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest

from tests.api.account import ARTIFACTS, Account
from tests.api.gateway import Gateway
from tests.api.states import ARN, CALL, state
from tests.builders import CREATED
from tests.unit.client.pretended_time import BEGIN, PretendedTime
from tunedrop.client.errors import (
    ConflictError,
    EndpointFailedError,
    NotAllowedError,
    NotFoundError,
    TunedropError,
    WaitTimeoutError,
)
from tunedrop.client.job import Job
from tunedrop.client.tunedrop import Tunedrop
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.job import JobError, JobStatus, Phase, Progress
from tunedrop.domain.transitions import advance

Hold = Callable[[str], Job]


@pytest.fixture
def hold(tunedrop: Tunedrop, aws: Account) -> Hold:
    """A job in a state, attached to."""
    return lambda name: tunedrop.attach(aws.hold(*state(name, of="job")))


def change(aws: Account, job: Job, **changes: Any) -> None:
    """The record, in whatever way."""

    def changed(record: Any) -> Any:
        return msgspec.structs.replace(record, version=record.version + 1, **changes)

    aws.jobs.change(job.job_id, changed)


def train(aws: Account, job: Job, **progress: Any) -> None:
    aws.jobs.change(job.job_id, lambda job: advance(job, Phase.TRAINING, at=CREATED, progress=Progress(**progress)))


def test_its_status_is_one_of_dspys_six_as_it_is_now(hold: Hold, aws: Account) -> None:
    job = hold("queued")
    assert job.status() is JobStatus.PENDING
    train(aws, job, step=1)
    assert job.record.status == "pending"
    assert job.status() is JobStatus.RUNNING
    assert job.record.status == "running"


def test_the_provider_is_asked_where_that_is_wanted(hold: Hold, aws: Account) -> None:
    job = hold("training")
    job.refresh()
    assert aws.jobs.get(job.job_id).wake_seq == 0
    job.refresh(ask_provider=True)
    assert aws.jobs.get(job.job_id).wake_seq == 1


def test_it_prints_where_it_is_and_how_far(hold: Hold, aws: Account) -> None:
    job = hold("training")
    train(aws, job, step=4, training_loss=1.5525)
    job.refresh()
    assert repr(job) == f"Job('{job.job_id}', openai/gpt-4.1-mini, running: training, step 4, loss 1.55)"
    train(aws, job, step=5, total_steps=90)
    job.refresh()
    assert repr(job).endswith("running: training, step 5 of 90)")


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("waiting_for_quota", "openai/gpt-4.1-mini, pending: waiting for quota)"),
        ("succeeded", f"bedrock/nova-lite, succeeded, {ARN})"),
        ("failed", "openai/gpt-4.1-mini, failed, training_failed)"),
        ("cancelled", "openai/gpt-4.1-mini, cancelled)"),
    ],
)
def test_it_prints_how_it_stands(hold: Hold, name: str, end: str) -> None:
    assert repr(hold(name)).endswith(end)


def test_a_model_named_by_a_stranger_moves_no_cursor(hold: Hold, aws: Account) -> None:
    job = hold("training")
    change(aws, job, model="\x1b[2Jnova")
    job.refresh()
    assert r"openai/\x1b[2Jnova" in repr(job)


def test_it_is_cancelled_as_often_as_you_like(hold: Hold) -> None:
    job = hold("training")
    assert job.cancel().phase == "cancelling"
    assert job.cancel().phase == job.record.phase == "cancelling"


def test_one_that_ended_is_not_cancelled(hold: Hold) -> None:
    with pytest.raises(ConflictError, match="has ended as succeeded") as raised:
        hold("succeeded").cancel()
    assert raised.value.code == "job_ended"


def test_it_is_waited_for_to_the_end_however_it_comes(hold: Hold, aws: Account, passing: PretendedTime) -> None:
    job = hold("training")
    passing.after(40, lambda: change(aws, job, status=JobStatus.FAILED, phase=Phase.DONE, finished_at=BEGIN))
    assert job.wait().status == "failed"
    assert 40 <= passing.seconds < 56


def test_a_wait_that_takes_too_long_says_that_the_job_goes_on(hold: Hold, passing: PretendedTime) -> None:
    job = hold("training")
    with pytest.raises(WaitTimeoutError, match=rf"running: training.*goes on.*attach\('{job.job_id}'\)"):
        job.wait(timeout=30)
    assert passing.seconds == 30
    assert job.status() is JobStatus.RUNNING


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), NotAllowedError("expired", status=403)])
def test_an_interrupted_wait_says_how_to_take_it_up_again(
    hold: Hold, passing: PretendedTime, interruption: BaseException, gateway: Gateway
) -> None:
    job = hold("training")

    def interrupt() -> None:
        raise interruption

    passing.after(5, interrupt)
    with pytest.raises(type(interruption)) as raised:
        job.wait()
    assert raised.value.__notes__ == [
        f"Job {job.job_id} goes on. Take it up again with Tunedrop().attach('{job.job_id}'), or: tunedrop watch "
        f"{job.job_id}"
    ]
    assert {event["httpMethod"] for event in gateway.events} == {"GET"}  # nothing was cancelled


def test_its_timeline_comes_page_by_page(hold: Hold, aws: Account, gateway: Gateway) -> None:
    job = hold("training")
    for step in range(120):
        train(aws, job, step=step)
    before = len(gateway.events)
    events = list(job.events())
    assert [event.version for event in events] == sorted(event.version for event in events)
    assert [event.progress.step for event in events if event.progress] == list(range(120))
    assert len(gateway.events) - before == 2


def test_its_metrics_are_what_was_news(hold: Hold, aws: Account) -> None:
    job = hold("training")
    train(aws, job, step=1, training_loss=2.5)
    train(aws, job, step=2, training_loss=1.5, total_steps=90, trained_tokens=4000)
    train(aws, job, message="the provider thinks")
    train(aws, job, step=2, training_loss=1.5, total_steps=90, trained_tokens=4000)
    change(aws, job, phase=Phase.CANCELLING)
    points = [(each.step, each.total_steps, each.training_loss, each.trained_tokens) for each in job.metrics()]
    assert points == [(1, None, 2.5, None), (2, 90, 1.5, 4000)]
    assert hold("queued").metrics() == []


def test_its_report_is_read_from_s3(hold: Hold, aws: Account) -> None:
    job = hold("succeeded")
    uri = f"s3://{ARTIFACTS}/jobs/{job.job_id}/report.json"
    change(aws, job, report_uri=uri)
    aws.put(uri, json.dumps({"dataset": {"rows": 16}}).encode())
    assert job.report() == {"dataset": {"rows": 16}}


def test_there_is_no_report_before_the_end(hold: Hold) -> None:
    with pytest.raises(TunedropError, match="running, and its report is written at its end"):
        hold("training").report()
    with pytest.raises(TunedropError, match="succeeded, and has none"):
        hold("succeeded").report()


@pytest.mark.parametrize("content", [b"not json", b"[]", b""])
def test_what_is_no_report_is_told(hold: Hold, aws: Account, content: bytes) -> None:
    job = hold("succeeded")
    uri = f"s3://{ARTIFACTS}/jobs/{job.job_id}/report.json"
    change(aws, job, report_uri=uri)
    aws.put(uri, content)
    with pytest.raises(TunedropError, match="no report"):
        job.report()


def test_a_report_that_was_deleted_is_told(hold: Hold, aws: Account) -> None:
    job = hold("succeeded")
    change(aws, job, report_uri=f"s3://{ARTIFACTS}/jobs/never/report.json")
    with pytest.raises(NotFoundError, match=r"never/report\.json is not there"):
        job.report()


def test_a_report_that_the_caller_may_not_read_names_the_permission(
    hold: Hold, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hold("succeeded")
    uri = f"s3://{ARTIFACTS}/private/report.json"
    change(aws, job, report_uri=uri)
    aws.put(uri, b"{}")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{ARTIFACTS}/private/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    boto3.client("s3").put_bucket_policy(Bucket=ARTIFACTS, Policy=policy)
    try:
        with pytest.raises(NotAllowedError, match=rf"s3:GetObject on arn:aws:s3:::{ARTIFACTS}/private/report\.json"):
            job.report()
    finally:
        boto3.client("s3").delete_bucket_policy(Bucket=ARTIFACTS)


def test_one_that_was_cancelled_is_tried_again_as_a_new_job(hold: Hold, aws: Account) -> None:
    old = hold("cancelled")
    new = old.retry()
    assert new.record.retry_of == old.job_id != new.job_id
    assert old.retry().job_id == new.job_id
    assert aws.jobs.get(new.job_id).retry_of == old.job_id


def test_a_model_that_is_served_is_not_deleted(hold: Hold) -> None:
    with pytest.raises(ConflictError, match="Stop the endpoint first") as raised:
        hold("endpoint ready").delete_model()
    assert raised.value.code == "endpoint_not_stopped"


def test_a_model_that_was_deleted_is_said_to_be(hold: Hold) -> None:
    assert hold("model deleted").delete_model().model_deleted_at is not None


def change_endpoint(aws: Account, job: Job, status: EndpointStatus, **changes: Any) -> None:
    def changed(record: Any) -> Any:
        return msgspec.structs.replace(record, version=record.version + 1, status=status, **changes)

    aws.endpoints.change(job.job_id, changed)


def test_its_endpoint_is_started_and_waited_for(hold: Hold, aws: Account, passing: PretendedTime) -> None:
    job = hold("succeeded")
    passing.after(20, lambda: change_endpoint(aws, job, EndpointStatus.READY, call=CALL))
    started = job.start_endpoint()
    assert started.status == "ready"
    assert started.call is not None
    assert started.call.litellm_model == CALL.litellm_model
    assert 20 <= passing.seconds < 36


def test_an_endpoint_is_started_as_asked_for(hold: Hold, gateway: Gateway) -> None:
    started = hold("succeeded").start_endpoint(kind="provisioned", model_units=1, ttl_hours=4, wait=False)
    assert (started.status, started.kind, started.ttl_hours) == ("starting", "provisioned", 4.0)
    assert json.loads(gateway.events[-1]["body"]) == {"kind": "provisioned", "model_units": 1, "ttl_hours": 4}


def test_an_endpoint_is_stopped_and_waited_for(hold: Hold, aws: Account, passing: PretendedTime) -> None:
    job = hold("endpoint ready")
    passing.after(20, lambda: change_endpoint(aws, job, EndpointStatus.STOPPED))
    assert job.stop_endpoint(wait=False).status == "stopping"
    assert passing.seconds == 0
    assert job.stop_endpoint().status == "stopped"
    assert job.stop_endpoint().status == "stopped"


def test_stopping_does_not_wait_for_longer_than_it_may(hold: Hold, passing: PretendedTime) -> None:
    with pytest.raises(WaitTimeoutError, match="endpoint is stopping"):
        hold("endpoint ready").stop_endpoint(timeout=30)
    assert passing.seconds == 30


def test_a_job_without_a_model_has_no_endpoint(hold: Hold) -> None:
    job = hold("training")
    with pytest.raises(ConflictError):
        job.start_endpoint()
    with pytest.raises(ConflictError):
        job.endpoint()
    assert hold("succeeded").endpoint().status == "none"


def test_an_endpoint_that_does_not_come_up_says_why(hold: Hold, aws: Account, passing: PretendedTime) -> None:
    job = hold("succeeded")
    error = JobError(code="endpoint_failed", message="There is no capacity")
    passing.after(5, lambda: change_endpoint(aws, job, EndpointStatus.FAILED, error=error))
    with pytest.raises(EndpointFailedError, match=rf"There is no capacity\..*tunedrop endpoint start {job.job_id}"):
        job.start_endpoint()
