"""The jobs' records in DynamoDB."""

from __future__ import annotations

from typing import Any

from tunedrop.aws.job_items import event_of, job_of, record_key, record_of
from tunedrop.aws.record_store import RecordItems, RecordStore
from tunedrop.domain.job import Job

_ITEMS: RecordItems[Job] = RecordItems(what="job", key=record_key, write=record_of, read=job_of, event=event_of)


class DynamoJobStore(RecordStore[Job]):
    """A JobStore on one table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str) -> None:
        super().__init__(client=client, table=table, items=_ITEMS)
