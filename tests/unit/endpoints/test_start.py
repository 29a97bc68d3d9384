"""Start: each state that an endpoint can be in when somebody asks for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import JOB_ID, job_in
from tests.fakes.workflow import MemoryWorkflow
from tests.unit.endpoints.builders import MODEL, STARTED, endpoint_in, served_job
from tests.unit.endpoints.world import World
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.errors import ConflictError, JobNotFoundError, RequestInvalidError
from tunedrop.domain.job import JobError, JobStatus, Outcome, Phase
from tunedrop.domain.job_request import EndpointRequest
from tunedrop.domain.transitions import close

STARTING, READY = EndpointStatus.STARTING, EndpointStatus.READY


@pytest.fixture
def world() -> World:
    return World()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_the_first_start_makes_the_record_and_its_execution(world: World) -> None:
    endpoint = world.start()

    assert endpoint == world.endpoint
    assert (endpoint.status, endpoint.kind, endpoint.generation, endpoint.version) == (STARTING, "on_demand", 1, 1)
    assert (endpoint.created_at, endpoint.expires_at, endpoint.hourly_cost_usd) == (STARTED, None, 0.0)
    assert "tokens of each call" in endpoint.cost_note
    assert world.workflow.executions == [("bedrock", f"{JOB_ID}-1")]
    assert world.workflow.inputs[f"{JOB_ID}-1"] == {"job_id": JOB_ID, "action": "start"}
    assert endpoint.execution_arn == world.workflow.execution_arn("bedrock", f"{JOB_ID}-1")
    assert endpoint.console_url is not None


def test_one_that_bills_says_until_when_and_what(world: World) -> None:
    endpoint = world.start(kind="provisioned", model_units=2, ttl_hours=1.5)

    assert (endpoint.kind, endpoint.model_units, endpoint.ttl_hours) == ("provisioned", 2, 1.5)
    assert endpoint.expires_at == STARTED + hours(1.5)
    assert endpoint.hourly_cost_usd is None
    assert "Billed by the hour" in endpoint.cost_note


def test_a_request_that_cannot_be_met_leaves_no_record(world: World) -> None:
    with pytest.raises(RequestInvalidError, match="'ttl_hours' is missing"):
        world.start(kind="provisioned", model_units=2)
    assert world.endpoints.endpoints == {}
    assert world.workflow.executions == []


def test_a_model_that_openai_hosts_is_ready_at_once() -> None:
    world = World()
    world.jobs.jobs[JOB_ID] = served_job("openai")

    for _ in range(2):
        endpoint = world.start()
    assert (endpoint.status, endpoint.kind, endpoint.version) == (READY, "hosted", 1)
    assert endpoint.call is not None
    assert (endpoint.call.model_id, endpoint.call.litellm_model) == (MODEL, f"openai/{MODEL}")
    assert endpoint.ready_at == STARTED
    assert (world.workflow.executions, endpoint.execution_arn) == ([], None)


class TestWithoutAModel:
    def test_an_unknown_job(self, world: World) -> None:
        with pytest.raises(JobNotFoundError):
            world.start_endpoint("nothing", EndpointRequest())

    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.DONE])
    def test_a_job_that_is_not_over(self, world: World, phase: Phase) -> None:
        world.jobs.jobs[JOB_ID] = job_in(phase)
        assert refused(world) == "job_not_finished"

    @pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
    def test_a_job_that_did_not_succeed(self, world: World, status: JobStatus) -> None:
        world.jobs.jobs[JOB_ID] = close(job_in(Phase.TRAINING), Outcome(status=status), at=STARTED)
        assert refused(world) == "job_not_succeeded"

    @pytest.mark.parametrize("before", [None, endpoint_in(EndpointStatus.STOPPED)])
    def test_a_model_that_was_deleted(self, world: World, before: Endpoint | None) -> None:
        world.jobs.jobs[JOB_ID] = served_job(model_deleted_at=STARTED)
        if before:
            world.put(before)
        assert refused(world) == "model_deleted"
        assert world.workflow.executions == []


def refused(world: World, **request: Any) -> str:
    with pytest.raises(ConflictError) as caught:
        world.start(**request)
    return caught.value.code


class TestWhileItIsThere:
    @pytest.mark.parametrize("status", [STARTING, READY])
    @pytest.mark.parametrize("request_", [{}, {"kind": "on_demand"}])
    def test_the_same_endpoint_is_the_answer(self, world: World, status: Any, request_: dict[str, Any]) -> None:
        endpoint = world.put(endpoint_in(status))

        assert world.start(**request_) == endpoint
        assert world.tokens.sent == []

    def test_an_execution_that_was_never_started_is_started(self, world: World) -> None:
        """Whoever wrote the record died before the execution began."""
        world.put(endpoint_in(STARTING))

        world.start()
        world.start()

        assert world.workflow.executions == [("bedrock", f"{JOB_ID}-1")]
        assert world.workflow.inputs[f"{JOB_ID}-1"]["action"] == "start"

    def test_one_that_is_ready_without_an_end_needs_no_execution(self, world: World) -> None:
        world.put(endpoint_in(READY))
        world.start()
        assert world.workflow.executions == []

    @pytest.mark.parametrize("status", [STARTING, READY])
    @pytest.mark.parametrize(
        "other", [{"kind": "on_demand"}, {"model_units": 3}, {"kind": "provisioned", "model_units": 3}]
    )
    def test_another_one_is_refused(self, world: World, status: Any, other: dict[str, Any]) -> None:
        endpoint = world.put(provisioned(status))

        assert refused(world, **other) == "endpoint_differs"
        assert world.endpoint == endpoint

    def test_the_same_one_is_asked_for_with_fewer_words(self, world: World) -> None:
        endpoint = world.put(provisioned(READY))

        assert world.start() == endpoint
        assert world.start(kind="provisioned", model_units=2) == endpoint

    def test_it_cannot_be_started_while_it_is_being_stopped(self, world: World) -> None:
        world.put(endpoint_in(EndpointStatus.STOPPING))
        assert refused(world) == "endpoint_stopping"


def provisioned(status: EndpointStatus, **changes: Any) -> Endpoint:
    fields = {"kind": "provisioned", "model_units": 2, "ttl_hours": 4.0, "expires_at": STARTED + hours(4)}
    return endpoint_in(status, **{**fields, **changes})


class TestMovingTheEnd:
    @pytest.mark.parametrize("status", [STARTING, READY])
    def test_later_counts_from_now_and_wakes_nobody(self, world: World, status: Any) -> None:
        """Hold finds the later end when its wait is over: moving it away, however often, costs no event."""
        world.put(provisioned(status))
        world.endpoints.tokens[JOB_ID] = "t"
        world.clock.advance(hours=3)

        endpoint = world.start(ttl_hours=4)

        assert (endpoint.expires_at, endpoint.ttl_hours, endpoint.version) == (STARTED + hours(7), 4, 2)
        assert endpoint.executions == 1
        assert world.tokens.sent == []

    def test_nearer_wakes_the_execution_that_holds_it(self, world: World) -> None:
        world.put(provisioned(READY))
        world.endpoints.tokens[JOB_ID] = "t"

        endpoint = world.start(ttl_hours=1)

        assert endpoint.expires_at == STARTED + hours(1)
        assert world.tokens.sent == ["t"]
        assert world.endpoint.wake_seq == 1

    def test_of_one_that_had_none_brings_an_execution_to_hold_it(self, world: World) -> None:
        world.put(endpoint_in(READY))

        endpoint = world.start(ttl_hours=1)

        assert (endpoint.status, endpoint.executions) == (READY, 2)
        assert world.workflow.inputs == {f"{JOB_ID}-1-2": {"job_id": JOB_ID, "action": "resume"}}
        assert endpoint.execution_arn == world.workflow.execution_arn("bedrock", f"{JOB_ID}-1-2")
        assert world.start(ttl_hours=2).executions == 2, "the one that holds it by now goes on"

    def test_of_one_that_is_starting_is_for_the_execution_that_starts_it(self, world: World) -> None:
        world.put(endpoint_in(STARTING))
        world.endpoints.tokens[JOB_ID] = "t"

        assert world.start(ttl_hours=1).executions == 1
        assert world.tokens.sent == ["t"]

    @pytest.mark.parametrize("ttl", [0, 721])
    def test_to_where_it_cannot_be_is_refused(self, world: World, ttl: float) -> None:
        endpoint = world.put(provisioned(READY))
        with pytest.raises(RequestInvalidError, match="'ttl_hours'"):
            world.start(ttl_hours=ttl)
        assert world.endpoint == endpoint


class TestAfterTheEnd:
    @pytest.mark.parametrize("status", [EndpointStatus.STOPPED, EndpointStatus.FAILED])
    def test_the_next_generation_begins_afresh_on_the_same_record(self, world: World, status: EndpointStatus) -> None:
        world.put(
            provisioned(
                status, version=9, executions=3, wake_seq=5, error=JobError(code="x", message="y"), last_error="z"
            )
        )
        world.clock.advance(hours=10)

        endpoint = world.start()

        fresh = World()
        fresh.clock.advance(hours=10)
        assert endpoint == msgspec.structs.replace(
            fresh.start(),
            generation=2,
            version=10,
            wake_seq=5,
            execution_arn=world.workflow.execution_arn("bedrock", f"{JOB_ID}-2"),
            console_url=world.workflow.console_url("bedrock", f"{JOB_ID}-2"),
        )
        assert world.workflow.executions == [("bedrock", f"{JOB_ID}-2")]

    def test_one_that_bills_needs_its_hours_again(self, world: World) -> None:
        world.put(provisioned(EndpointStatus.STOPPED))
        with pytest.raises(RequestInvalidError, match="'ttl_hours' is missing"):
            world.start(kind="provisioned", model_units=2)


def test_two_first_starts_at_once_make_one_endpoint(world: World) -> None:
    class Late(MemoryWorkflow):
        """While the one makes up its record, the other writes its own."""

        def execution_arn(self, provider: str, name: str) -> str:
            world.start()
            return super().execution_arn(provider, name)

    late = World(endpoints=world.endpoints, workflow=Late("endpoint"))

    assert late.start() == world.endpoint
    assert world.endpoint.version == 1
    assert late.workflow.executions == world.workflow.executions == [("bedrock", f"{JOB_ID}-1")]
