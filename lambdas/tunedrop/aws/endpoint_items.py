"""How an endpoint is written in DynamoDB: beside its job, one item for the record and one for each of its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tunedrop.aws.record_items import Item, plain, serialized
from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import as_document

RECORD = "ENDPOINT"


def record_key(job_id: str) -> Item:
    return {"pk": {"S": f"JOB#{job_id}"}, "sk": {"S": RECORD}}


def record_of(endpoint: Endpoint) -> Item:
    """The record without its key. No list of jobs finds it: it has nothing that an index is made of."""
    # `wake_seq` is written when it is 0, too: a wait is conditional on it.
    return serialized({**as_document(endpoint), "wake_seq": endpoint.wake_seq})


def endpoint_of(item: Mapping[str, Mapping[str, Any]]) -> Endpoint:
    """The endpoint in an item, as DynamoDB or its stream shows it. Fields that are not known here are ignored."""
    return msgspec.convert(plain(item), Endpoint)


def event_of(before: Endpoint | None, after: Endpoint) -> Item:
    """The timeline's item for one write."""
    return serialized(
        {
            "pk": f"JOB#{after.job_id}",
            "sk": f"EVENT#ENDPOINT#{after.version:010d}",
            "type": "endpoint" if before is None or before.status is not after.status else "endpoint_progress",
            "at": as_document(after)["updated_at"],
            "endpoint_status": after.status.value,
            "generation": after.generation,
            "provider_status": after.provider_status,
            "expires_at": as_document(after).get("expires_at"),
            "error": as_document(after.error) if after.error else None,
            "last_error": after.last_error,
        }
    )
