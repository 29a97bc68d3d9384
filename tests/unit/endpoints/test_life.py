"""An endpoint's whole life, step by step as its execution drives it: each way that it can go."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from tests.builders import JOB_ID
from tests.unit.endpoints.builders import STARTED, served_job
from tests.unit.endpoints.world import World
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    StoreUnavailableError,
    SubmissionUncertainError,
)
from tunedrop.domain.serving_ports import ProviderEndpoint, ServingState
from tunedrop.endpoints.step import EndpointOutcome

READY, STOPPING = EndpointStatus.READY, EndpointStatus.STOPPING
STOPPED, FAILED = EndpointStatus.STOPPED, EndpointStatus.FAILED


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def held(world: World) -> World:
    """Up, for four hours from the start."""
    world.start(kind="provisioned", model_units=1, ttl_hours=4)
    world.comes_up()
    return world


def reason(world: World) -> tuple[str, str]:
    assert world.endpoint.error is not None
    return world.endpoint.error.code, world.endpoint.error.message


class TestComingUp:
    def test_one_that_costs_nothing_is_ready_and_needs_nobody(self, world: World) -> None:
        world.start()
        world.comes_up()

        endpoint = world.endpoint
        assert world.visited == ["Start", "wait:starting", "Poll"]
        assert (endpoint.resource_id, endpoint.provider_status) == ("ep-0", "READY")
        assert endpoint.call is not None
        assert endpoint.call.model_id == "ep-0"
        assert endpoint.ready_at == world.clock.now()
        assert [order.token for order in world.serving.orders.values()] == [f"tunedrop-{JOB_ID}-1"]

    def test_one_with_an_end_is_held(self, held: World) -> None:
        step = held.look(JOB_ID)

        assert (step.outcome, held.visited[-1]) == (EndpointOutcome.HOLD, "wait:hold")
        assert step.wait_seconds == 4 * 3600 - (held.clock.now() - STARTED).total_seconds()

    def test_it_is_held_for_six_hours_at_most_before_somebody_looks(self, held: World) -> None:
        held.start(ttl_hours=720)

        assert held.look(JOB_ID).wait_seconds == 6 * 3600

    def test_the_count_of_wake_ups_is_the_one_before_anything_was_looked_at(self, held: World) -> None:
        class Woken(type(held.serving)):  # type: ignore[misc]
            def status(self, resource_id: str) -> ProviderEndpoint:
                held.wake(JOB_ID)
                answer: ProviderEndpoint = super().status(resource_id)
                return answer

        held.wake(JOB_ID)
        held.serving.__class__ = Woken

        assert held.look(JOB_ID).wake_seq == 1
        assert held.endpoint.wake_seq == 2

    def test_a_quota_that_is_used_up_is_waited_for(self, world: World) -> None:
        world.start()
        world.serving.create_errors.extend([ProviderThrottledError("one at a time", retry_after=90)] * 2)

        step = world.bring_up(JOB_ID)
        assert (step.outcome, step.wait_seconds) == (EndpointOutcome.START, 90)
        assert world.endpoint.last_error == "one at a time"
        world.comes_up()

        assert len(world.serving.orders) == 1
        assert world.endpoint.last_error is None

    def test_words_that_nobody_knows_are_waited_over(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        world.start()
        world.walk(until="starting")
        world.serving.answers.append(ProviderEndpoint(state=ServingState.UNKNOWN, raw_status="DREAMING"))

        assert world.look(JOB_ID).outcome is EndpointOutcome.STARTING
        assert world.endpoint.provider_status == "DREAMING"
        assert "unknown provider status" in caplog.text

    def test_what_the_provider_does_not_show_yet_is_not_gone(self, world: World) -> None:
        world.start()
        world.walk(until="starting")
        world.serving.hidden = True

        assert world.look(JOB_ID).outcome is EndpointOutcome.STARTING
        world.clock.advance(seconds=120)
        assert world.look(JOB_ID).outcome is EndpointOutcome.GONE

    def test_another_look_without_news_writes_nothing(self, held: World) -> None:
        held.look(JOB_ID)
        version = held.endpoint.version
        held.look(JOB_ID)
        assert held.endpoint.version == version


class TestFailing:
    def test_one_that_does_not_come_up_is_deleted_before_it_has_failed(self, world: World) -> None:
        world.start()
        world.walk(until="starting")
        world.serving.answers.append(
            ProviderEndpoint(state=ServingState.FAILED, raw_status="Failed", error_message="No capacity.")
        )

        assert world.walk("Poll") == "Failed"

        assert world.visited[-4:] == ["Poll", "Stop", "wait:stopping", "Poll"]
        assert world.endpoint.status is FAILED
        code, message = reason(world)
        assert (code, message.split(". ")[0]) == ("endpoint_failed", "No capacity")
        assert (world.serving.states, world.serving.deletions) == ({}, ["ep-0"])
        assert world.step("Poll").error == world.endpoint.error, "the machine's Fail state says it too"

    def test_it_can_be_started_again(self, world: World) -> None:
        world.start()
        world.serving.create_errors.append(ProviderRejectedError("No such model.", provider_code="ValidationException"))
        assert world.walk() == "Failed"

        assert world.start().generation == 2
        world.comes_up()

        assert world.endpoint.error is None
        assert [order.token[-2:] for order in world.serving.orders.values()] == ["-2"]

    def test_a_refusal_to_create_is_told_in_the_providers_words(self, world: World) -> None:
        world.start()
        world.serving.create_errors.append(ProviderRejectedError("No such model.", provider_code="ValidationException"))
        world.serving.find_errors.append(ProviderRejectedError("not allowed to look"))

        assert world.walk() == "Failed"
        assert world.visited == ["Start", "Stop"], "nothing was made: nothing has to be looked for"
        assert reason(world) == ("provider_rejected", "No such model.")
        assert world.endpoint.error is not None
        assert world.endpoint.error.provider_code == "ValidationException"

    def test_without_credentials_nothing_is_tried(self, world: World) -> None:
        world.start()
        world.connect_error = CredentialsError("the secret is missing")

        assert world.walk() == "Failed"
        assert reason(world) == ("credentials_invalid", "the secret is missing")
        assert world.serving.orders == {}

    def test_one_that_may_have_been_made_is_looked_for_until_it_is_known(self, world: World) -> None:
        """The create's answer was lost, and then the key: that nothing is left can only be said once it is back."""
        world.start()
        world.serving.lost_replies.append(SubmissionUncertainError("no answer"))
        with pytest.raises(SubmissionUncertainError):
            world.bring_up(JOB_ID)
        world.connect_error = CredentialsError("the key was revoked")
        assert world.walk(until="stopping") == "Poll"
        assert world.endpoint.status is STOPPING
        assert world.troubles == ["bedrock"]

        world.connect_error = None
        assert world.walk("Poll") == "Failed"
        assert (world.serving.deletions, world.serving.states) == (["ep-0"], {})

    def test_one_that_is_not_ready_in_two_hours_is_deleted(self, world: World) -> None:
        world.start()

        assert world.walk() == "Failed"

        code, message = reason(world)
        assert (code, message) == (
            "endpoint_not_ready",
            "It was not ready 2 hours after its start, and was deleted. The provider said last: STARTING. "
            "Start it again.",
        )
        assert world.endpoint.stop_requested_at == STARTED + timedelta(hours=2), "neither before nor after"
        assert world.serving.states == {}

    def test_a_quota_that_never_comes_is_not_waited_for_longer(self, world: World) -> None:
        world.start()
        world.serving.create_errors.extend([ProviderThrottledError("one at a time", retry_after=86_400)] * 100)

        assert world.walk() == "Failed"
        assert "one at a time" in reason(world)[1]
        assert world.endpoint.stop_requested_at == STARTED + timedelta(hours=2)

    def test_one_that_fails_while_it_is_up_is_deleted_too(self, held: World) -> None:
        held.serving.become(ServingState.FAILED)

        assert held.walk("Poll") == "Failed"
        assert held.serving.states == {}
        assert held.endpoint.call is None


