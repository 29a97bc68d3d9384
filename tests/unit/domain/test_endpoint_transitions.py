"""Which status of an endpoint may follow which: each pair, one by one."""

from __future__ import annotations

from itertools import product

import pytest

from tests.unit.endpoints.builders import CALL, STARTED, endpoint_in
from tunedrop.domain.endpoint import ENDED_STATUSES, EndpointStatus
from tunedrop.domain.endpoint_transitions import ENDPOINT_GONE, NEXT_STATUSES, end, move, renew, stop
from tunedrop.domain.errors import TransitionError
from tunedrop.domain.job import JobError

STARTING, READY, STOPPING = EndpointStatus.STARTING, EndpointStatus.READY, EndpointStatus.STOPPING
STOPPED, FAILED = EndpointStatus.STOPPED, EndpointStatus.FAILED
ALLOWED = {
    (STARTING, STARTING),
    (STARTING, READY),
    (STARTING, STOPPING),
    (STARTING, STOPPED),
    (READY, READY),
    (READY, STOPPING),
    (READY, STOPPED),
    (STOPPING, STOPPING),
    (STOPPING, STOPPED),
    (STOPPING, FAILED),
}
WHY = JobError(code="endpoint_failed", message="No capacity.")
GONE = JobError(code=ENDPOINT_GONE, message="Deleted in the console.")


def test_the_table_knows_every_status() -> None:
    assert NEXT_STATUSES.keys() == set(EndpointStatus)
    assert {status for status, following in NEXT_STATUSES.items() if not following} == ENDED_STATUSES


@pytest.mark.parametrize(("before", "after"), list(product(EndpointStatus, EndpointStatus)))
def test_only_what_the_table_allows_is_written(before: EndpointStatus, after: EndpointStatus) -> None:
    endpoint = endpoint_in(before)
    if (before, after) in ALLOWED:
        moved = move(endpoint, after, at=STARTED, last_error="x")
        assert (moved.status, moved.version, moved.updated_at, moved.last_error) == (after, 2, STARTED, "x")
    else:
        with pytest.raises(TransitionError, match=f"is {before} and cannot become {after}"):
            move(endpoint, after, at=STARTED)


@pytest.mark.parametrize("status", [STARTING, READY])
def test_what_is_to_end_is_not_to_be_called_any_more(status: EndpointStatus) -> None:
    stopping = stop(endpoint_in(status, call=CALL), at=STARTED, error=WHY)

    assert (stopping.status, stopping.call, stopping.error) == (STOPPING, None, WHY)
    assert stopping.stop_requested_at == STARTED


def test_what_has_ended_shows_nothing_of_what_it_was() -> None:
    ended = end(endpoint_in(STOPPING, provider_status="Active", expires_at=STARTED, last_error="x"), at=STARTED)

    assert (ended.provider_status, ended.expires_at, ended.last_error) == (None, None, None)
    assert ended.stopped_at == STARTED


@pytest.mark.parametrize("status", [STOPPING, STOPPED, FAILED])
def test_what_is_ending_has_its_reason_already(status: EndpointStatus) -> None:
    endpoint = endpoint_in(status)
    assert stop(endpoint, at=STARTED, error=WHY) == endpoint


def test_a_reason_that_was_there_first_stays() -> None:
    """Of one whose executions were lost too often."""
    lost = JobError(code="execution_lost", message="Too often.")
    endpoint = endpoint_in(READY, error=lost, stop_requested_at=endpoint_in(READY).created_at)

    assert stop(endpoint, at=STARTED).error == lost


@pytest.mark.parametrize(
    ("reason", "status"), [(None, STOPPED), (GONE, STOPPED), (WHY, FAILED)], ids=["asked for", "gone", "failed"]
)
def test_how_it_ended_follows_from_why(reason: JobError | None, status: EndpointStatus) -> None:
    ended = end(endpoint_in(STOPPING, error=reason, last_error="trouble"), at=STARTED)

    assert (ended.status, ended.error, ended.stopped_at, ended.last_error) == (status, reason, STARTED, None)
    assert end(ended, at=STARTED, error=WHY) == ended, "ends are final"


@pytest.mark.parametrize("status", EndpointStatus)
def test_the_next_generation_comes_after_the_end_only(status: EndpointStatus) -> None:
    old, new = endpoint_in(status, version=7, generation=3, wake_seq=5), endpoint_in(STARTING)
    if status in ENDED_STATUSES:
        renewed = renew(old, new)
        assert (renewed.status, renewed.generation, renewed.version, renewed.wake_seq) == (STARTING, 4, 8, 5)
    else:
        with pytest.raises(TransitionError, match="no next one before its end"):
            renew(old, new)
