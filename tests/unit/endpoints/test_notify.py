"""One event for each change of an endpoint's status, and none for anything else."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from tests.builders import JOB_ID
from tests.fakes.publisher import MemoryPublisher
from tests.unit.endpoints.builders import CALL, STARTED, endpoint_in
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.job import JobError
from tunedrop.domain.ports import StatusChange
from tunedrop.endpoints.notify import NotifyEndpointChange

STARTING, READY = endpoint_in(EndpointStatus.STARTING), endpoint_in(EndpointStatus.READY, version=4)


def told(before: Endpoint | None, after: Endpoint) -> StatusChange | None:
    publisher = MemoryPublisher()
    change = NotifyEndpointChange(publisher=publisher)(before, after)
    assert publisher.changes == ([change] if change else [])
    return change


def test_one_that_became_ready_is_told_with_what_to_call() -> None:
    until = STARTED + timedelta(hours=4)
    change = told(STARTING, msgspec.structs.replace(READY, expires_at=until, hourly_cost_usd=0.0))

    assert change is not None
    assert (change.detail_type, change.event_id) == ("Fine-Tuning Endpoint State Change", f"{JOB_ID}-endpoint-4")
    assert change.summary == f"bedrock endpoint of job {JOB_ID} is ready: call ep-0, until 2026-11-22 14:00 UTC"
    assert change.detail == {
        "version": "1",
        "event_id": f"{JOB_ID}-endpoint-4",
        "job_id": JOB_ID,
        "provider": "bedrock",
        "status": "ready",
        "previous_status": "starting",
        "generation": 1,
        "kind": "on_demand",
        "execution_arn": None,
        "updated_at": "2026-11-22T10:00:00Z",
        "call": {"model_id": CALL.model_id, "litellm_model": CALL.litellm_model, "url": None},
        "expires_at": "2026-11-22T14:00:00Z",
        "hourly_cost_usd": 0.0,
        "error": None,
    }
    assert json.loads(msgspec.json.encode(change.detail)) == change.detail, "plain JSON"


def test_a_failure_is_told_with_its_reason() -> None:
    failed = endpoint_in(EndpointStatus.FAILED, error=JobError(code="endpoint_failed", message="No capacity."))

    change = told(endpoint_in(EndpointStatus.STOPPING), failed)
    assert change is not None
    assert change.summary == f"bedrock endpoint of job {JOB_ID} failed: No capacity."
    assert change.detail["error"]["code"] == "endpoint_failed"


@pytest.mark.parametrize("status", EndpointStatus)
def test_the_first_word_of_one_is_news(status: EndpointStatus) -> None:
    change = told(None, endpoint_in(status))
    assert change is not None
    assert change.detail["previous_status"] is None


def test_what_changes_no_status_is_none() -> None:
    assert told(READY, msgspec.structs.replace(READY, version=5, last_error="x", wake_seq=3)) is None


def test_the_next_generation_is_news_whatever_its_status() -> None:
    hosted = endpoint_in(EndpointStatus.READY)
    assert told(hosted, msgspec.structs.replace(hosted, generation=2, version=2)) is not None
