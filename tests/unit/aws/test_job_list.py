"""Lists of jobs, newest first: every job once, whatever is created between two pages, and never a scan."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.builders import job_in
from tests.fakes.clock import FakeClock
from tests.fakes.jobs_table import create_jobs_table
from tunedrop.aws.job_items import record_key, record_of
from tunedrop.aws.job_list import MAX_QUERIES, DynamoJobList
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import Job, JobStatus, Phase, job_id_from
from tunedrop.domain.list_ports import ListPage, ListPosition

NOW = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
STATUSES = [*[JobStatus.SUCCEEDED] * 7, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.RUNNING]
PROVIDERS = ["openai", "bedrock", "databricks"]


class Counting:
    """A DynamoDB client of which only queries are asked; `queries` counts them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.queries = 0
        self.looked_at = 0

    def query(self, **question: Any) -> Any:
        self.queries += 1
        answer = self._client.query(**question)
        self.looked_at += answer["ScannedCount"]
        return answer


class Bench:
    def __init__(self, table: str, now: datetime = NOW) -> None:
        self.table = table
        self.client = boto3.client("dynamodb")
        self.asked = Counting(self.client)
        self.clock = FakeClock(now)
        self.list = DynamoJobList(client=self.asked, table=table, clock=self.clock)
        self.jobs: list[Job] = []

    def put(self, *jobs: Job) -> None:
        self.jobs += jobs
        puts = [{"PutRequest": {"Item": {**record_key(job.job_id), **record_of(job)}}} for job in jobs]
        for start in range(0, len(puts), 25):
            self.client.batch_write_item(RequestItems={self.table: puts[start : start + 25]})

    def page(self, limit: int = 50, after: ListPosition | None = None, **filters: Any) -> ListPage:
        chosen: dict[str, Any] = {"status": None, "provider": None, **filters}
        page = self.list.page(limit=limit, after=after, **chosen)
        assert len(page.jobs) <= limit
        return page

    def every_page(self, limit: int = 50, between: Callable[[], None] = lambda: None, **filters: Any) -> list[Job]:
        told, after = list[Job](), None
        for _ in range(40):
            page = self.page(limit, after, **filters)
            told += page.jobs
            if page.next is None:
                return told
            after = page.next
            between()
        raise AssertionError("the list has no end")

    def expected(self, **filters: Any) -> list[Job]:
        jobs = [job for job in self.jobs if all(getattr(job, name) == value for name, value in filters.items())]
        return sorted(jobs, key=lambda job: (job.created_at, job.job_id), reverse=True)


def job(number: int, created_at: datetime, **changes: Any) -> Job:
    at = created_at.replace(microsecond=created_at.microsecond // 1000 * 1000)
    slim = {"source": None, "request": None, "base_model": None}  # moto copies every record for every query
    return job_in(Phase.RECEIVED, job_id=job_id_from(str(number)), created_at=at, **slim, **changes)


def some_jobs(wanted: int, seed: int = 7) -> list[Job]:
    """Over four months and a bit, some in the same millisecond; none in January."""
    chance = random.Random(seed)
    span = (NOW - BEGINNING).total_seconds()
    jobs = list[Job]()
    while len(jobs) < wanted:
        at = BEGINNING + timedelta(seconds=chance.choice([chance.uniform(0, span), 3600.0]))
        if at.month == 1:
            continue
        status, provider = chance.choice(STATUSES), chance.choice(PROVIDERS)
        jobs.append(job(len(jobs), at, status=status, provider=provider))
    return jobs


@pytest.fixture(scope="module")
def new_table() -> Iterator[Callable[[], str]]:
    """Makes tables, and gives their names; they share one mock, which a second one would empty."""
    numbers = count()

    def create() -> str:
        name = f"jobs-{next(numbers)}"
        create_jobs_table(name)
        return name

    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield create


@pytest.fixture(scope="module")
def full(new_table: Callable[[], str]) -> Bench:
    """Some thousand jobs; to be read only."""
    bench = Bench(new_table())
    bench.put(*some_jobs(1_500))
    return bench


@pytest.fixture
def bench(new_table: Callable[[], str]) -> Bench:
    return Bench(new_table())


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"provider": "bedrock"},
        {"status": JobStatus.FAILED},
        {"status": JobStatus.SUCCEEDED, "provider": "openai"},
        {"status": JobStatus.CANCELLED, "provider": "databricks"},
    ],
    ids=str,
)
def test_every_job_is_told_once_newest_first(full: Bench, filters: dict[str, Any]) -> None:
    told = full.every_page(100 if len(filters) == 2 else 500, **filters)
    assert [job.job_id for job in told] == [job.job_id for job in full.expected(**filters)]


def test_a_page_holds_the_records_as_they_are(full: Bench) -> None:
    assert full.page(3).jobs == tuple(full.expected()[:3])


@pytest.mark.parametrize("filters", [{}, {"provider": "bedrock"}, {"status": JobStatus.SUCCEEDED}], ids=str)
def test_a_page_within_a_month_is_one_query_that_reads_what_it_shows(full: Bench, filters: dict[str, Any]) -> None:
    full.asked.queries = full.asked.looked_at = 0
    assert len(full.page(20, **filters).jobs) == 20
    assert (full.asked.queries, full.asked.looked_at) == (1, 20)


