"""Notify: a change of an endpoint's status that the table's stream tells of becomes one event."""

from __future__ import annotations

from dataclasses import dataclass

from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.job import as_document
from tunedrop.domain.ports import Publisher, StatusChange

DETAIL_TYPE = "Fine-Tuning Endpoint State Change"
DETAIL_VERSION = "1"

_SUMMARIES = {
    EndpointStatus.STARTING: "is starting",
    EndpointStatus.READY: "is ready",
    EndpointStatus.STOPPING: "is being stopped",
    EndpointStatus.STOPPED: "is stopped",
    EndpointStatus.FAILED: "failed",
}


@dataclass(frozen=True, kw_only=True)
class NotifyEndpointChange:
    publisher: Publisher

    def __call__(self, before: Endpoint | None, after: Endpoint) -> StatusChange | None:
        """Publishes where the status changed, or another generation began, and says what; else None."""
        if before is not None and (before.generation, before.status) == (after.generation, after.status):
            return None
        change = status_change(before, after)
        self.publisher.publish(change)
        return change


def status_change(before: Endpoint | None, after: Endpoint) -> StatusChange:
    """The event; delivered again it has the same id, so that consumers can tell."""
    event_id = f"{after.job_id}-endpoint-{after.version}"
    fields = as_document(after)
    told = ("job_id", "provider", "status", "generation", "kind", "execution_arn", "updated_at")
    detail = {
        "version": DETAIL_VERSION,
        "event_id": event_id,
        **{field: fields.get(field) for field in told},
        "previous_status": before.status.value if before else None,
        **{field: fields.get(field) for field in ("call", "expires_at", "hourly_cost_usd", "error")},
    }
    return StatusChange(detail_type=DETAIL_TYPE, event_id=event_id, detail=detail, summary=_summary(after))


def _summary(endpoint: Endpoint) -> str:
    summary = f"{endpoint.provider} endpoint of job {endpoint.job_id} {_SUMMARIES[endpoint.status]}"
    if endpoint.call is not None:
        summary += f": call {endpoint.call.model_id}"
    if endpoint.status is EndpointStatus.READY and endpoint.expires_at is not None:
        summary += f", until {endpoint.expires_at:%Y-%m-%d %H:%M} UTC"
    if endpoint.error is not None:
        summary += f": {endpoint.error.message}"
    return summary
