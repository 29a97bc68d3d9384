"""Every step is killed before and after each of its side effects, and repeated as Step Functions would: nothing is
created twice, nothing is left behind, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.builders import JOB_ID
from tests.fakes.job_store import MemoryEndpointStore
from tests.fakes.serving import MemoryServing
from tests.unit.endpoints.world import Crash, World
from tunedrop.domain.endpoint import Call, Endpoint, EndpointStatus
from tunedrop.domain.serving_ports import EndpointOrder, ProviderEndpoint, ServingState


class Nemesis:
    """Crashes at one point, once; and does something else at another."""

    def __init__(self, crash_at: int | None, *, act_at: int | None = None, act: Callable[[], object] = object) -> None:
        self.crash_at = crash_at
        self.act_at = act_at
        self.act = act
        self.passed = 0
        self.armed = False

    def point(self) -> None:
        if not self.armed:
            return
        self.passed += 1
        if self.passed == self.act_at:
            self.armed = False
            self.act()
            self.armed = True
        if self.passed == self.crash_at:
            raise Crash


class CrashingStore(MemoryEndpointStore):
    nemesis = Nemesis(None)

    def change(self, job_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        self.nemesis.point()
        changed = super().change(job_id, change)
        self.nemesis.point()
        return changed


class CrashingServing(MemoryServing):
    nemesis = Nemesis(None)

    def find(self, order: EndpointOrder) -> str | None:
        self.nemesis.point()
        return super().find(order)

    def create(self, order: EndpointOrder) -> str:
        self.nemesis.point()
        created = super().create(order)
        self.nemesis.point()
        return created

    def status(self, resource_id: str) -> ProviderEndpoint:
        self.nemesis.point()
        if self.states.get(resource_id) is ServingState.STARTING:
            self.states[resource_id] = ServingState.READY
        return super().status(resource_id)

    def delete(self, resource_id: str) -> None:
        self.nemesis.point()
        super().delete(resource_id)
        self.nemesis.point()

    def call(self, resource_id: str) -> Call:
        self.nemesis.point()
        return super().call(resource_id)


def live(nemesis: Nemesis, **request: object) -> World:
    """One whole life through the crash: up, held to its end, and down."""
    world = World(endpoints=CrashingStore(), serving=CrashingServing())
    world.endpoints.nemesis = world.serving.nemesis = nemesis  # type: ignore[attr-defined]
    nemesis.act = world.stop
    world.start(**{"ttl_hours": 1, **request})
    nemesis.armed = True
    world.walk()
    return world


def points() -> int:
    nemesis = Nemesis(None)
    live(nemesis)
    return nemesis.passed


POINTS = points()


def test_there_are_as_many_points_as_side_effects() -> None:
    assert POINTS >= 20


@pytest.mark.parametrize("crash_at", range(1, POINTS + 1))
def test_a_crash_anywhere_makes_no_second_endpoint_and_leaves_none(crash_at: int) -> None:
    world = live(Nemesis(crash_at))

    assert len(world.serving.orders) == 1
    assert world.serving.states == {}
    assert (world.endpoint.status, world.endpoint.error) == (EndpointStatus.STOPPED, None)
    assert [each.status for each in world.endpoints.history if each.status is EndpointStatus.READY]
    assert world.troubles == []


@pytest.mark.parametrize("stop_at", range(1, POINTS + 1))
@pytest.mark.parametrize("later", [0, 1, 3])
def test_a_stop_at_any_moment_and_a_crash_soon_after_leave_nothing(stop_at: int, later: int) -> None:
    world = live(Nemesis(stop_at + later, act_at=stop_at))

    assert len(world.serving.orders) <= 1
    assert world.serving.states == {}
    assert world.endpoint.status is EndpointStatus.STOPPED


@pytest.mark.parametrize("crash_at", range(1, POINTS + 1))
def test_what_the_provider_shows_late_is_not_left_behind(crash_at: int) -> None:
    """It is stopped right after a create call of which nobody knows whether it came through."""
    world = World(endpoints=CrashingStore(), serving=CrashingServing())
    nemesis = Nemesis(crash_at)
    world.endpoints.nemesis = world.serving.nemesis = nemesis  # type: ignore[attr-defined]
    world.start(ttl_hours=1)
    world.serving.hidden = True
    nemesis.armed = True
    for _ in range(3):
        try:
            world.bring_up(JOB_ID)
        except Crash:
            break
    nemesis.armed = False
    world.stop()
    assert world.walk("Poll", until="stopping") in ("Poll", "Gone")
    world.clock.advance(seconds=100)
    world.serving.hidden = False

    if not world.endpoint.has_ended:
        assert world.walk("Poll") == "Gone"
    assert world.serving.states == {}


def test_what_a_step_that_was_given_up_creates_after_all_is_deleted_at_once() -> None:
    """Its function hung for so long that another one was started, and the endpoint has come to its end meanwhile."""
    world = World()

    class Hanging(MemoryServing):
        def create(self, order: EndpointOrder) -> str:
            world.stop()
            world.clock.advance(hours=1)
            assert world.walk("Stop") == "Gone"
            return super().create(order)

    world.serving = Hanging()
    world.start()

    assert world.walk() == "Gone"
    assert (world.serving.states, world.serving.deletions) == ({}, ["ep-0"])
    assert world.endpoint.status is EndpointStatus.STOPPED


def test_what_the_next_generation_uses_by_then_is_left_to_it() -> None:
    """Databricks' endpoints have the same name at every start: what the late one made is what the next one took up."""
    world = World()

    class SameName(MemoryServing):
        late = True

        def create(self, order: EndpointOrder) -> str:
            if self.late:
                self.late = False
                world.stop()
                world.clock.advance(hours=1)
                assert world.walk("Stop") == "Gone"
                world.start()
                assert world.walk(until="starting") == "Poll"
            self.states["the-name"] = ServingState.READY
            self.orders["the-name"] = order
            return "the-name"

    world.serving = SameName()
    world.start()

    assert world.walk() == "Ready"
    assert (world.endpoint.generation, world.endpoint.status) == (2, EndpointStatus.READY)
    assert world.serving.deletions == []
