"""The endpoints' records in DynamoDB, each beside its job's."""

from __future__ import annotations

from typing import Any

from tunedrop.aws.endpoint_items import endpoint_of, event_of, record_key, record_of
from tunedrop.aws.record_store import RecordItems, RecordStore
from tunedrop.domain.endpoint import Endpoint

_ITEMS: RecordItems[Endpoint] = RecordItems(
    what="endpoint of job", key=record_key, write=record_of, read=endpoint_of, event=event_of
)


class DynamoEndpointStore(RecordStore[Endpoint]):
    """An EndpointStore on the jobs' table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str) -> None:
        super().__init__(client=client, table=table, items=_ITEMS)