class TestTheEnd:
    def test_it_is_stopped_at_its_end_by_itself(self, held: World) -> None:
        assert held.walk("Poll") == "Gone"

        endpoint = held.endpoint
        assert (endpoint.status, endpoint.error, endpoint.call) == (STOPPED, None, None)
        assert endpoint.stop_requested_at == STARTED + timedelta(hours=4), "to the second"
        assert (held.serving.deletions, held.serving.states) == (["ep-0"], {})

    def test_an_end_that_was_moved_is_met_where_it_is_now(self, held: World) -> None:
        held.clock.advance(hours=3)
        held.start(ttl_hours=10)
        assert held.walk("Poll") == "Gone"

        assert held.endpoint.stop_requested_at == STARTED + timedelta(hours=13)

    def test_it_is_met_while_the_provider_cannot_say_how_it_is(self, held: World) -> None:
        held.serving.answers.extend([ProviderThrottledError("busy", retry_after=86_400)] * 3)

        held.walk("Poll", until="stopping")
        assert held.endpoint.stop_requested_at == STARTED + timedelta(hours=4)

    def test_one_that_is_still_coming_up_at_its_end_is_stopped(self, world: World) -> None:
        world.start(ttl_hours=0.25)

        assert world.walk() == "Gone"
        assert (world.endpoint.status, world.endpoint.error) == (STOPPED, None)
        assert world.serving.states == {}

    def test_what_was_deleted_in_the_console_has_stopped_and_says_so(self, held: World) -> None:
        held.serving.vanish()

        assert held.walk("Poll") == "Gone"
        assert held.endpoint.status is STOPPED
        assert reason(held)[0] == "endpoint_gone"
        assert held.serving.deletions == []


