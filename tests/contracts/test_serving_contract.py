"""What every provider's serving adapter promises, on the provider's real SDK."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.simulators.answers import BASE_ANSWER
from local.simulators.faults import Fault, FaultKind
from tests.contracts.serving_rig import ANSWER, QUESTION, ServingRig
from tunedrop.domain.endpoint import endpoint_token
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    SubmissionUncertainError,
    TransientError,
)
from tunedrop.domain.serving_ports import EndpointOrder, ServingState

LONG_ENOUGH = 3_600.0
"""Longer than any simulated endpoint takes to come up."""


def fault(rig: ServingRig, call: str, kind: FaultKind, **fields: object) -> None:
    rig.faults.add(Fault(operation=rig.operations[call], kind=kind, **fields))  # type: ignore[arg-type]


def state(rig: ServingRig, resource_id: str) -> ServingState:
    return rig.serving.status(resource_id).state


def ready(rig: ServingRig, order: EndpointOrder) -> str:
    resource_id = rig.serving.create(order)
    rig.advance(LONG_ENOUGH)
    assert state(rig, resource_id) is ServingState.READY
    return resource_id


def test_an_endpoint_is_created_starts_and_gets_ready(serving_rig: ServingRig) -> None:
    resource_id = serving_rig.serving.create(serving_rig.order("a"))

    assert serving_rig.endpoints() == 1
    starting = serving_rig.serving.status(resource_id)
    assert starting.state is ServingState.STARTING
    assert starting.raw_status
    assert starting.error_message is None
    serving_rig.advance(LONG_ENOUGH)
    assert state(serving_rig, resource_id) is ServingState.READY


def test_the_call_is_all_that_the_providers_own_sdk_needs(serving_rig: ServingRig) -> None:
    call = serving_rig.serving.call(ready(serving_rig, serving_rig.order("a")))

    assert serving_rig.ask(call, QUESTION) == ANSWER != BASE_ANSWER
    assert call.litellm_model.endswith(f"/{call.model_id}")


def test_the_same_order_again_makes_no_second_endpoint(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    first = serving_rig.serving.create(order)

    assert serving_rig.serving.create(order) == first
    serving_rig.advance(LONG_ENOUGH)
    assert serving_rig.serving.create(order) == first
    assert serving_rig.serving.find(order) == first
    assert serving_rig.endpoints() == 1


def test_other_jobs_have_other_endpoints(serving_rig: ServingRig) -> None:
    first = serving_rig.serving.create(serving_rig.order("a"))

    assert serving_rig.serving.find(serving_rig.order("b")) is None
    assert serving_rig.serving.create(serving_rig.order("b")) != first
    assert serving_rig.endpoints() == 2


def test_nothing_is_found_before_anything_was_created(serving_rig: ServingRig) -> None:
    assert serving_rig.serving.find(serving_rig.order("a")) is None


def test_a_create_whose_reply_was_lost_is_uncertain_and_found_again(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    fault(serving_rig, "create", FaultKind.LOSE_REPLY)
    with pytest.raises(SubmissionUncertainError):
        serving_rig.serving.create(order)

    found = serving_rig.serving.find(order)

    assert found is not None
    assert serving_rig.serving.create(order) == found
    assert serving_rig.endpoints() == 1
    serving_rig.advance(LONG_ENOUGH)
    assert state(serving_rig, found) is ServingState.READY


def test_a_create_that_ended_in_a_server_error_is_uncertain(serving_rig: ServingRig) -> None:
    fault(serving_rig, "create", FaultKind.ERROR)

    with pytest.raises(SubmissionUncertainError):
        serving_rig.serving.create(serving_rig.order("a"))
    assert serving_rig.serving.find(serving_rig.order("a")) is None
    assert serving_rig.endpoints() == 0


def test_a_throttled_create_made_nothing(serving_rig: ServingRig) -> None:
    fault(serving_rig, "create", FaultKind.THROTTLE, seconds=17)

    with pytest.raises(ProviderThrottledError) as throttled:
        serving_rig.serving.create(serving_rig.order("a"))
    assert throttled.value.retry_after == 17
    assert serving_rig.endpoints() == 0


def test_an_endpoint_that_does_not_come_up_says_why_and_can_be_deleted(serving_rig: ServingRig) -> None:
    fault(serving_rig, "create", FaultKind.FAIL_JOB, message="No capacity is left in the region.")
    resource_id = serving_rig.serving.create(serving_rig.order("a"))
    assert state(serving_rig, resource_id) is ServingState.STARTING
    serving_rig.advance(LONG_ENOUGH)

    answer = serving_rig.serving.status(resource_id)

    assert answer.state is ServingState.FAILED
    assert answer.error_message == "No capacity is left in the region."
    serving_rig.serving.delete(resource_id)
    assert state(serving_rig, resource_id) is ServingState.GONE


def test_a_model_that_does_not_exist_is_refused_in_the_providers_words(serving_rig: ServingRig) -> None:
    made = serving_rig.order("a").tuned_model
    gone = made[:-1] + ("8" if made.endswith("9") else "9")

    with pytest.raises(ProviderRejectedError, match="does not exist"):
        serving_rig.serving.create(serving_rig.order("a", tuned_model=gone))
    assert serving_rig.endpoints() == 0


def test_a_deleted_endpoint_is_gone_and_deleting_it_again_is_harmless(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    resource_id = ready(serving_rig, order)

    serving_rig.serving.delete(resource_id)
    serving_rig.serving.delete(resource_id)

    assert state(serving_rig, resource_id) is ServingState.GONE
    assert serving_rig.serving.find(order) is None
    assert serving_rig.endpoints() == 0


def test_an_endpoint_can_be_deleted_while_it_starts_or_a_little_later(serving_rig: ServingRig) -> None:
    resource_id = serving_rig.serving.create(serving_rig.order("a"))
    try:
        serving_rig.serving.delete(resource_id)
    except ProviderUnavailableError:
        serving_rig.advance(LONG_ENOUGH)
        serving_rig.serving.delete(resource_id)

    assert state(serving_rig, resource_id) is ServingState.GONE


def test_a_deletion_that_is_in_conflict_may_be_repeated(serving_rig: ServingRig) -> None:
    resource_id = ready(serving_rig, serving_rig.order("a"))
    fault(serving_rig, "delete", FaultKind.FAIL_JOB, message="Another operation is in progress.")

    with pytest.raises(ProviderUnavailableError, match=r"Another operation is in progress\."):
        serving_rig.serving.delete(resource_id)
    assert state(serving_rig, resource_id) is ServingState.READY
    serving_rig.serving.delete(resource_id)
    assert state(serving_rig, resource_id) is ServingState.GONE


def test_a_deletion_that_had_no_effect_shows(serving_rig: ServingRig) -> None:
    resource_id = ready(serving_rig, serving_rig.order("a"))
    fault(serving_rig, "delete", FaultKind.FAIL_JOB)

    serving_rig.serving.delete(resource_id)

    assert state(serving_rig, resource_id) is ServingState.READY


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.LOSE_REPLY, FaultKind.THROTTLE])
def test_a_deletion_that_failed_may_be_repeated(serving_rig: ServingRig, kind: FaultKind) -> None:
    resource_id = ready(serving_rig, serving_rig.order("a"))
    fault(serving_rig, "delete", kind)

    with pytest.raises(TransientError):
        serving_rig.serving.delete(resource_id)
    serving_rig.serving.delete(resource_id)
    assert state(serving_rig, resource_id) is ServingState.GONE


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.ERROR, ProviderUnavailableError),
        (FaultKind.LOSE_REPLY, ProviderUnavailableError),
        (FaultKind.THROTTLE, ProviderThrottledError),
    ],
)
def test_a_look_that_fails_never_means_that_the_endpoint_is_gone(
    serving_rig: ServingRig, kind: FaultKind, error: type[TransientError]
) -> None:
    order = serving_rig.order("a")
    resource_id = serving_rig.serving.create(order)
    looks: tuple[Callable[[], object], ...] = (
        lambda: serving_rig.serving.status(resource_id),
        lambda: serving_rig.serving.find(order),
    )
    for look in looks:
        fault(serving_rig, "look", kind)
        with pytest.raises(error):
            look()
    assert state(serving_rig, resource_id) is ServingState.STARTING


def test_somebody_elses_endpoint_of_the_same_name_is_left_alone(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    foreign = serving_rig.make_foreign(order)

    assert serving_rig.serving.find(order) is None
    with pytest.raises(ProviderRejectedError) as refused:
        serving_rig.serving.create(order)
    assert "exists" in str(refused.value) or "in use" in str(refused.value)
    assert serving_rig.endpoints() == 1
    serving_rig.advance(LONG_ENOUGH)
    assert state(serving_rig, foreign) is ServingState.READY


def test_a_second_start_after_a_stop_makes_a_new_endpoint(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    serving_rig.serving.delete(ready(serving_rig, order))

    again = serving_rig.order("a", token=endpoint_token("a", 2))

    assert serving_rig.serving.find(again) is None
    resource_id = ready(serving_rig, again)
    assert serving_rig.ask(serving_rig.serving.call(resource_id), QUESTION) == ANSWER


def test_a_key_that_is_refused_is_said_to_be(serving_rig: ServingRig) -> None:
    order = serving_rig.order("a")
    resource_id = serving_rig.serving.create(order)
    serving_rig.break_credentials()

    acts: tuple[Callable[[], object], ...] = (
        lambda: serving_rig.serving.status(resource_id),
        lambda: serving_rig.serving.delete(resource_id),
        lambda: serving_rig.serving.find(order),
        lambda: serving_rig.serving.create(serving_rig.order("b")),
    )
    for act in acts:
        with pytest.raises(CredentialsError):
            act()
