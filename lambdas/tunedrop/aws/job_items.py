"""How a job is written in DynamoDB: one item for the record, one for each of its events.

The lists are queries on indexes whose partitions are a month each (`by-created`), so that a list reads newest first,
month by month, and no partition grows for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tunedrop.aws.record_items import Item, plain, serialized, timestamp
from tunedrop.domain.job import Job, as_document

RECORD = "JOB"


def record_key(job_id: str) -> Item:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": RECORD}}


def record_of(job: Job) -> Item:
    """The record without its key, in DynamoDB's own JSON, with what the indexes need."""
    month = f"{job.created_at:%Y-%m}"
    return serialized(
        {
            **as_document(job),
            # Written when it is 0, too: a wait is conditional on it.
            "wake_seq": job.wake_seq,
            "created_month": month,
            "created_key": f"{timestamp(job.created_at)}#{job.job_id}",
            "status_month": f"{job.status}#{month}",
            "provider_month": f"{job.provider}#{month}",
        }
    )


def job_of(item: Mapping[str, Mapping[str, Any]]) -> Job:
    """The job in an item, as DynamoDB or its stream shows it. Fields that this version does not know are ignored."""
    return msgspec.convert(plain(item), Job)


def event_of(before: Job | None, after: Job) -> Item:
    """The timeline's item for one write: what changed, and what the provider said."""
    return serialized(
        {
            "pk": f"JOB#{after.job_id}",
            "sk": f"EVENT#{after.version:010d}",
            "type": "status" if before is None or before.phase is not after.phase else "progress",
            "at": as_document(after)["updated_at"],
            "status": after.status.value,
            "phase": after.phase.value,
            "provider_status": after.provider_status,
            "progress": as_document(after.progress) if after.progress else None,
            "error": as_document(after.error) if after.error else None,
            "last_error": after.last_error,
        }
    )
