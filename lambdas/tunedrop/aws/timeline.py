"""The events of a job and of its endpoint, oldest first.

They lie beside the record, each kind in the order of its record's versions: `EVENT#0000000007` of the job,
`EVENT#ENDPOINT#0000000002` of the endpoint. The two are merged by their time.
"""

from __future__ import annotations

import heapq
import re
from itertools import islice
from typing import Any

import msgspec

from tunedrop.aws.client_errors import store_errors
from tunedrop.aws.record_items import Item, plain
from tunedrop.domain.errors import JobNotFoundError, RequestInvalidError
from tunedrop.domain.list_ports import EventPage, TimelineEvent

_KINDS = ("EVENT#", "EVENT#ENDPOINT#")
_LAST_VERSION = 9_999_999_999
_POSITION = re.compile(r"(\d{1,10})\.(\d{1,10})", re.ASCII)


class DynamoTimeline:
    """A Timeline on one table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def page(self, job_id: str, *, limit: int, after: str | None) -> EventPage:
        seen = list(_versions_in(after))
        events = [self._events(job_id, kind, version, limit + 1) for kind, version in zip(_KINDS, seen, strict=True)]
        if after is None and not any(events):
            raise JobNotFoundError(f"There is no job {job_id}.")
        # Each kind is taken from its beginning, so that the last version of each says where the next page goes on.
        merged = heapq.merge(*([(event.at, kind, event) for event in each] for kind, each in enumerate(events)))
        page = list(islice(merged, limit))
        for _, kind, event in page:
            seen[kind] = event.version
        is_last = len(page) == sum(map(len, events))
        return EventPage(
            events=tuple(event for _, _, event in page), next=None if is_last else ".".join(map(str, seen))
        )

    def _events(self, job_id: str, kind: str, behind: int, limit: int) -> list[TimelineEvent]:
        """At most `limit` events of one kind, from behind a version on."""
        with store_errors(f"reading the events of job {job_id}"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :job AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":job": {"S": f"JOB#{job_id}"},
                    ":first": {"S": f"{kind}{behind + 1:010d}"},
                    ":last": {"S": f"{kind}{_LAST_VERSION}"},
                },
                Limit=limit,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": limit},
            )
            return [_event_of(item, kind) for item in pages.build_full_result()["Items"]]


def _event_of(item: Item, kind: str) -> TimelineEvent:
    return msgspec.convert({**plain(item), "version": int(item["sk"]["S"].removeprefix(kind))}, TimelineEvent)


def _versions_in(after: str | None) -> tuple[int, int]:
    """The versions of the job and of its endpoint that were shown; those of a new timeline are 0."""
    if after is None:
        return 0, 0
    found = _POSITION.fullmatch(after)
    if found is None:
        raise RequestInvalidError("This is no position in a timeline: pass what the last page called its next one.")
    return int(found[1]), int(found[2])
