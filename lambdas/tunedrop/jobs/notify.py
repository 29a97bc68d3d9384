"""Notify: a change of status that the table's stream tells of becomes one event. Writers never publish."""

from __future__ import annotations

from dataclasses import dataclass

from tunedrop.domain.job import Job, JobStatus, as_document
from tunedrop.domain.ports import Publisher, StatusChange

DETAIL_TYPE = "Fine-Tuning Job State Change"
DETAIL_VERSION = "1"

_SUMMARIES = {
    JobStatus.NOT_STARTED: "has been received",
    JobStatus.PENDING: "is pending",
    JobStatus.RUNNING: "is training",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "was cancelled",
}


@dataclass(frozen=True, kw_only=True)
class NotifyChange:
    publisher: Publisher

    def __call__(self, before: Job | None, after: Job) -> StatusChange | None:
        """Publishes where the status changed, and says what; None where it did not."""
        if before is not None and before.status is after.status:
            return None
        change = status_change(before, after)
        self.publisher.publish(change)
        return change


def status_change(before: Job | None, after: Job) -> StatusChange:
    """The event; delivered again it has the same id, so that consumers can tell."""
    event_id = f"{after.job_id}-{after.version}"
    detail = {
        "version": DETAIL_VERSION,
        "event_id": event_id,
        "job_id": after.job_id,
        "provider": after.provider,
        "model": after.model,
        "status": after.status.value,
        "previous_status": before.status.value if before else None,
        "phase": after.phase.value,
        "provider_job_id": after.provider_job_id,
        "tuned_model": after.tuned_model,
        "error": as_document(after.error) if after.error else None,
        "report_uri": after.report_uri,
        "execution_arn": after.execution_arn,
        "updated_at": f"{after.updated_at:%Y-%m-%dT%H:%M:%S}.{after.updated_at.microsecond // 1000:03d}Z",
    }
    summary = f"{after.provider} job {after.job_id} ({after.model}) {_SUMMARIES[after.status]}"
    if after.tuned_model:
        summary += f": {after.tuned_model}"
    if after.error:
        summary += f": {after.error.message}"
    return StatusChange(detail_type=DETAIL_TYPE, event_id=event_id, detail=detail, summary=summary)
