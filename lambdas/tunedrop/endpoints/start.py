"""Start: an endpoint is asked for. One that is up or on its way is the answer; after an end, the next one begins."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.endpoint_rules import endpoint_plan
from tunedrop.domain.endpoint_transitions import move, renew
from tunedrop.domain.errors import ConflictError
from tunedrop.domain.job import Job
from tunedrop.domain.job_request import EndpointRequest
from tunedrop.domain.ports import Clock, EndpointStore, JobStore, Workflow
from tunedrop.endpoints.generation import (
    expiry,
    needs_execution,
    new_endpoint,
    run,
    tuned_model_of,
    with_execution,
)
from tunedrop.endpoints.wake import WakeEndpoint


@dataclass(frozen=True, kw_only=True)
class StartEndpoint:
    jobs: JobStore
    endpoints: EndpointStore
    workflow: Workflow
    wake: WakeEndpoint
    clock: Clock

    def __call__(self, job_id: str, request: EndpointRequest) -> Endpoint:
        """The endpoint as it is now; a `ttl_hours` counts from now, also where it is up already.

        Safe to repeat: what a call left undone that was cut off, the next one does.
        Raises JobNotFoundError, RequestInvalidError, and ConflictError: `job_not_finished`, `job_not_succeeded`,
        `model_deleted`, `endpoint_stopping`, `endpoint_differs`.
        """
        job = self.jobs.get(job_id)
        tuned_model_of(job)
        if self.endpoints.find(job_id) is None:
            new = self._new(job, request)
            if self.endpoints.create(new):
                run(new, self.workflow)
                return new
        befores: list[Endpoint] = []

        def asked(before: Endpoint) -> Endpoint:
            befores.append(before)
            return self._asked(job, request, before)

        after = self.endpoints.change(job_id, asked)
        run(after, self.workflow)
        if _ends_sooner(befores[-1], after):
            self.wake(job_id)
        return after

    def _new(self, job: Job, request: EndpointRequest) -> Endpoint:
        plan = endpoint_plan(job.provider, job.base_model, request)
        return new_endpoint(job, plan, workflow=self.workflow, at=self.clock.now())

    def _asked(self, job: Job, request: EndpointRequest, before: Endpoint) -> Endpoint:
        if before.has_ended:
            return with_execution(renew(before, self._new(job, request)), self.workflow)
        if before.status is EndpointStatus.STOPPING:
            raise ConflictError(
                "endpoint_stopping",
                f"The endpoint of job {job.job_id} is being stopped. It can be started again once it is stopped.",
            )
        plan = endpoint_plan(job.provider, job.base_model, request, live=before.kind)
        if plan.kind != before.kind or plan.model_units not in (None, before.model_units):
            units = "" if before.model_units is None else f" with {before.model_units} model units"
            raise ConflictError(
                "endpoint_differs",
                f"The endpoint of job {job.job_id} is {before.status} as {before.kind!r}{units}. Stop it first, or ask "
                "for the same; only its 'ttl_hours' can be changed while it is up.",
            )
        if plan.ttl_hours is None:
            return before
        now = self.clock.now()
        moved = move(before, before.status, at=now, ttl_hours=plan.ttl_hours, expires_at=expiry(plan.ttl_hours, now))
        if needs_execution(before):
            return moved
        # The execution that brought it up has ended, since nothing had to be watched: now there is an end to hold for.
        return with_execution(msgspec.structs.replace(moved, executions=before.executions + 1), self.workflow)


def _ends_sooner(before: Endpoint, after: Endpoint) -> bool:
    """Whether an execution waits for a moment that is too late now. One that waits for a moment too early finds, when
    it is there, that there is a later one: moving an end away, however often, costs it no event."""
    if after.expires_at is None or (before.generation, before.executions) != (after.generation, after.executions):
        return False
    return before.expires_at is None or after.expires_at < before.expires_at
