"""Stop: each state that an endpoint can be in when it is not needed any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import JOB_ID
from tests.unit.endpoints.builders import STARTED, endpoint_in, served_job
from tests.unit.endpoints.world import World
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.errors import ConflictError, JobNotFoundError

EXPIRES = {"expires_at": STARTED + timedelta(hours=4), "ttl_hours": 4.0}


@pytest.fixture
def world() -> World:
    world = World()
    world.endpoints.tokens[JOB_ID] = "t"
    return world


@pytest.mark.parametrize(
    ("status", "changes"),
    [(EndpointStatus.STARTING, {}), (EndpointStatus.STARTING, EXPIRES), (EndpointStatus.READY, EXPIRES)],
)
def test_one_whose_execution_is_at_work_is_taken_down_by_that(
    world: World, status: EndpointStatus, changes: dict[str, Any]
) -> None:
    world.put(endpoint_in(status, **changes))

    endpoint = world.stop()

    assert (endpoint.status, endpoint.executions) == (EndpointStatus.STOPPING, 1)
    assert (endpoint.stop_requested_at, endpoint.call) == (STARTED, None)
    assert world.tokens.sent == ["t"]
    assert world.workflow.inputs == {f"{JOB_ID}-1": {"job_id": JOB_ID, "action": "start"}}, "it was started, for sure"


def test_one_that_nobody_watches_gets_an_execution_of_its_own(world: World) -> None:
    world.put(endpoint_in(EndpointStatus.READY))

    for _ in range(2):
        endpoint = world.stop()

    assert (endpoint.status, endpoint.executions, endpoint.version) == (EndpointStatus.STOPPING, 2, 2)
    assert world.workflow.inputs == {f"{JOB_ID}-1-2": {"job_id": JOB_ID, "action": "stop"}}
    assert endpoint.execution_arn == world.workflow.execution_arn("bedrock", f"{JOB_ID}-1-2")


def test_stopping_it_again_changes_nothing_and_says_it_again(world: World) -> None:
    """Also where the one who stopped it first died before waking anybody."""
    endpoint = world.put(endpoint_in(EndpointStatus.STOPPING, **EXPIRES))

    assert world.stop() == endpoint
    assert world.tokens.sent == ["t"]


@pytest.mark.parametrize("status", [EndpointStatus.STOPPED, EndpointStatus.FAILED])
def test_one_that_has_ended_is_left_as_it_is(world: World, status: EndpointStatus) -> None:
    endpoint = world.put(endpoint_in(status))

    assert world.stop() == endpoint
    assert (world.tokens.sent, world.workflow.executions) == ([], [])


def test_what_openai_hosts_cannot_be_stopped(world: World) -> None:
    world.jobs.jobs[JOB_ID] = served_job("openai")
    endpoint = world.start()

    with pytest.raises(ConflictError, match="OpenAI serves every tuned model itself") as caught:
        world.stop()
    assert caught.value.code == "endpoint_hosted"
    assert world.endpoint == endpoint


def test_what_never_was_cannot_be_stopped(world: World) -> None:
    with pytest.raises(ConflictError) as caught:
        world.stop()
    assert caught.value.code == "endpoint_not_started"
    with pytest.raises(JobNotFoundError):
        world.stop_endpoint("nothing")
