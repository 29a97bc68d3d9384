"""Starts and stops the endpoints of jobs through the API, and waits for what comes of it."""

from __future__ import annotations

import time
from collections.abc import Collection

import msgspec

from local.api_client import ApiClient
from tunedrop.domain.endpoint import Call

WAIT_SECONDS = 60.0
"""How long one may take to come up or to go; the simulated ones take about two."""
LOOK_SECONDS = 0.2


class EndpointError(Exception):
    """An endpoint did not become what it was asked to be; the message says what it is."""


class ShownEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What the API says of a job's endpoint; the rest of it does not matter here."""

    status: str
    call: Call | None = None
    kind: str | None = None
    cost_note: str = ""
    last_error: str | None = None


def started(api: ApiClient, job_id: str) -> tuple[ShownEndpoint, Call]:
    """The job's endpoint, ready, and how to call it. One that started with the job's end is the answer as well.

    Raises EndpointError, ApiError.
    """
    api.post(f"/v1/jobs/{job_id}/endpoint/start").expect(200, 202)
    endpoint = _until(api, job_id, {"ready", "failed"})
    if endpoint.call is None:
        raise EndpointError(f"The endpoint of job {job_id} is {endpoint.status}: {endpoint.last_error or 'no reason'}")
    return endpoint, endpoint.call


def stopped(api: ApiClient, job_id: str) -> ShownEndpoint:
    """The endpoint, stopped, with nothing left of it at the provider. Raises EndpointError, ApiError."""
    api.post(f"/v1/jobs/{job_id}/endpoint/stop").expect(200, 202)
    return _until(api, job_id, {"stopped"})


def _show(api: ApiClient, job_id: str) -> ShownEndpoint:
    return msgspec.convert(api.get(f"/v1/jobs/{job_id}/endpoint").expect(200), ShownEndpoint)


def _until(api: ApiClient, job_id: str, statuses: Collection[str]) -> ShownEndpoint:
    deadline = time.monotonic() + WAIT_SECONDS
    while (endpoint := _show(api, job_id)).status not in statuses:
        if time.monotonic() > deadline:
            reason = f"{endpoint.status} after {WAIT_SECONDS:.0f} s, not {' or '.join(sorted(statuses))}"
            raise EndpointError(f"The endpoint of job {job_id} is {reason}: {endpoint.last_error or 'no trouble'}")
        time.sleep(LOOK_SECONDS)
    return endpoint
