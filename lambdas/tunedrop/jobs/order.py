"""The order that a provider gets, made from the record alone, so that every attempt orders the same."""

from __future__ import annotations

import re

from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job import Job
from tunedrop.domain.provider_ports import TrainingOrder

_TOKEN = re.compile(r"tunedrop-([a-z2-7]{26})")


def token_for(job_id: str) -> str:
    """A legal job name at Bedrock and idempotency token at Bedrock and Databricks: 35 characters."""
    return f"tunedrop-{job_id}"


def job_id_of(token: str) -> str | None:
    """The job that was ordered with `token`; None for a name that `token_for` never gives."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def order_for(job: Job) -> TrainingOrder:
    """Raises RequestInvalidError for a job that has not been prepared."""
    if job.dataset is None or job.request is None or job.base_model is None or job.hyperparameters is None:
        raise RequestInvalidError(f"Job {job.job_id} has not been prepared. Drop the file again.")
    return TrainingOrder(
        job_id=job.job_id,
        token=token_for(job.job_id),
        base_model=job.base_model,
        training_uri=job.dataset.training_uri,
        training_sha256=job.dataset.sha256,
        validation_uri=job.dataset.validation_uri,
        hyperparameters=job.hyperparameters,
        format=job.dataset.format,
        job_name=job.request.job_name,
        train_data_path=job.request.train_data_path,
        register_to=job.request.register_to,
        task_type=job.request.task_type,
        created_at=job.created_at,
    )
