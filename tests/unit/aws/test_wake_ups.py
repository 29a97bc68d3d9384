"""Wake-ups of records: counted in the record, by nobody but their waker, and never a version of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.jobs_table import create_jobs_table
from tests.unit.endpoints.builders import endpoint_in
from tunedrop.aws.endpoint_store import DynamoEndpointStore
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Phase

TABLE = "jobs"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield create_jobs_table(TABLE)


@pytest.fixture(params=["JOB", "ENDPOINT"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def store(client: Any, kind: str) -> Any:
    """With one record in it."""
    if kind == "JOB":
        jobs = DynamoJobStore(client=client, table=TABLE)
        assert jobs.create(job_in(Phase.TRAINING))
        return jobs
    endpoints = DynamoEndpointStore(client=client, table=TABLE)
    assert endpoints.create(endpoint_in(EndpointStatus.STARTING))
    return endpoints


def key(kind: str) -> dict[str, Any]:
    return {"pk": {"S": f"JOB#{JOB_ID}"}, "sk": {"S": kind}}


def item(client: Any, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get_item(TableName=TABLE, Key=key(kind), ConsistentRead=True)["Item"]
    return found


def hold(client: Any, kind: str, *, seq: int, token: str) -> None:
    """What the state machine's wait does."""
    client.update_item(
        TableName=TABLE,
        Key=key(kind),
        UpdateExpression="SET wait_token = :token",
        ConditionExpression="wake_seq = :seen",
        ExpressionAttributeValues={":token": {"S": token}, ":seen": {"N": str(seq)}},
    )


def test_a_new_record_can_be_waited_on(store: Any, client: Any, kind: str) -> None:
    """A count of 0 is written too: the condition of a wait never holds on a count that is not there."""
    assert item(client, kind)["wake_seq"] == {"N": "0"}
    hold(client, kind, seq=0, token="t")


def test_a_wake_up_is_counted_and_answered_with_the_token_of_the_wait(store: Any, client: Any, kind: str) -> None:
    assert store.wake(JOB_ID, at=CREATED) is None
    hold(client, kind, seq=1, token="t")

    assert store.wake(JOB_ID, at=CREATED + timedelta(seconds=1)) == "t"
    assert store.find(JOB_ID).wake_seq == 2


def test_a_wait_that_begins_after_a_wake_up_it_did_not_see_is_over_at_once(store: Any, client: Any, kind: str) -> None:
    seen = store.find(JOB_ID).wake_seq
    store.wake(JOB_ID, at=CREATED)

    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        hold(client, kind, seq=seen, token="t")


def test_a_wake_up_is_no_version_and_no_event(store: Any, client: Any, kind: str) -> None:
    before = store.find(JOB_ID)
    items = client.scan(TableName=TABLE)["Count"]

    store.wake(JOB_ID, at=CREATED)

    assert store.find(JOB_ID) == msgspec.structs.replace(before, wake_seq=1)
    assert client.scan(TableName=TABLE)["Count"] == items


def test_a_change_never_takes_a_wake_up_back(store: Any, client: Any, kind: str) -> None:
    """Whoever read the record before the wake-up writes it after."""

    store.wake(JOB_ID, at=CREATED)

    def woken_meanwhile(record: Any) -> Any:
        store.wake(JOB_ID, at=CREATED)
        return msgspec.structs.replace(record, version=record.version + 1, last_error="x", wake_seq=0)

    store.change(JOB_ID, woken_meanwhile)

    assert store.find(JOB_ID).wake_seq == 2
    assert store.find(JOB_ID).last_error == "x"


def test_a_change_never_takes_the_token_of_a_wait_away(store: Any, client: Any, kind: str) -> None:
    hold(client, kind, seq=0, token="t")

    store.change(JOB_ID, lambda record: msgspec.structs.replace(record, version=2, last_error="x"))

    assert store.wake(JOB_ID, at=CREATED) == "t"


def test_a_record_of_before_there_were_wake_ups_can_be_waited_on_once_it_changed(
    store: Any, client: Any, kind: str
) -> None:
    client.update_item(TableName=TABLE, Key=key(kind), UpdateExpression="REMOVE wake_seq")

    store.change(JOB_ID, lambda record: msgspec.structs.replace(record, version=2, last_error="x"))

    hold(client, kind, seq=0, token="t")


def test_whoever_asks_too_often_wakes_nobody(store: Any, client: Any, kind: str) -> None:
    hold(client, kind, seq=0, token="t")
    pause = timedelta(seconds=30)

    def refresh(seconds: float) -> str | None:
        now = CREATED + timedelta(seconds=seconds)
        token: str | None = store.wake(JOB_ID, at=now, quiet_since=now - pause)
        return token

    assert refresh(0) == "t"
    assert refresh(29.999) is None
    assert refresh(30) == "t"
    assert store.find(JOB_ID).wake_seq == 2
    assert store.wake(JOB_ID, at=CREATED + timedelta(seconds=31)) == "t", "a reason of another kind always counts"


@pytest.mark.parametrize("quiet_since", [None, CREATED])
def test_what_has_no_record_cannot_be_woken(store: Any, client: Any, quiet_since: Any) -> None:
    with pytest.raises(JobNotFoundError, match="nothing"):
        store.wake("nothing", at=CREATED, quiet_since=quiet_since)
    assert client.scan(TableName=TABLE)["Count"] == 2, "the record and its event"
