"""Look: the provider is asked how the endpoint is; its answer, or the time, decides what comes next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.endpoint_transitions import ENDPOINT_GONE, end, move, stop
from tunedrop.domain.errors import PermanentError, ProviderThrottledError
from tunedrop.domain.job import JobError
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, EndpointStore, JobStore
from tunedrop.domain.serving_ports import ConnectServing, ProviderEndpoint, ServingState
from tunedrop.endpoints.limits import close_if_late, deletion_is_due, unsettled_seconds, within_limits
from tunedrop.endpoints.step import EndpointOutcome, EndpointStep, ended, nothing_there

logger = logging.getLogger(__name__)

HOLD_LOOK_SECONDS = 6 * 3600
"""While an endpoint is held, how often somebody looks whether it is still there. A round of waiting and looking is 13
of the 25,000 events that an execution may have: 1,560 in 720 hours."""


@dataclass(frozen=True, kw_only=True)
class LookAtEndpoint:
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
        if not endpoint.has_ended:
            endpoint = self.endpoints.change(job_id, lambda each: close_if_late(each, self.clock.now()))
        if endpoint.has_ended or endpoint.resource_id is None:
            return self._next(endpoint, seq)
        try:
            after = self._ask(endpoint, endpoint.resource_id)
        except ProviderThrottledError as error:
            return self._next(self._noted(job_id, error), seq, retry_after=error.retry_after)
        except PermanentError as error:
            # It may be up, and billing: a wrong key or a lost permission does not end it. Its limits do.
            reason = {"job_id": job_id, "reason": str(error)}
            logger.error("the provider refuses to say how the endpoint is", extra=reason)
            return self._next(self._noted(job_id, error), seq)
        return self._next(after, seq)

    def _ask(self, endpoint: Endpoint, resource_id: str) -> Endpoint:
        provider = self.connect(self.jobs.get(endpoint.job_id))
        answer = provider.status(resource_id)
        call = provider.call(resource_id) if answer.state is ServingState.READY else None
        if answer.state is ServingState.UNKNOWN:
            logger.warning(
                "unknown provider status", extra={"job_id": endpoint.job_id, "provider_status": answer.raw_status}
            )

        def heard(each: Endpoint) -> Endpoint:
            if each.has_ended or each.resource_id != resource_id:
                return each
            now = self.clock.now()
            stopping = each.status is EndpointStatus.STOPPING
            if answer.state is ServingState.GONE:
                if unsettled_seconds(each, now) > 0:
                    return each
                return end(each, at=now, error=None if stopping else _gone(answer))
            # What became of a deletion stays in sight until it is through.
            seen: dict[str, Any] = {"provider_status": answer.raw_status}
            seen |= {} if stopping else {"last_error": None}
            if answer.state is ServingState.FAILED and not stopping:
                return msgspec.structs.replace(stop(each, at=now, error=_failed(answer)), **seen)
            if answer.state is ServingState.READY and each.status is EndpointStatus.STARTING:
                return move(each, EndpointStatus.READY, at=now, ready_at=now, call=call, **seen)
            return each if _knows(each, seen) else move(each, each.status, at=now, **seen)

        return self.endpoints.change(endpoint.job_id, heard)

    def _noted(self, job_id: str, error: Exception) -> Endpoint:
        def note(each: Endpoint) -> Endpoint:
            if each.has_ended or each.last_error == str(error):
                return each
            return move(each, each.status, at=self.clock.now(), last_error=str(error))

        return self.endpoints.change(job_id, note)

    def _next(self, endpoint: Endpoint, seq: int, *, retry_after: float | None = None) -> EndpointStep:
        if endpoint.has_ended:
            return ended(endpoint, wake_seq=seq)
        now = self.clock.now()
        outcome = _outcome(endpoint, stop_now=retry_after is None and deletion_is_due(endpoint, now))
        started = endpoint.delete_sent_at or endpoint.stop_requested_at or endpoint.created_at
        wait = self.polling.wait_seconds(started=started, now=now, retry_after=retry_after)
        if outcome is EndpointOutcome.HOLD and retry_after is None:
            wait = HOLD_LOOK_SECONDS
        wait = within_limits(endpoint, wait, now)
        return EndpointStep(job_id=endpoint.job_id, outcome=outcome, wait_seconds=wait, wake_seq=seq)


def _outcome(endpoint: Endpoint, *, stop_now: bool) -> EndpointOutcome:
    match endpoint.status:
        case EndpointStatus.STOPPING:
            return EndpointOutcome.STOP if stop_now else EndpointOutcome.STOPPING
        case EndpointStatus.READY:
            return EndpointOutcome.READY if endpoint.expires_at is None else EndpointOutcome.HOLD
        case _:
            return EndpointOutcome.START if endpoint.resource_id is None else EndpointOutcome.STARTING


def _knows(endpoint: Endpoint, seen: dict[str, Any]) -> bool:
    return all(getattr(endpoint, field) == value for field, value in seen.items())


def _gone(answer: ProviderEndpoint) -> JobError:
    message = (
        f"It was deleted at the provider ({answer.raw_status}), not by Tunedrop. Start it again where it is needed."
    )
    return JobError(code=ENDPOINT_GONE, message=message)


def _failed(answer: ProviderEndpoint) -> JobError:
    reason = answer.error_message or "The provider gave no reason."
    message = f"{reason} What there was of it is deleted; the tuned model is there still. Start it again."
    return JobError(code="endpoint_failed", message=message, provider_code=answer.raw_status)
