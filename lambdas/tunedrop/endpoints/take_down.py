"""Take down: the endpoint is deleted at the provider, again and again, until the provider says that it is gone."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.endpoint_transitions import end, move, stop
from tunedrop.domain.errors import PermanentError, ProviderThrottledError, ProviderUnavailableError
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, EndpointStore, JobStore
from tunedrop.domain.serving_ports import ConnectServing, ServingProvider
from tunedrop.endpoints.generation import order_for
from tunedrop.endpoints.limits import DELETE_AGAIN_AFTER, deletion_is_due, unsettled_seconds
from tunedrop.endpoints.step import EndpointOutcome, EndpointStep, ended, nothing_there

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TakeDownEndpoint:
    jobs: JobStore
    endpoints: EndpointStore
    connect: ConnectServing
    clock: Clock
    polling: PollingPolicy
    trouble: Callable[[str], None]
    """Counts, by provider, a deletion that was refused or had no effect: what it was to delete may be billing."""

    def __call__(self, job_id: str) -> EndpointStep:
        endpoint = self.endpoints.find(job_id)
        if endpoint is None:
            return nothing_there(job_id)
        seq = endpoint.wake_seq
        endpoint = self.endpoints.change(job_id, lambda each: stop(each, at=self.clock.now()))
        if endpoint.has_ended:
            return ended(endpoint, wake_seq=seq)
        if endpoint.resource_id is None and endpoint.creation is None:
            return self._next(self._ended(endpoint), seq)
        if not deletion_is_due(endpoint, self.clock.now()):
            return self._next(endpoint, seq)
        try:
            return self._take_down(endpoint, seq)
        except (ProviderThrottledError, ProviderUnavailableError) as error:
            # Not for the state machine to retry: it would soon give up for long, and this may be billed meanwhile.
            return self._next(self._put_off(endpoint, error), seq)
        except PermanentError as error:
            # The provider would refuse again. It is asked again all the same, until somebody mends what is in the way.
            return self._next(self._loudly(endpoint, f"The provider refused to delete the endpoint: {error}"), seq)

    def _take_down(self, endpoint: Endpoint, seq: int) -> EndpointStep:
        job = self.jobs.get(endpoint.job_id)
        provider = self.connect(job)
        if endpoint.resource_id is None:
            found = provider.find(order_for(job, endpoint))
            unsettled = unsettled_seconds(endpoint, self.clock.now())
            if found is None and unsettled > 0:
                return self._next(endpoint, seq, at_least=math.ceil(unsettled))
            if found is None:
                return self._next(self._ended(endpoint), seq)
            endpoint = self.endpoints.change(endpoint.job_id, lambda each: self._found(each, found))
        return self._next(self._delete(endpoint, provider), seq)

    def _delete(self, endpoint: Endpoint, provider: ServingProvider) -> Endpoint:
        resource_id = endpoint.resource_id
        if endpoint.has_ended or resource_id is None:
            return endpoint
        if endpoint.delete_sent_at is not None:
            minutes = round((self.clock.now() - endpoint.delete_sent_at).total_seconds() / 60)
            status = endpoint.provider_status or "there"
            endpoint = self._loudly(
                endpoint, f"It is {status} still, {minutes} minutes after its deletion, and is deleted again."
            )
        provider.delete(resource_id)
        return self.endpoints.change(endpoint.job_id, self._sent)

    def _sent(self, endpoint: Endpoint) -> Endpoint:
        if endpoint.has_ended:
            return endpoint
        now = self.clock.now()
        return move(endpoint, EndpointStatus.STOPPING, at=now, delete_sent_at=now)

    def _found(self, endpoint: Endpoint, resource_id: str) -> Endpoint:
        if endpoint.has_ended or endpoint.resource_id is not None:
            return endpoint
        return move(endpoint, endpoint.status, at=self.clock.now(), resource_id=resource_id)

    def _put_off(self, endpoint: Endpoint, error: Exception) -> Endpoint:
        """What may pass, such as the refusal to delete what is still being made, is no trouble before it lasts."""
        since = endpoint.stop_requested_at or endpoint.updated_at
        lasting = self.clock.now() - since >= DELETE_AGAIN_AFTER
        return self._loudly(endpoint, str(error)) if lasting else self._noted(endpoint, str(error))

    def _loudly(self, endpoint: Endpoint, message: str) -> Endpoint:
        logger.error("the endpoint is not deleted", extra={"job_id": endpoint.job_id, "reason": message})
        self.trouble(endpoint.provider)
        return self._noted(endpoint, message)

    def _noted(self, endpoint: Endpoint, message: str) -> Endpoint:
        def note(each: Endpoint) -> Endpoint:
            if each.has_ended or each.last_error == message:
                return each
            return move(each, each.status, at=self.clock.now(), last_error=message)

        return self.endpoints.change(endpoint.job_id, note)

    def _ended(self, endpoint: Endpoint) -> Endpoint:
        return self.endpoints.change(endpoint.job_id, lambda each: end(each, at=self.clock.now()))

    def _next(self, endpoint: Endpoint, seq: int, *, at_least: int = 0) -> EndpointStep:
        if endpoint.has_ended:
            return ended(endpoint, wake_seq=seq)
        now = self.clock.now()
        started = endpoint.delete_sent_at or endpoint.stop_requested_at or now
        wait = max(at_least, self.polling.wait_seconds(started=started, now=now))
        return EndpointStep(job_id=endpoint.job_id, outcome=EndpointOutcome.STOPPING, wait_seconds=wait, wake_seq=seq)
