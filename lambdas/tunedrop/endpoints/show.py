"""Show: an endpoint as its record has it."""

from __future__ import annotations

from dataclasses import dataclass

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.ports import EndpointStore, JobStore


@dataclass(frozen=True, kw_only=True)
class ShowEndpoint:
    jobs: JobStore
    endpoints: EndpointStore

    def __call__(self, job_id: str) -> Endpoint | None:
        """None for a job that never had an endpoint. Raises JobNotFoundError where there is no job."""
        self.jobs.get(job_id)
        return self.endpoints.find(job_id)
