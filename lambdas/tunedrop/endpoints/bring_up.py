"""Bring up: intent, look, create, store. Repeating it after a crash anywhere makes no second endpoint to pay for."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tunedrop.domain.endpoint import Creation, Endpoint, EndpointStatus
from tunedrop.domain.endpoint_transitions import move, stop
from tunedrop.domain.errors import PermanentError, ProviderRejectedError, ProviderThrottledError
from tunedrop.domain.job import JobError
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, EndpointStore, JobStore
from tunedrop.domain.serving_ports import ConnectServing, EndpointOrder, ServingProvider
from tunedrop.endpoints.generation import order_for, tuned_model_of
from tunedrop.endpoints.limits import close_if_late, within_limits
from tunedrop.endpoints.step import EndpointOutcome, EndpointStep, ended, nothing_there

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BringUpEndpoint:
    jobs: JobStore
    endpoints: EndpointStore
    connect: ConnectServing
    clock: Clock
    polling: PollingPolicy

    def __call__(self, job_id: str) -> EndpointStep:
        endpoint = self.endpoints.find(job_id)
        if endpoint is None:
            return nothing_there(job_id)
        seq = endpoint.wake_seq
        try:
            return self._bring_up(endpoint)
        except PermanentError as error:
            # Whether something was created all the same is for the step that deletes to find out.
            reason = _reason(error)
            after = self.endpoints.change(job_id, lambda each: self._given_up(endpoint.generation, each, reason))
            logger.error("the endpoint cannot be started", extra={"job_id": job_id, "reason": str(error)})
            return self._next(after, seq)

    def _given_up(self, generation: int, endpoint: Endpoint, reason: JobError) -> Endpoint:
        if endpoint.generation != generation:
            return endpoint
        return stop(endpoint, at=self.clock.now(), error=reason)

    def _bring_up(self, endpoint: Endpoint) -> EndpointStep:
        job_id, seq = endpoint.job_id, endpoint.wake_seq
        if endpoint.status is EndpointStatus.STARTING and endpoint.resource_id is None:
            endpoint = self.endpoints.change(job_id, lambda each: close_if_late(each, self.clock.now()))
        if endpoint.status is not EndpointStatus.STARTING or endpoint.resource_id is not None:
            return self._next(endpoint, seq)
        job = self.jobs.get(job_id)
        tuned_model_of(job)
        order, provider = order_for(job, endpoint), self.connect(job)
        if endpoint.creation is not None:
            found = provider.find(order)
            if found is not None:
                return self._next(self._store_id(endpoint, found, provider), seq)
        intended = self.endpoints.change(job_id, self._intend)
        if intended.status is not EndpointStatus.STARTING:
            return self._next(intended, seq)
        try:
            created = self._create(order, provider)
        except ProviderThrottledError as error:
            return self._wait_for_quota(intended, error, seq)
        return self._next(self._store_id(intended, created, provider), seq)

    def _intend(self, endpoint: Endpoint) -> Endpoint:
        """The intent to create, conditional on no stop: what was stopped by now is never created."""
        if endpoint.status is not EndpointStatus.STARTING:
            return endpoint
        now = self.clock.now()
        attempts = endpoint.creation.attempts + 1 if endpoint.creation else 1
        return move(endpoint, endpoint.status, at=now, creation=Creation(attempted_at=now, attempts=attempts))

    def _create(self, order: EndpointOrder, provider: ServingProvider) -> str:
        try:
            return provider.create(order)
        except ProviderRejectedError:
            self.endpoints.change(order.job_id, self._withdraw)
            raise

    def _withdraw(self, endpoint: Endpoint) -> Endpoint:
        """A refused create made nothing. Only an attempt before it may have, whose answer was lost."""
        if endpoint.has_ended or endpoint.creation is None or endpoint.creation.attempts > 1:
            return endpoint
        return move(endpoint, endpoint.status, at=self.clock.now(), creation=None)

    def _store_id(self, intended: Endpoint, resource_id: str, provider: ServingProvider) -> Endpoint:
        def store(endpoint: Endpoint) -> Endpoint:
            if endpoint.has_ended or endpoint.generation != intended.generation or endpoint.resource_id is not None:
                return endpoint
            return move(endpoint, endpoint.status, at=self.clock.now(), resource_id=resource_id, last_error=None)

        stored = self.endpoints.change(intended.job_id, store)
        if stored.has_ended or stored.resource_id != resource_id:
            # This attempt was given up, and came through all the same: nobody else would ever delete what it made.
            logger.error("created too late", extra={"job_id": intended.job_id, "resource_id": resource_id})
            provider.delete(resource_id)
        return stored

    def _wait_for_quota(self, endpoint: Endpoint, error: ProviderThrottledError, seq: int) -> EndpointStep:
        def note(each: Endpoint) -> Endpoint:
            return each if each.has_ended else move(each, each.status, at=self.clock.now(), last_error=str(error))

        endpoint = self.endpoints.change(endpoint.job_id, note)
        return self._next(endpoint, seq, retry_after=error.retry_after)

    def _next(self, endpoint: Endpoint, seq: int, *, retry_after: float | None = None) -> EndpointStep:
        if endpoint.has_ended:
            return ended(endpoint, wake_seq=seq)
        if endpoint.status is EndpointStatus.STOPPING:
            return EndpointStep(job_id=endpoint.job_id, outcome=EndpointOutcome.STOP, wake_seq=seq)
        outcome = EndpointOutcome.START if endpoint.resource_id is None else EndpointOutcome.STARTING
        now = self.clock.now()
        wait = self.polling.wait_seconds(started=endpoint.created_at, now=now, retry_after=retry_after)
        wait = within_limits(endpoint, wait, now)
        return EndpointStep(job_id=endpoint.job_id, outcome=outcome, wait_seconds=wait, wake_seq=seq)


def _reason(error: PermanentError) -> JobError:
    provider_code = error.provider_code if isinstance(error, ProviderRejectedError) else None
    return JobError(code=error.code, message=str(error), provider_code=provider_code)