class TestStopping:
    def test_while_it_is_held(self, held: World) -> None:
        held.stop()

        assert held.walk("Poll") == "Gone"
        assert held.visited[-4:] == ["Poll", "Stop", "wait:stopping", "Poll"]
        assert (held.endpoint.status, held.endpoint.error) == (STOPPED, None)
        assert held.endpoint.stopped_at == held.clock.now()

    def test_before_anything_was_made(self, world: World) -> None:
        world.start()
        world.stop()

        assert world.walk() == "Gone"
        assert (world.visited, world.serving.orders) == (["Start", "Stop"], {})

    def test_right_before_it_is_made(self, world: World) -> None:
        """The intent is conditional on it: nothing is made, and nothing has to be looked for."""

        class Stopping(type(world.jobs)):  # type: ignore[misc]
            def get(self, job_id: str) -> object:
                self.__class__ = type(world.jobs).__mro__[1]
                world.stop()
                return self.get(job_id)

        world.start()
        world.jobs.__class__ = Stopping

        assert world.walk() == "Gone"
        assert (world.visited, world.serving.orders) == (["Start", "Stop"], {})
        assert (world.endpoint.status, world.endpoint.creation) == (STOPPED, None)

    def test_while_it_is_coming_up(self, world: World) -> None:
        world.start()
        world.walk(until="starting")
        world.stop()

        assert world.walk("Poll") == "Gone"
        assert world.serving.states == {}

    def test_while_the_create_call_is_under_way(self, world: World) -> None:
        class Slow(type(world.serving)):  # type: ignore[misc]
            def create(self, order: object) -> str:
                world.stop()
                created: str = super().create(order)
                return created

        world.serving.__class__ = Slow
        world.start()

        assert world.walk() == "Gone"
        assert (world.endpoint.status, world.serving.deletions, world.serving.states) == (STOPPED, ["ep-0"], {})

    def test_one_that_nobody_watches(self, world: World) -> None:
        world.start()
        world.comes_up()
        world.stop()

        assert world.walk("Stop") == "Gone"
        assert world.endpoint.status is STOPPED

    def test_and_starting_it_again_makes_another_one(self, world: World) -> None:
        world.start()
        world.comes_up()
        world.stop()
        world.walk("Stop")

        assert world.start().generation == 2
        world.comes_up()
        assert list(world.serving.states) == ["ep-1"]


