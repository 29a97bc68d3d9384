"""The moments at which an endpoint is stopped without being told."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.endpoint_transitions import stop
from tunedrop.domain.job import JobError

START_LIMIT = timedelta(hours=2)
"""How long an endpoint may take until it is ready."""
DELETE_AGAIN_AFTER = timedelta(minutes=15)
"""How long a deletion that the provider accepted may take before it is asked for again."""
SETTLE = timedelta(minutes=2)
"""How long after a create call the provider may not know yet what it made."""


def close_if_late(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint, on its way to its end where its time is over, or where it took too long to come up."""
    if endpoint.expires_at is not None and now >= endpoint.expires_at:
        return stop(endpoint, at=now)
    if endpoint.status is EndpointStatus.STARTING and now - endpoint.created_at >= START_LIMIT:
        return stop(endpoint, at=now, error=_not_ready(endpoint))
    return endpoint


def within_limits(endpoint: Endpoint, wait_seconds: int, now: datetime) -> int:
    """`wait_seconds`, cut so that the next look comes when a limit is met, and not after it."""
    limits = []
    if endpoint.status is not EndpointStatus.STOPPING and endpoint.expires_at is not None:
        limits.append(endpoint.expires_at)
    if endpoint.status is EndpointStatus.STARTING:
        limits.append(endpoint.created_at + START_LIMIT)
    seconds = (math.ceil((limit - now).total_seconds()) for limit in limits)
    return max(1, min([wait_seconds, *seconds]))


def _not_ready(endpoint: Endpoint) -> JobError:
    hours = int(START_LIMIT.total_seconds() // 3600)
    said = f" The provider said last: {endpoint.provider_status}." if endpoint.provider_status else ""
    trouble = f" The last trouble was: {endpoint.last_error}" if endpoint.last_error else ""
    message = f"It was not ready {hours} hours after its start, and was deleted.{said}{trouble} Start it again."
    return JobError(code="endpoint_not_ready", message=message)


def unsettled_seconds(endpoint: Endpoint, now: datetime) -> float:
    """How long the provider may still hide what the last create call made; 0 where it has shown it."""
    if endpoint.creation is None or endpoint.provider_status is not None:
        return 0.0
    return max(0.0, (SETTLE - (now - endpoint.creation.attempted_at)).total_seconds())


def deletion_is_due(endpoint: Endpoint, now: datetime) -> bool:
    """Whether one that is stopping has not been deleted yet, or is still there long after its deletion."""
    return endpoint.delete_sent_at is None or now - endpoint.delete_sent_at >= DELETE_AGAIN_AFTER
