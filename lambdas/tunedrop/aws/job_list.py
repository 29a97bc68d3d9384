"""Lists of jobs, newest first: queries on the indexes `by-created`, `by-status` and `by-provider`, never a scan.

A partition of an index is a month: `2026-11`, `failed#2026-11`, `bedrock#2026-11`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tunedrop.aws.client_errors import store_errors
from tunedrop.aws.job_items import job_of
from tunedrop.domain.job import Job, JobStatus
from tunedrop.domain.list_ports import ListPage, ListPosition
from tunedrop.domain.ports import Clock

FIRST_MONTH = "2026-11"
"""No job is older than the project."""

MAX_QUERIES = 12
"""Of one page: a year without a job that fits. The page is then short, or empty, and says where to go on."""

FILTERED_ITEMS = 500
"""How many records a query with a filter looks at, whatever is left of them."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Where a month begins, a job may be created by a clock that is ahead of this one's."""


class DynamoJobList:
    """A JobList on the indexes of one table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def page(
        self, *, status: JobStatus | None, provider: str | None, limit: int, after: ListPosition | None
    ) -> ListPage:
        position: ListPosition | None = after or ListPosition(month=f"{self._clock.now() + CLOCK_TOLERANCE:%Y-%m}")
        jobs: list[Job] = []
        for _ in range(MAX_QUERIES):
            if position is None or len(jobs) == limit:
                break
            found, position = self._query(status, provider, limit - len(jobs), position)
            jobs += found
        return ListPage(jobs=tuple(jobs), next=position)

    def _query(
        self, status: JobStatus | None, provider: str | None, wanted: int, position: ListPosition
    ) -> tuple[list[Job], ListPosition | None]:
        """At most `wanted` jobs of the position's month, and where to go on."""
        with store_errors("listing jobs"):
            answer = self._client.query(
                TableName=self._table,
                ScanIndexForward=False,
                **_question(status, provider, wanted, position),
            )
        items = answer["Items"]
        jobs = [job_of(item) for item in items[:wanted]]
        if len(items) > wanted:
            last = items[wanted - 1]
        elif "LastEvaluatedKey" in answer:
            last = answer["LastEvaluatedKey"]
        else:
            return jobs, _month_before(position.month)
        return jobs, ListPosition(month=position.month, before=last["created_key"]["S"])


def _question(status: JobStatus | None, provider: str | None, wanted: int, position: ListPosition) -> dict[str, Any]:
    index, value, left = _choose(status, provider)
    month = position.month if value is None else f"{value}#{position.month}"
    condition, values = f"{index}_month = :month", {":month": {"S": month}}
    if position.before is not None:
        # A key of its own kind rather than ExclusiveStartKey: the job may have left this partition since.
        condition += " AND created_key < :before"
        values[":before"] = {"S": position.before}
    question: dict[str, Any] = {"IndexName": f"by-{index}", "Limit": wanted}
    if left:
        [(name, text)] = left.items()
        question |= {
            "FilterExpression": "#left = :left",
            "ExpressionAttributeNames": {"#left": name},
            "Limit": FILTERED_ITEMS,
        }
        values[":left"] = {"S": text}
    return {**question, "KeyConditionExpression": condition, "ExpressionAttributeValues": values}


def _choose(status: JobStatus | None, provider: str | None) -> tuple[str, str | None, Mapping[str, str]]:
    """The index, its value, and what is left to a filter: the smaller partition is read. Most jobs succeed, so that
    those of a provider are fewer; of every other status there are fewer than of a provider."""
    if status is None and provider is None:
        return "created", None, {}
    if provider is None:
        return "status", status, {}
    if status is None:
        return "provider", provider, {}
    if status is JobStatus.SUCCEEDED:
        return "provider", provider, {"status": status.value}
    return "status", status.value, {"provider": provider}


def _month_before(month: str) -> ListPosition | None:
    if month <= FIRST_MONTH:
        return None
    year, number = int(month[:4]), int(month[5:])
    return ListPosition(month=f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}")
