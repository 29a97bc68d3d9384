"""Serve: a job that has succeeded gets its endpoint, where one was asked for or an idle one costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.endpoint_rules import plan_after_success
from tunedrop.domain.job import Job
from tunedrop.domain.ports import Clock, EndpointStore, Workflow
from tunedrop.endpoints.generation import new_endpoint


@dataclass(frozen=True, kw_only=True)
class ServeModel:
    """Writes the record only: the job's own execution starts that of the endpoint, so that its graph shows it."""

    endpoints: EndpointStore
    workflow: Workflow
    clock: Clock

    def __call__(self, job: Job) -> Endpoint | None:
        """The endpoint, None where none is wanted. Safe to repeat: an endpoint that is there is left as it is.

        Raises RequestInvalidError, ConflictError.
        """
        plan = None if job.request is None else plan_after_success(job.request, job.base_model)
        if plan is None:
            return None
        endpoint = new_endpoint(job, plan, workflow=self.workflow, at=self.clock.now())
        return endpoint if self.endpoints.create(endpoint) else self.endpoints.find(job.job_id)
