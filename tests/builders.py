"""Jobs for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tunedrop.domain.job import Dataset, Job, JobError, JobStatus, Outcome, Phase, Source, Submission
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.transitions import advance, close

CREATED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
JOB_ID = "abcdefghijklmnopqrstuvwxyz"

REQUEST = JobRequest(
    provider="openai",
    model="gpt-4.1-mini",
    training_file="s3://inbox/inbox/openai/gpt-4.1-mini/train.jsonl?versionId=v1",
)

DATASET = Dataset(
    training_uri=f"s3://artifacts/jobs/{JOB_ID}/training.jsonl",
    training_rows=60,
    training_bytes=6_000,
    format="chat",
    sha256="0" * 64,
)

_PATHS: dict[Phase, tuple[Phase, ...]] = {
    Phase.RECEIVED: (),
    Phase.PREPARING: (Phase.PREPARING,),
    Phase.SUBMITTING: (Phase.PREPARING, Phase.SUBMITTING),
    Phase.WAITING_FOR_QUOTA: (Phase.PREPARING, Phase.SUBMITTING, Phase.WAITING_FOR_QUOTA),
    Phase.QUEUED: (Phase.PREPARING, Phase.SUBMITTING, Phase.QUEUED),
    Phase.TRAINING: (Phase.PREPARING, Phase.SUBMITTING, Phase.QUEUED, Phase.TRAINING),
    Phase.CANCELLING: (Phase.PREPARING, Phase.SUBMITTING, Phase.QUEUED, Phase.TRAINING, Phase.CANCELLING),
}


def job_in(phase: Phase, **changes: Any) -> Job:
    """A job of OpenAI's that came to `phase` by a legal way, prepared and submitted as far as the phase says."""
    awaiting = phase is Phase.AWAITING_UPLOAD
    job = Job(
        job_id=JOB_ID,
        provider="openai",
        model="gpt-4.1-mini",
        phase=Phase.AWAITING_UPLOAD if awaiting else Phase.RECEIVED,
        status=JobStatus.NOT_STARTED,
        version=1,
        created_at=CREATED,
        updated_at=CREATED,
        deadline_at=CREATED + timedelta(days=7),
        source=Source(bucket="inbox", key="inbox/openai/gpt-4.1-mini/train.jsonl", version="v1"),
        request=REQUEST,
        base_model="gpt-4.1-mini-2025-04-14",
    )
    path = () if awaiting else _PATHS[phase]
    for step in path:
        job = advance(job, step, at=CREATED)
    if len(path) > 1:
        job = msgspec.structs.replace(
            job,
            dataset=DATASET,
            hyperparameters={"n_epochs": 3},
            submission=Submission(token=f"tunedrop-{JOB_ID}", attempted_at=CREATED),
        )
    if len(path) > 2 and phase is not Phase.WAITING_FOR_QUOTA:
        job = msgspec.structs.replace(job, provider_job_id="pj-0")
    return msgspec.structs.replace(job, **changes)


def ended(status: JobStatus, **changes: Any) -> Job:
    """A job that trained, and has ended."""
    succeeded, failed = status is JobStatus.SUCCEEDED, status is JobStatus.FAILED
    outcome = Outcome(
        status=status,
        tuned_model="ft:gpt-4.1-mini-2025-04-14:tuned" if succeeded else None,
        error=JobError(code="training_failed", message="the gradient exploded") if failed else None,
    )
    return msgspec.structs.replace(close(job_in(Phase.TRAINING), outcome, at=CREATED + timedelta(hours=1)), **changes)


def prepared(**changes: Any) -> Job:
    """A job whose files are ready, and that no provider knows yet."""
    return job_in(Phase.PREPARING, dataset=DATASET, hyperparameters={"n_epochs": 3}, **changes)
