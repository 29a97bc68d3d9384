"""Delete a tuned model at its provider, which stores it for money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from tunedrop.domain.errors import ConflictError
from tunedrop.domain.job import Job
from tunedrop.domain.ports import Clock, EndpointStore, JobStore
from tunedrop.domain.serving_ports import ModelRemoval
from tunedrop.endpoints.generation import tuned_model_of


@dataclass(frozen=True, kw_only=True)
class DeleteModel:
    jobs: JobStore
    endpoints: EndpointStore
    removals: Mapping[str, ModelRemoval]
    """By provider: those whose models Tunedrop deletes."""
    clock: Clock

    def __call__(self, job_id: str) -> Job:
        """The job, with `model_deleted_at`; safe to repeat.

        Raises JobNotFoundError, and ConflictError: `model_not_deletable`, `job_not_finished`, `job_not_succeeded`,
        `endpoint_not_stopped`, or what the provider says of a model that is in use.
        """
        job = self.jobs.get(job_id)
        removal = self.removals.get(job.provider)
        if removal is None:
            raise ConflictError(
                "model_not_deletable",
                f"Tunedrop deletes tuned models at {' and '.join(self.removals)} only, where storing them costs money: "
                f"delete this one at {job.provider} itself.",
            )
        if job.model_deleted_at is not None:
            return job
        tuned_model = tuned_model_of(job)
        endpoint = self.endpoints.find(job_id)
        if endpoint is not None and not endpoint.has_ended:
            raise ConflictError(
                "endpoint_not_stopped",
                f"The model of job {job_id} is in use: its endpoint is {endpoint.status}. Stop the endpoint first.",
            )
        removal.delete(tuned_model)
        return self.jobs.change(job_id, self._deleted)

    def _deleted(self, job: Job) -> Job:
        if job.model_deleted_at is not None:
            return job
        now = self.clock.now()
        return msgspec.structs.replace(job, model_deleted_at=now, version=job.version + 1, updated_at=now)
