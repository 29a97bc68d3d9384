"""Wake: there is a reason to look at an endpoint before its wait is over."""

from __future__ import annotations

from dataclasses import dataclass

from tunedrop.domain.ports import Clock, EndpointStore, TaskTokens


@dataclass(frozen=True, kw_only=True)
class WakeEndpoint:
    """First the reason is counted, then the wait is ended, as with a job."""

    endpoints: EndpointStore
    tokens: TaskTokens
    clock: Clock

    def __call__(self, job_id: str) -> None:
        """Raises JobNotFoundError where the job has no endpoint."""
        token = self.endpoints.wake(job_id, at=self.clock.now())
        if token is not None:
            self.tokens.send(token)
