"""What begins by itself when a job has succeeded, and what is shown of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.builders import JOB_ID
from tests.unit.endpoints.builders import MODEL, STARTED, endpoint_in, served_job
from tests.unit.endpoints.world import World
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job
from tunedrop.domain.job_request import EndpointRequest
from tunedrop.endpoints.serve import ServeModel
from tunedrop.endpoints.show import ShowEndpoint


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def serve(world: World) -> ServeModel:
    return ServeModel(endpoints=world.endpoints, workflow=world.workflow, clock=world.clock)


def asking(job: Job, **changes: Any) -> Job:
    assert job.request is not None
    return msgspec.structs.replace(job, request=msgspec.structs.replace(job.request, **changes))


def test_the_record_begins_and_the_jobs_own_execution_does_the_rest(world: World, serve: ServeModel) -> None:
    endpoint = serve(served_job())

    assert endpoint == world.endpoint
    assert (endpoint.status, endpoint.kind) == (EndpointStatus.STARTING, "on_demand")
    assert endpoint.execution_arn == world.workflow.execution_arn("bedrock", f"{JOB_ID}-1")
    assert world.workflow.executions == []


def test_it_is_the_same_record_that_a_start_over_the_api_would_make(world: World, serve: ServeModel) -> None:
    endpoint = serve(served_job())

    assert World().start() == endpoint
    assert world.start() == endpoint


def test_a_model_that_openai_hosts_is_ready_with_it(serve: ServeModel) -> None:
    endpoint = serve(served_job("openai"))

    assert endpoint is not None
    assert (endpoint.status, endpoint.ready_at) == (EndpointStatus.READY, STARTED)
    assert endpoint.call is not None
    assert endpoint.call.model_id == MODEL


@pytest.mark.parametrize("unwanted", [{"start_endpoint": False}, {"skip_deploy": True}])
@pytest.mark.parametrize("provider", ["openai", "bedrock", "databricks"])
def test_nothing_begins_that_is_not_wanted(
    world: World, serve: ServeModel, provider: str, unwanted: dict[str, bool]
) -> None:
    assert serve(asking(served_job(provider), **unwanted)) is None
    assert world.endpoints.endpoints == {}


def test_one_that_bills_begins_as_it_was_asked_for(serve: ServeModel) -> None:
    request = EndpointRequest(kind="provisioned", model_units=2, ttl_hours=3)

    endpoint = serve(asking(served_job(), endpoint=request))

    assert endpoint is not None
    assert (endpoint.kind, endpoint.model_units, endpoint.ttl_hours) == ("provisioned", 2, 3)
    assert endpoint.expires_at is not None


@pytest.mark.parametrize("status", EndpointStatus)
def test_an_endpoint_that_is_there_is_left_as_it_is(world: World, serve: ServeModel, status: EndpointStatus) -> None:
    """Finish is repeated, or somebody was quicker over the API."""
    endpoint = world.put(endpoint_in(status, generation=3))

    assert serve(served_job()) == endpoint
    assert world.endpoint == endpoint


def test_what_is_shown_is_the_record(world: World) -> None:
    show = ShowEndpoint(jobs=world.jobs, endpoints=world.endpoints)

    assert show(JOB_ID) is None
    assert world.start() == show(JOB_ID)
    with pytest.raises(JobNotFoundError):
        show("nothing")
