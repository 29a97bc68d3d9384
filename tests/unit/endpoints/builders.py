"""Endpoints for tests, and the jobs that they belong to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from tests.builders import CREATED, JOB_ID, REQUEST, job_in
from tunedrop.domain.endpoint import Call, Creation, Endpoint, EndpointStatus
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.transitions import close

STARTED = CREATED + timedelta(hours=1)
MODEL = "arn:aws:bedrock:us-east-1:123456789012:custom-model/m"
CALL = Call(model_id="ep-0", litellm_model="memory/ep-0")

_UP: dict[str, Any] = {
    "creation": Creation(attempted_at=STARTED),
    "resource_id": "ep-0",
    "provider_status": "READY",
    "ready_at": STARTED,
}


def served_job(provider: str = "bedrock", **changes: Any) -> Job:
    """A job that has succeeded, so that its model can be served."""
    base = {"bedrock": "amazon.nova-lite-v1:0:300k"}.get(provider, f"{provider}-base")
    request = msgspec.structs.replace(REQUEST, provider=provider)
    job = job_in(Phase.TRAINING, provider=provider, base_model=base, request=request)
    job = close(job, Outcome(status=JobStatus.SUCCEEDED, tuned_model=MODEL), at=STARTED)
    return msgspec.structs.replace(job, **changes)


def endpoint_in(status: EndpointStatus, **changes: Any) -> Endpoint:
    """Bedrock's, on demand, as far as the status says."""
    fields: dict[EndpointStatus, dict[str, Any]] = {
        EndpointStatus.STARTING: {},
        EndpointStatus.READY: {**_UP, "call": CALL},
        EndpointStatus.STOPPING: {**_UP, "stop_requested_at": STARTED},
        EndpointStatus.STOPPED: {**_UP, "stop_requested_at": STARTED, "stopped_at": STARTED},
        EndpointStatus.FAILED: {"stopped_at": STARTED},
    }
    endpoint = Endpoint(
        job_id=JOB_ID,
        provider="bedrock",
        status=status,
        version=1,
        generation=1,
        kind="on_demand",
        created_at=STARTED,
        updated_at=STARTED,
    )
    return msgspec.structs.replace(endpoint, **{**fields[status], **changes})
