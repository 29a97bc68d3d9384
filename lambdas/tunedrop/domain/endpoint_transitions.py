"""Which status of an endpoint may follow which, as data; every write to its record goes through `move` or `renew`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tunedrop.domain.endpoint import ENDED_STATUSES, Endpoint, EndpointStatus
from tunedrop.domain.errors import TransitionError
from tunedrop.domain.job import JobError

NEXT_STATUSES: Mapping[EndpointStatus, frozenset[EndpointStatus]] = {
    EndpointStatus.STARTING: frozenset({EndpointStatus.READY, EndpointStatus.STOPPING, EndpointStatus.STOPPED}),
    EndpointStatus.READY: frozenset({EndpointStatus.STOPPING, EndpointStatus.STOPPED}),
    # What failed is deleted first: only then nothing is left of it, and nothing of it is billed.
    EndpointStatus.STOPPING: frozenset({EndpointStatus.STOPPED, EndpointStatus.FAILED}),
    EndpointStatus.STOPPED: frozenset(),
    EndpointStatus.FAILED: frozenset(),
}
"""Within one generation. After the end, a start makes the next one."""

ENDPOINT_GONE = "endpoint_gone"
"""The code of an endpoint that was deleted at the provider, not by Tunedrop: it stopped, and did not fail."""


def move(endpoint: Endpoint, status: EndpointStatus, *, at: datetime, **changes: Any) -> Endpoint:
    """The endpoint in `status`, its version incremented; staying in a status is allowed until the end.

    Raises TransitionError when the table does not allow it.
    """
    if endpoint.has_ended or (status is not endpoint.status and status not in NEXT_STATUSES[endpoint.status]):
        raise TransitionError(f"The endpoint of job {endpoint.job_id} is {endpoint.status} and cannot become {status}.")
    return msgspec.structs.replace(endpoint, status=status, version=endpoint.version + 1, updated_at=at, **changes)


def stop(endpoint: Endpoint, *, at: datetime, error: JobError | None = None) -> Endpoint:
    """The endpoint on its way to its end, from now on not to be called; `error` is why, where nobody asked for it.

    One that is being stopped, or has ended, is returned as it is.
    """
    if endpoint.has_ended or endpoint.status is EndpointStatus.STOPPING:
        return endpoint
    since, reason = endpoint.stop_requested_at or at, endpoint.error or error
    return move(endpoint, EndpointStatus.STOPPING, at=at, stop_requested_at=since, error=reason, call=None)


def end(endpoint: Endpoint, *, at: datetime, error: JobError | None = None) -> Endpoint:
    """The endpoint of which nothing is left at the provider: failed where it ended for a reason of its own.

    One that has ended is returned as it is.
    """
    if endpoint.has_ended:
        return endpoint
    reason = endpoint.error or error
    failed = reason is not None and reason.code != ENDPOINT_GONE
    status = EndpointStatus.FAILED if failed else EndpointStatus.STOPPED
    over = {"call": None, "expires_at": None, "provider_status": None, "last_error": None}
    return move(endpoint, status, at=at, stopped_at=at, error=reason, **over)


def renew(old: Endpoint, new: Endpoint) -> Endpoint:
    """`new` as the next generation, on the record of `old`, which has ended. Raises TransitionError before its end."""
    if old.status not in ENDED_STATUSES:
        raise TransitionError(f"The endpoint of job {old.job_id} is {old.status}: there is no next one before its end.")
    return msgspec.structs.replace(new, generation=old.generation + 1, version=old.version + 1, wake_seq=old.wake_seq)
