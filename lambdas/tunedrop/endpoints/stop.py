"""Stop: an endpoint is not needed any more. Its execution takes it down."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain import endpoint_transitions as transitions
from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.errors import ConflictError
from tunedrop.domain.ports import Clock, EndpointStore, JobStore, Workflow
from tunedrop.endpoints.generation import needs_execution, run, with_execution
from tunedrop.endpoints.wake import WakeEndpoint


@dataclass(frozen=True, kw_only=True)
class StopEndpoint:
    jobs: JobStore
    endpoints: EndpointStore
    workflow: Workflow
    wake: WakeEndpoint
    clock: Clock

    def __call__(self, job_id: str) -> Endpoint:
        """The endpoint, stopping or ended; safe to repeat.

        Raises JobNotFoundError, and ConflictError: `endpoint_not_started`, `endpoint_hosted`.
        """
        self.jobs.get(job_id)
        if self.endpoints.find(job_id) is None:
            raise ConflictError(
                "endpoint_not_started", f"Job {job_id} never had an endpoint: there is nothing to stop."
            )
        befores: list[Endpoint] = []

        def stopped(before: Endpoint) -> Endpoint:
            befores.append(before)
            return self._stopped(before)

        after = self.endpoints.change(job_id, stopped)
        run(after, self.workflow)
        # An execution that begins with it waits for nothing yet.
        if not after.has_ended and after.executions == befores[-1].executions:
            self.wake(job_id)
        return after

    def _stopped(self, before: Endpoint) -> Endpoint:
        if before.kind == "hosted":
            raise ConflictError(
                "endpoint_hosted",
                "OpenAI serves every tuned model itself and charges nothing for one that is not called: there is "
                "nothing to stop. To be rid of the model, delete it at OpenAI.",
            )
        after = transitions.stop(before, at=self.clock.now())
        if after == before or needs_execution(before):
            return after
        # The execution that brought it up has ended, since nothing had to be watched.
        return with_execution(msgspec.structs.replace(after, executions=before.executions + 1), self.workflow)