def test_with_both_filters_the_smaller_index_is_read(full: Bench) -> None:
    for status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        full.asked.queries = full.asked.looked_at = 0
        page = full.page(1_000, ListPosition(month="2026-12"), status=status, provider="openai")
        months = [job for job in full.jobs if job.created_at.year == 2026]
        of_status = sum(job.status is status for job in months)
        of_provider = sum(job.provider == "openai" for job in months)
        assert page.next is None
        assert full.asked.looked_at == min(of_status, of_provider)


def test_a_page_over_several_months_is_a_query_a_month(full: Bench) -> None:
    full.asked.queries = 0
    page = full.page(100, status=JobStatus.PENDING)
    assert (page.jobs, page.next) == ((), None)
    assert full.asked.queries == 5  # November to March


def test_jobs_that_are_created_between_pages_move_nothing(bench: Bench) -> None:
    bench.put(*some_jobs(120))
    before = bench.expected()
    numbers = iter(range(1_000, 2_000))

    def another() -> None:
        bench.clock.advance(seconds=1)
        bench.put(job(next(numbers), bench.clock.now()))

    assert bench.every_page(7, between=another) == before
    assert len(bench.jobs) > 130


def test_a_job_whose_status_changes_between_pages_takes_no_other_along(bench: Bench) -> None:
    bench.put(*(job(n, NOW - timedelta(minutes=n), status=JobStatus.RUNNING) for n in range(30)))
    first = bench.page(10, status=JobStatus.RUNNING)
    last = msgspec.structs.replace(first.jobs[-1], status=JobStatus.SUCCEEDED)
    bench.put(last)

    rest = bench.page(100, first.next, status=JobStatus.RUNNING)

    assert len(rest.jobs) == 20
    assert not {job.job_id for job in first.jobs} & {job.job_id for job in rest.jobs}


def test_jobs_of_one_millisecond_are_told_apart(bench: Bench) -> None:
    bench.put(*(job(n, NOW) for n in range(20)))
    assert bench.every_page(3) == bench.expected()


@pytest.mark.parametrize("limit", [1, 4, 5, 6])
def test_the_end_of_a_month_is_no_end_of_the_list(bench: Bench, limit: int) -> None:
    bench.put(*(job(n, datetime(2027, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC)) for n in range(5)))
    bench.put(*(job(n, datetime(2027, 3, 1, tzinfo=UTC)) for n in range(10, 15)))
    assert bench.every_page(limit) == bench.expected()


def test_an_empty_list_ends_at_the_first_month_there_was(bench: Bench) -> None:
    page = bench.page()
    assert (page.jobs, page.next) == ((), None)
    assert bench.asked.queries == 5


def test_years_without_a_job_are_passed_in_bounded_steps(new_table: Callable[[], str]) -> None:
    bench = Bench(new_table(), datetime(2029, 6, 15, tzinfo=UTC))
    bench.put(job(1, datetime(2026, 11, 22, tzinfo=UTC)))

    first = bench.page()

    assert (first.jobs, bench.asked.queries) == ((), MAX_QUERIES)
    assert first.next == ListPosition(month="2028-06")
    assert bench.every_page() == bench.jobs


def test_a_filter_that_leaves_much_out_is_bounded_too(full: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunedrop.aws.job_list.FILTERED_ITEMS", 10)
    full.asked.queries = full.asked.looked_at = 0

    filters: dict[str, Any] = {"status": JobStatus.FAILED, "provider": "openai"}
    page = full.page(100, **filters)

    assert full.asked.queries == MAX_QUERIES
    assert full.asked.looked_at <= 10 * MAX_QUERIES
    assert 0 < len(page.jobs) < 100
    assert page.next is not None
    rest = full.page(1, page.next, **filters)
    assert [*page.jobs, *rest.jobs] == full.expected(**filters)[: len(page.jobs) + 1]


def test_a_job_of_a_clock_that_is_ahead_is_told_where_the_month_changes(new_table: Callable[[], str]) -> None:
    bench = Bench(new_table(), datetime(2027, 3, 31, 23, 59, 58, tzinfo=UTC))
    bench.put(job(1, datetime(2027, 4, 1, tzinfo=UTC)))
    assert bench.page().jobs == tuple(bench.jobs)


@pytest.mark.parametrize(
    "position",
    [b'{"month": "2026-13"}', b'{"month": "26-11"}', b'{"month": "2026-11 "}', b'{"before": "x"}', b'{"month": 7}'],
)
def test_a_position_that_somebody_made_up_is_refused_when_it_is_read(position: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(position, type=ListPosition)


def test_a_table_that_throttles_is_trouble_that_may_pass() -> None:
    class Throttling:
        def query(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Query")

    with pytest.raises(StoreUnavailableError, match="listing jobs"):
        DynamoJobList(client=Throttling(), table="jobs", clock=FakeClock(NOW)).page(
            status=None, provider=None, limit=1, after=None
        )
