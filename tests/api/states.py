"""A job in every phase, and its endpoint in every state, by the name that the table of verbs gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from tests.builders import CREATED, ended, job_in
from tunedrop.domain.endpoint import Call, Endpoint, EndpointStatus
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, job_id_from
from tunedrop.domain.job_request import JobRequest

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0/abcdef"
LATER = CREATED + timedelta(hours=2)
BEDROCK: dict[str, Any] = {
    "provider": "bedrock",
    "model": "nova-lite",
    "base_model": "amazon.nova-lite-v1:0:300k",
    "request": JobRequest(
        provider="bedrock",
        model="nova-lite",
        training_file="s3://inbox/inbox/bedrock/nova-lite/train.jsonl?versionId=v1",
    ),
}
SUCCEEDED = ended(JobStatus.SUCCEEDED, **BEDROCK, tuned_model=ARN)
CALL = Call(model_id=ARN, litellm_model=f"bedrock/converse/{ARN}")

JOBS: Mapping[str, Job] = {
    "received": job_in(Phase.RECEIVED),
    "awaiting_upload": job_in(Phase.AWAITING_UPLOAD),
    "preparing": job_in(Phase.PREPARING),
    "submitting": job_in(Phase.SUBMITTING),
    "waiting_for_quota": job_in(Phase.WAITING_FOR_QUOTA),
    "queued": job_in(Phase.QUEUED),
    "training": job_in(Phase.TRAINING),
    "cancelling": job_in(Phase.CANCELLING, cancel_requested_at=CREATED),
    "about to succeed": job_in(Phase.TRAINING, outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:a")),
    "about to be cancelled": job_in(Phase.CANCELLING, outcome=Outcome(status=JobStatus.CANCELLED)),
    "failed": ended(JobStatus.FAILED),
    "cancelled": ended(JobStatus.CANCELLED),
    "succeeded": SUCCEEDED,
    "openai succeeded": ended(JobStatus.SUCCEEDED),
    "model deleted": msgspec.structs.replace(SUCCEEDED, model_deleted_at=LATER),
}


def endpoint(status: EndpointStatus, **changes: Any) -> Endpoint:
    """Of a job that succeeded at Bedrock."""
    made = Endpoint(
        job_id="",
        provider="bedrock",
        status=status,
        version=1,
        generation=1,
        kind="on_demand",
        created_at=CREATED,
        updated_at=LATER,
        hourly_cost_usd=0.0,
        cost_note="Nothing an hour.",
        call=CALL if status is EndpointStatus.READY else None,
    )
    return msgspec.structs.replace(made, **changes)


ENDPOINTS: Mapping[str, Endpoint] = {
    "endpoint starting": endpoint(EndpointStatus.STARTING),
    "endpoint ready": endpoint(EndpointStatus.READY, ready_at=LATER),
    "provisioned ready": endpoint(
        EndpointStatus.READY,
        kind="provisioned",
        model_units=1,
        ttl_hours=8.0,
        expires_at=LATER + timedelta(hours=8),
        ready_at=LATER,
    ),
    "endpoint stopping": endpoint(EndpointStatus.STOPPING, stop_requested_at=LATER),
    "endpoint stopped": endpoint(EndpointStatus.STOPPED, stopped_at=LATER),
    "endpoint failed": endpoint(
        EndpointStatus.FAILED, stopped_at=LATER, error=JobError(code="endpoint_failed", message="no capacity")
    ),
    "hosted": endpoint(EndpointStatus.READY, provider="openai", kind="hosted", ready_at=LATER),
    "stopped, model deleted": endpoint(EndpointStatus.STOPPED, stopped_at=LATER),
}
_JOB_OF_ENDPOINT = {"hosted": "openai succeeded", "stopped, model deleted": "model deleted"}

STATES = (*JOBS, *ENDPOINTS)


def state(name: str, *, of: str = "") -> tuple[Job, Endpoint | None]:
    """The job, with an id of its own, and its endpoint; another one for each `of`."""
    job = JOBS[name] if name in JOBS else JOBS[_JOB_OF_ENDPOINT.get(name, "succeeded")]
    job_id = job_id_from("state", name, of)
    found = ENDPOINTS.get(name)
    return (
        msgspec.structs.replace(job, job_id=job_id),
        msgspec.structs.replace(found, job_id=job_id) if found is not None else None,
    )