class TestADeletionThatFails:
    """Until it is gone it may be billed: it is deleted again, and everybody can see why."""

    @pytest.fixture(autouse=True)
    def log(self, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
        caplog.set_level(logging.ERROR)
        return caplog

    def test_refused(self, held: World, log: pytest.LogCaptureFixture) -> None:
        held.serving.delete_errors.extend([ProviderRejectedError("There is a commitment.")] * 3)
        held.stop()

        assert held.walk("Poll", until="stopping") == "Poll"
        assert held.endpoint.last_error == "The provider refused to delete the endpoint: There is a commitment."
        held.look(JOB_ID)
        assert "commitment" in (held.endpoint.last_error or ""), "a look in between does not hide it"
        assert held.walk("Poll") == "Gone"

        assert held.serving.deletions == ["ep-0"] * 4
        assert held.troubles == ["bedrock"] * 3
        assert log.text.count("the endpoint is not deleted") == 3
        assert held.endpoint.status is STOPPED
        assert held.endpoint.last_error is None

    def test_without_effect(self, held: World, log: pytest.LogCaptureFixture) -> None:
        held.serving.deaf = True
        held.stop()
        held.walk("Poll", until="stopping")
        begun = held.clock.now()
        while not held.troubles:
            assert held.clock.now() - begun < timedelta(hours=1)
            held.walk("Poll", until="stopping")
            held.clock.advance(seconds=60)

        assert timedelta(minutes=15) <= held.clock.now() - begun < timedelta(minutes=20)
        assert held.serving.deletions == ["ep-0", "ep-0"], "not at every look"
        assert "READY still" in (held.endpoint.last_error or "")
        assert "the endpoint is not deleted" in log.text

        held.serving.deaf = False
        assert held.walk("Poll") == "Gone"
        assert held.endpoint.status is STOPPED

    def test_for_the_key_that_was_revoked(self, held: World) -> None:
        held.connect_error = CredentialsError("the key was revoked")
        held.stop()
        for _ in range(5):
            held.walk("Poll", until="stopping")
            held.clock.advance(seconds=30)

        assert held.endpoint.status is STOPPING
        assert held.troubles
        held.connect_error = None
        assert held.walk("Poll") == "Gone"

    @pytest.mark.parametrize(
        "error", [ProviderUnavailableError("it is being made"), ProviderThrottledError("busy")], ids=["not yet", "busy"]
    )
    def test_for_a_while_is_no_trouble_until_it_lasts(self, held: World, error: Exception) -> None:
        """Bedrock, for one, may not delete what is still being made."""
        held.serving.delete_errors.extend([error] * 1_000)
        held.stop()
        begun = held.clock.now()
        held.walk("Poll", until="stopping")
        assert (held.endpoint.last_error, held.troubles) == (str(error), [])
        while not held.troubles:
            assert held.clock.now() - begun < timedelta(hours=1)
            held.walk("Poll", until="stopping")
            held.clock.advance(seconds=30)

        assert held.clock.now() - begun >= timedelta(minutes=15)
        held.serving.delete_errors.clear()
        assert held.walk("Poll") == "Gone"

    def test_for_our_own_records_is_for_the_state_machine(self, held: World) -> None:
        held.stop()
        held.connect_error = StoreUnavailableError("no answer")

        with pytest.raises(StoreUnavailableError):
            held.take_down(JOB_ID)

    def test_one_that_was_just_sent_is_not_sent_again(self, held: World) -> None:
        """The function's answer was lost, and the state machine runs it again."""
        held.serving.deaf = True
        held.stop()
        held.take_down(JOB_ID)

        assert held.take_down(JOB_ID).outcome is EndpointOutcome.STOPPING
        assert (held.serving.deletions, held.troubles) == (["ep-0"], [])


class TestALostExecution:
    """Another one takes over, wherever the lost one was."""

    def test_before_anything_was_made(self, world: World) -> None:
        world.start()
        assert world.walk("Poll", until="starting") == "Poll"
        assert world.visited == ["Poll", "Start", "wait:starting"]

    def test_while_it_was_held(self, held: World) -> None:
        assert held.walk("Poll", until="hold") == "Poll"

    def test_long_past_its_end(self, held: World) -> None:
        held.clock.advance(days=3)
        assert held.walk("Poll") == "Gone"
        assert held.serving.states == {}

    def test_of_one_that_is_up_for_good(self, world: World) -> None:
        world.start()
        world.comes_up()
        assert world.walk("Poll") == "Ready"

    def test_after_its_end(self, held: World) -> None:
        held.walk("Poll")
        for step in ("Start", "Poll", "Stop"):
            assert held.walk(step) == "Gone"

    def test_that_is_only_to_stop_it(self, held: World) -> None:
        assert held.walk("Stop") == "Gone"
        assert held.serving.states == {}

    @pytest.mark.parametrize("step", ["Start", "Poll", "Stop"])
    def test_without_a_record_there_is_nothing_to_do(self, world: World, step: str) -> None:
        assert world.walk(step) == "Gone"


def test_a_provider_that_refuses_to_say_how_it_is_ends_nothing(held: World, caplog: pytest.LogCaptureFixture) -> None:
    held.connect_error = CredentialsError("the key was revoked")

    step = held.look(JOB_ID)

    assert (step.outcome, held.endpoint.status) == (EndpointOutcome.HOLD, READY)
    assert held.endpoint.last_error == "the key was revoked"
    assert "refuses to say" in caplog.text
    held.connect_error = None
    held.look(JOB_ID)
    assert held.endpoint.last_error is None


def test_patience_that_the_provider_asks_for_is_given(held: World) -> None:
    held.serving.answers.append(ProviderThrottledError("busy", retry_after=77))

    step = held.look(JOB_ID)
    assert (step.outcome, step.wait_seconds) == (EndpointOutcome.HOLD, 77)


def test_a_model_that_was_deleted_meanwhile_is_not_served_but_what_served_it_is_deleted(world: World) -> None:
    world.start()
    world.jobs.jobs[JOB_ID] = served_job(model_deleted_at=STARTED)

    assert world.walk() == "Failed"
    assert reason(world)[0] == "model_deleted"
