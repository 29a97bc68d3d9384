"""What every provider's adapter promises, on the provider's real SDK. A fourth provider passes this, or is not one."""

from __future__ import annotations

import pytest

from local.simulators.faults import Fault, FaultKind
from tests.contracts.rig import ProviderRig
from tunedrop.domain.errors import (
    CredentialsError,
    PermanentError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    SubmissionUncertainError,
    TransientError,
)
from tunedrop.domain.provider_ports import ProviderJob, ProviderState, TrainingOrder

LONG_ENOUGH = 3_600.0
"""Longer than any simulated training."""


def fault(rig: ProviderRig, call: str, kind: FaultKind, **fields: object) -> None:
    rig.faults.add(Fault(operation=rig.operations[call], kind=kind, **fields))  # type: ignore[arg-type]


def find_or_create(rig: ProviderRig, order: TrainingOrder) -> str:
    """What Submit does on re-entry."""
    return rig.provider.find(order) or rig.provider.create(order)


def trained(rig: ProviderRig, order: TrainingOrder) -> ProviderJob:
    provider_job_id = rig.provider.create(order)
    rig.advance(LONG_ENOUGH)
    return rig.provider.status(provider_job_id)


def test_a_job_is_created_trains_and_names_its_tuned_model(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))

    assert rig.jobs_created() == 1
    assert rig.provider.status(provider_job_id).state in {ProviderState.QUEUED, ProviderState.TRAINING}
    rig.advance(LONG_ENOUGH)
    answer = rig.provider.status(provider_job_id)
    assert answer.state is ProviderState.SUCCEEDED
    assert answer.tuned_model


def test_progress_shows_steps_and_a_falling_loss_while_it_trains(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    losses = []
    for _ in range(60):
        rig.advance(0.25)
        progress = rig.provider.status(provider_job_id).progress
        if progress is not None and progress.training_loss is not None:
            losses.append(progress.training_loss)

    assert len(losses) > 3
    assert losses[-1] < losses[0]


def test_nothing_is_found_before_anything_was_created(rig: ProviderRig) -> None:
    assert rig.provider.find(rig.order("a")) is None


def test_submitting_the_same_order_again_makes_no_second_job(rig: ProviderRig) -> None:
    order = rig.order("a")
    first = rig.provider.create(order)

    assert find_or_create(rig, order) == first
    assert rig.jobs_created() == 1


def test_other_orders_are_other_jobs(rig: ProviderRig) -> None:
    assert rig.provider.create(rig.order("a")) != rig.provider.create(rig.order("b"))
    assert rig.jobs_created() == 2


def test_a_create_whose_reply_was_lost_is_uncertain_and_found_again(rig: ProviderRig) -> None:
    order = rig.order("a")
    fault(rig, "create", FaultKind.LOSE_REPLY)
    with pytest.raises(SubmissionUncertainError):
        rig.provider.create(order)

    provider_job_id = find_or_create(rig, order)

    assert rig.jobs_created() == 1
    rig.advance(LONG_ENOUGH)
    assert rig.provider.status(provider_job_id).state is ProviderState.SUCCEEDED


def test_a_create_that_ended_in_a_server_error_is_uncertain(rig: ProviderRig) -> None:
    fault(rig, "create", FaultKind.ERROR)

    with pytest.raises((SubmissionUncertainError, ProviderUnavailableError)):
        rig.provider.create(rig.order("a"))
    assert rig.jobs_created() == 0


def test_a_throttled_create_made_no_job(rig: ProviderRig) -> None:
    fault(rig, "create", FaultKind.THROTTLE, times=10)

    with pytest.raises(ProviderThrottledError):
        rig.provider.create(rig.order("a"))
    rig.faults.clear()
    assert rig.jobs_created() == 0


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.LOSE_REPLY])
def test_a_look_that_fails_may_be_repeated(rig: ProviderRig, kind: FaultKind) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    fault(rig, "status", kind, times=10)

    with pytest.raises(TransientError):
        rig.provider.status(provider_job_id)
    rig.faults.clear()
    assert rig.provider.status(provider_job_id).state in {ProviderState.QUEUED, ProviderState.TRAINING}


def test_a_throttled_look_says_so(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    fault(rig, "status", FaultKind.THROTTLE, times=10)

    with pytest.raises(ProviderThrottledError):
        rig.provider.status(provider_job_id)
    rig.faults.clear()


def test_a_job_that_fails_says_why_in_the_providers_words(rig: ProviderRig) -> None:
    fault(rig, "create", FaultKind.FAIL_JOB, message="the gradient exploded")

    answer = trained(rig, rig.order("a"))

    assert answer.state is ProviderState.FAILED
    assert "the gradient exploded" in (answer.error_message or "")


def test_a_job_stopped_in_the_console_is_cancelled(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    rig.stop_in_console(provider_job_id)
    rig.advance(LONG_ENOUGH)

    assert rig.provider.status(provider_job_id).state is ProviderState.CANCELLED


def test_a_job_that_we_stop_is_cancelled_and_stopping_again_is_harmless(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    rig.provider.stop(provider_job_id)
    rig.provider.stop(provider_job_id)
    rig.advance(LONG_ENOUGH)
    rig.provider.stop(provider_job_id)

    assert rig.provider.status(provider_job_id).state is ProviderState.CANCELLED


def test_stopping_a_job_that_succeeded_leaves_it_as_it_is(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    rig.advance(LONG_ENOUGH)
    rig.provider.status(provider_job_id)
    rig.provider.stop(provider_job_id)

    assert rig.provider.status(provider_job_id).state is ProviderState.SUCCEEDED


def test_an_unknown_job_is_a_refusal_and_not_trouble_that_may_pass(rig: ProviderRig) -> None:
    rig.provider.create(rig.order("a"))

    with pytest.raises(PermanentError):
        rig.provider.status("999999999")


def test_a_key_that_is_refused_is_said_to_be(rig: ProviderRig) -> None:
    provider_job_id = rig.provider.create(rig.order("a"))
    rig.break_credentials()

    with pytest.raises(CredentialsError):
        rig.provider.status(provider_job_id)
    with pytest.raises(CredentialsError):
        rig.provider.create(rig.order("b"))


def test_a_refused_order_ends_with_the_providers_words_and_makes_no_job(rig: ProviderRig) -> None:
    order = rig.order("a", hyperparameters={"n_epochs": 9_999, "epochCount": 9_999, "no_such_parameter": 1})

    with pytest.raises(ProviderRejectedError) as refusal:
        rig.provider.create(order)
    assert len(str(refusal.value)) > 20
    assert rig.jobs_created() == 0
