"""Recover, for endpoints: whatever becomes of an execution, what may cost money is looked after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import CREATED, JOB_ID
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryEndpointStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.endpoint import Endpoint, EndpointStatus, endpoint_execution
from tunedrop.domain.job import JobError
from tunedrop.domain.lost_executions import LostStatus, Recovery
from tunedrop.endpoints.recover import LAST_EXECUTION, RESUMES, RecoverEndpoint

LATER = CREATED + timedelta(hours=2)
STARTING = Endpoint(
    job_id=JOB_ID,
    provider="bedrock",
    status=EndpointStatus.STARTING,
    version=4,
    generation=2,
    kind="provisioned",
    created_at=CREATED,
    updated_at=CREATED,
    ttl_hours=2,
    expires_at=LATER,
)
HELD = msgspec.structs.replace(STARTING, status=EndpointStatus.READY, ready_at=CREATED)
STOPPING = msgspec.structs.replace(STARTING, status=EndpointStatus.STOPPING, stop_requested_at=CREATED)
UP_FOR_GOOD = msgspec.structs.replace(HELD, kind="on_demand", ttl_hours=None, expires_at=None)
HOSTED = msgspec.structs.replace(UP_FOR_GOOD, kind="hosted", provider="openai")
STOPPED = msgspec.structs.replace(STOPPING, status=EndpointStatus.STOPPED)
DID_NOT_COME_UP = msgspec.structs.replace(STOPPING, status=EndpointStatus.FAILED)


class Rig:
    def __init__(self, endpoint: Endpoint, **changes: Any) -> None:
        self.store = MemoryEndpointStore()
        self.store.create(msgspec.structs.replace(endpoint, **changes))
        self.workflow = MemoryWorkflow("endpoint")
        self.clock = FakeClock()
        self.clock.advance(hours=1)
        self.recover = RecoverEndpoint(store=self.store, workflow=self.workflow, clock=self.clock)

    @property
    def endpoint(self) -> Endpoint:
        return self.store.endpoints[JOB_ID]

    @property
    def started(self) -> dict[str, Any]:
        return {name: state["action"] for name, state in self.workflow.inputs.items()}

    def lose(self, status: LostStatus = LostStatus.FAILED) -> Recovery:
        return self.recover(JOB_ID, endpoint_execution(self.endpoint), status)


@pytest.mark.parametrize("status", LostStatus)
@pytest.mark.parametrize(("endpoint", "action"), [(STARTING, "resume"), (HELD, "resume"), (STOPPING, "stop")])
def test_another_execution_goes_on_where_the_endpoint_was(endpoint: Endpoint, action: str, status: LostStatus) -> None:
    rig = Rig(endpoint)

    assert rig.lose(status) is Recovery.RESUMED

    assert rig.started == {f"{JOB_ID}-2-2": action}
    after = rig.endpoint
    assert (after.status, after.expires_at, after.error) == (endpoint.status, LATER, None)
    assert (after.executions, after.version) == (2, 5)
    assert after.execution_arn == rig.workflow.execution_arn("bedrock", f"{JOB_ID}-2-2")
    assert after.console_url == rig.workflow.console_url("bedrock", f"{JOB_ID}-2-2")
    assert f"was lost as {status.value}" in (after.last_error or "")


def test_after_five_the_endpoint_is_stopped_and_says_why() -> None:
    rig = Rig(HELD)

    answers = [rig.lose() for _ in range(RESUMES + 1)]

    assert answers == [Recovery.RESUMED] * 5 + [Recovery.STOPPING]
    assert list(rig.started.values()) == ["resume"] * 5 + ["stop"]
    assert (rig.endpoint.status, rig.endpoint.stop_requested_at) == (EndpointStatus.STOPPING, rig.clock.now())
    assert rig.endpoint.error is not None
    assert rig.endpoint.error.code == "execution_lost"
    assert f"{JOB_ID}-2-6, number 6, was lost as FAILED" in rig.endpoint.error.message


def test_why_it_was_stopping_before_is_what_it_says() -> None:
    error = JobError(code="endpoint_not_ready", message="It was not ready in time.")
    rig = Rig(STOPPING, executions=RESUMES + 1, error=error)

    rig.lose()

    assert (rig.endpoint.error, rig.endpoint.stop_requested_at) == (error, CREATED)


@pytest.mark.parametrize("endpoint", [STOPPED, DID_NOT_COME_UP, UP_FOR_GOOD, HOSTED])
def test_where_there_is_nothing_to_do_nobody_is_sent(endpoint: Endpoint) -> None:
    rig = Rig(endpoint)

    assert rig.lose(LostStatus.ABORTED) is Recovery.ENDED

    assert (rig.started, rig.endpoint) == ({}, endpoint)


def test_a_job_without_an_endpoint_is_not_ours() -> None:
    assert Rig(HELD).recover("a" * 26, f"{'a' * 26}-1", LostStatus.FAILED) is Recovery.NOT_OURS


def test_an_event_that_comes_twice_makes_one_execution() -> None:
    rig = Rig(HELD)
    lost = endpoint_execution(rig.endpoint)

    assert [rig.recover(JOB_ID, lost, LostStatus.TIMED_OUT) for _ in range(3)] == [
        Recovery.RESUMED,
        Recovery.REPLACED,
        Recovery.REPLACED,
    ]
    assert (len(rig.started), rig.endpoint.executions) == (1, 2)


@pytest.mark.parametrize("old", [f"{JOB_ID}-1", f"{JOB_ID}-1-7", f"{JOB_ID}-2-2"])
def test_an_old_event_makes_sure_that_the_present_execution_was_started(old: str) -> None:
    rig = Rig(HELD, executions=3)

    assert rig.recover(JOB_ID, old, LostStatus.ABORTED) is Recovery.REPLACED

    assert rig.started == {f"{JOB_ID}-2-3": "resume"}
    assert rig.endpoint.version == HELD.version


def test_executions_that_keep_failing_come_to_an_end_and_leave_a_way_to_stop() -> None:
    rig = Rig(HELD)
    answers = [rig.lose() for _ in range(LAST_EXECUTION)]

    assert answers[-1] is Recovery.GIVEN_UP
    assert len(rig.started) == LAST_EXECUTION - 1
    assert "ask for the stop again" in (rig.endpoint.last_error or "")
    # Whoever asks starts the next one, whose name no execution has had.
    assert endpoint_execution(rig.endpoint) not in rig.started
    assert rig.endpoint.status is EndpointStatus.STOPPING
