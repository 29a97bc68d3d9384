"""Recover: an endpoint's execution was lost while there was work to do, and another one takes over: an endpoint that
bills by the hour is never left to itself.

The events come at least once and in any order, as those of a job's executions.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain.endpoint import Endpoint, endpoint_execution
from tunedrop.domain.endpoint_transitions import move, stop
from tunedrop.domain.job import JobError
from tunedrop.domain.lost_executions import LostStatus, Recovery
from tunedrop.domain.ports import Clock, EndpointStore, Workflow
from tunedrop.endpoints.generation import needs_execution, run, with_execution

RESUMES = 5
"""After so many executions, the next one no longer holds the endpoint: it stops it."""
LAST_EXECUTION = 10
"""When this one is lost, no other one is started by itself: what keeps executions from their end does not pass."""

_WAY_OUT = "once it is mended, ask for the stop again; until then, what is left at the provider may cost money."


@dataclass(frozen=True, kw_only=True)
class RecoverEndpoint:
    store: EndpointStore
    workflow: Workflow
    clock: Clock

    def __call__(self, job_id: str, lost: str, status: LostStatus) -> Recovery:
        """`lost` is the execution's name. Safe to repeat at any moment."""
        if self.store.find(job_id) is None:
            return Recovery.NOT_OURS
        done = Recovery.ENDED

        def taken_over(endpoint: Endpoint) -> Endpoint:
            nonlocal done
            done, after = self._taken_over(endpoint, lost, status)
            return after

        endpoint = self.store.change(job_id, taken_over)
        if done is not Recovery.GIVEN_UP:
            run(endpoint, self.workflow)
        return done

    def _taken_over(self, endpoint: Endpoint, lost: str, status: LostStatus) -> tuple[Recovery, Endpoint]:
        if not needs_execution(endpoint):
            return Recovery.ENDED, endpoint
        if endpoint_execution(endpoint) != lost:
            return Recovery.REPLACED, endpoint
        words = f"The execution {lost}, number {endpoint.executions}, was lost as {status}: its history says why."
        if endpoint.executions >= LAST_EXECUTION:
            # The next one has its number: asking for the stop once more starts it.
            return Recovery.GIVEN_UP, self._next(endpoint, f"{words} No other one was started: {_WAY_OUT}")
        if endpoint.executions > RESUMES:
            error = JobError(code="execution_lost", message=f"{words} Too many were lost, so it is stopped.")
            return Recovery.STOPPING, self._next(endpoint, words, because=error)
        return Recovery.RESUMED, self._next(endpoint, words)

    def _next(self, endpoint: Endpoint, words: str, *, because: JobError | None = None) -> Endpoint:
        """With the number of the next execution; on its way to its end where there is a reason."""
        now = self.clock.now()
        stopped = endpoint if because is None else stop(endpoint, at=now, error=because)
        after = move(stopped, stopped.status, at=now, executions=endpoint.executions + 1, last_error=words)
        # One write is one version, however many changes it is made of.
        return with_execution(msgspec.structs.replace(after, version=endpoint.version + 1), self.workflow)
