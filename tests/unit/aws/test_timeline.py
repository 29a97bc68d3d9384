"""The events of a job and its endpoint, oldest first, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.jobs_table import create_jobs_table
from tunedrop.aws import endpoint_items, job_items
from tunedrop.aws.timeline import DynamoTimeline
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.errors import JobNotFoundError, RequestInvalidError, StoreUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Phase, Progress
from tunedrop.domain.list_ports import TimelineEvent

TABLE = "jobs"


class Bench:
    """A job's events, put there as the stores write them: beside its record and its endpoint's."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.timeline = DynamoTimeline(client=client, table=TABLE)
        self.put({**job_items.record_key(JOB_ID), **job_items.record_of(job_in(Phase.TRAINING))})
        endpoint = endpoint_at(1, seconds=0)
        self.put({**endpoint_items.record_key(JOB_ID), **endpoint_items.record_of(endpoint)})

    def put(self, item: dict[str, Any]) -> None:
        self.client.put_item(TableName=TABLE, Item=item)

    def job_event(self, version: int, *, seconds: int, job_id: str = JOB_ID, **changes: Any) -> None:
        job = job_at(version, seconds=seconds, job_id=job_id, **changes)
        self.put(job_items.event_of(job_at(version - 1, seconds=0), job))

    def endpoint_event(self, version: int, *, seconds: int) -> None:
        self.put(endpoint_items.event_of(None, endpoint_at(version, seconds=seconds)))

    def pages(self, limit: int) -> list[list[TimelineEvent]]:
        pages, after = [], None
        for _ in range(20):
            page = self.timeline.page(JOB_ID, limit=limit, after=after)
            pages.append(list(page.events))
            if page.next is None:
                return pages
            assert len(page.events) == limit
            after = page.next
        raise AssertionError("the timeline has no end")


def job_at(version: int, *, seconds: int, **changes: Any) -> Job:
    return job_in(Phase.TRAINING, version=version, updated_at=CREATED + timedelta(seconds=seconds), **changes)


def endpoint_at(version: int, *, seconds: int) -> Endpoint:
    at = CREATED + timedelta(seconds=seconds)
    return Endpoint(
        job_id=JOB_ID,
        provider="bedrock",
        status=EndpointStatus.READY,
        version=version,
        generation=2,
        kind="provisioned",
        created_at=CREATED,
        updated_at=at,
        expires_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


def versions(events: list[TimelineEvent]) -> list[str]:
    return [f"{'endpoint' if event.endpoint_status else 'job'} {event.version}" for event in events]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with mock_aws():
        yield Bench(create_jobs_table(TABLE))


def test_an_event_says_what_its_write_said(bench: Bench) -> None:
    progress = Progress(step=3, total_steps=24, training_loss=0.25)
    error = JobError(code="x", message="y")
    bench.job_event(4, seconds=5, progress=progress, provider_status="running", last_error="slow", error=error)
    bench.endpoint_event(1, seconds=6)

    first, second = bench.timeline.page(JOB_ID, limit=10, after=None).events

    assert first == TimelineEvent(
        type="progress",
        version=4,
        at=CREATED + timedelta(seconds=5),
        status=JobStatus.RUNNING,
        phase=Phase.TRAINING,
        progress=progress,
        provider_status="running",
        last_error="slow",
        error=error,
    )
    assert second == TimelineEvent(
        type="endpoint",
        version=1,
        at=CREATED + timedelta(seconds=6),
        endpoint_status=EndpointStatus.READY,
        generation=2,
        expires_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_the_job_and_its_endpoint_are_told_in_the_order_of_time(bench: Bench, limit: int) -> None:
    for version, seconds in [(1, 0), (2, 10), (9, 20), (10, 30), (11, 60)]:
        bench.job_event(version, seconds=seconds)
    for version, seconds in [(1, 30), (2, 40), (3, 50)]:
        bench.endpoint_event(version, seconds=seconds)

    pages = bench.pages(limit)

    told = [event for page in pages for event in page]
    assert versions(told) == [
        *("job 1", "job 2", "job 9", "job 10"),
        *("endpoint 1", "endpoint 2", "endpoint 3", "job 11"),
    ]
    assert len(pages) == -(-8 // limit)


def test_events_that_come_between_two_pages_are_told_once(bench: Bench) -> None:
    for version in range(1, 5):
        bench.job_event(version, seconds=version)
    first = bench.timeline.page(JOB_ID, limit=3, after=None)
    bench.job_event(5, seconds=5)
    bench.endpoint_event(1, seconds=6)

    second = bench.timeline.page(JOB_ID, limit=10, after=first.next)

    assert versions([*first.events, *second.events]) == [*(f"job {n}" for n in range(1, 6)), "endpoint 1"]
    assert second.next is None


def test_more_events_than_one_query_answers_with_are_told_in_their_order(bench: Bench) -> None:
    long = Progress(message="x" * 20_000)
    for version in range(1, 101):
        bench.job_event(version, seconds=version, progress=long)
    pages = bench.pages(80)  # more than the megabyte that one query answers with
    assert [event.version for page in pages for event in page] == list(range(1, 101))


def test_another_jobs_events_are_not_told(bench: Bench) -> None:
    bench.job_event(1, seconds=0)
    bench.job_event(2, seconds=1, job_id="b" * 26)
    assert versions(list(bench.timeline.page(JOB_ID, limit=10, after=None).events)) == ["job 1"]


def test_an_unknown_job_has_no_timeline(bench: Bench) -> None:
    with pytest.raises(JobNotFoundError, match="There is no job b"):
        bench.timeline.page("b" * 26, limit=10, after=None)


def test_behind_the_last_event_is_an_empty_page(bench: Bench) -> None:
    bench.job_event(1, seconds=0)
    page = bench.timeline.page(JOB_ID, limit=10, after="1.0")
    assert (page.events, page.next) == ((), None)


@pytest.mark.parametrize("after", ["", "1", "x.y", "1.0.0", "-1.0", "1.0\n", "٣.0", "99999999999.0"])
def test_a_position_that_is_none_is_refused(bench: Bench, after: str) -> None:
    with pytest.raises(RequestInvalidError, match="no position in a timeline"):
        bench.timeline.page(JOB_ID, limit=10, after=after)


def test_the_largest_position_is_an_empty_page(bench: Bench) -> None:
    page = bench.timeline.page(JOB_ID, limit=10, after="9999999999.9999999999")
    assert (page.events, page.next) == ((), None)


def test_events_hold_what_a_later_version_adds(bench: Bench) -> None:
    bench.job_event(1, seconds=0)
    item = job_items.event_of(None, job_at(2, seconds=1))
    bench.put({**item, "of_the_future": {"S": "x"}})
    assert len(bench.timeline.page(JOB_ID, limit=10, after=None).events) == 2


def test_a_table_that_throttles_is_trouble_that_may_pass() -> None:
    class Throttling:
        def get_paginator(self, _: str) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Query")

    with pytest.raises(StoreUnavailableError, match=f"reading the events of job {JOB_ID}"):
        DynamoTimeline(client=Throttling(), table=TABLE).page(JOB_ID, limit=1, after=None)


def test_the_events_answer_as_json(bench: Bench) -> None:
    bench.job_event(1, seconds=0)
    page = bench.timeline.page(JOB_ID, limit=10, after=None)
    assert msgspec.to_builtins(page)["events"][0]["at"] == "2026-11-22T09:00:00Z"
