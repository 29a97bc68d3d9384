"""The endpoints' records in DynamoDB, beside their jobs'."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from tests.builders import JOB_ID, job_in
from tests.fakes.jobs_table import create_jobs_table
from tests.unit.endpoints.builders import CALL, STARTED, endpoint_in
from tunedrop.aws.endpoint_store import DynamoEndpointStore
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.endpoint_transitions import move
from tunedrop.domain.errors import JobNotFoundError, StoreConflictError, TransitionError
from tunedrop.domain.job import JobError, Phase

TABLE = "jobs"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield create_jobs_table(TABLE)


@pytest.fixture
def store(client: Any) -> DynamoEndpointStore:
    return DynamoEndpointStore(client=client, table=TABLE)


def touch(endpoint: Endpoint) -> Endpoint:
    return move(endpoint, endpoint.status, at=STARTED + timedelta(seconds=endpoint.version))


def test_a_record_comes_back_as_it_was_written(store: DynamoEndpointStore) -> None:
    endpoint = endpoint_in(
        EndpointStatus.READY,
        kind="provisioned",
        model_units=2,
        ttl_hours=1.5,
        expires_at=STARTED + timedelta(hours=1.5),
        hourly_cost_usd=0.0,
        error=JobError(code="endpoint_failed", message="no", provider_code="Failed"),
    )

    assert store.create(endpoint)
    assert store.find(JOB_ID) == endpoint
    assert endpoint.call == CALL


def test_a_job_without_one_has_none(store: DynamoEndpointStore) -> None:
    assert store.find(JOB_ID) is None
    with pytest.raises(JobNotFoundError, match=f"There is no endpoint of job {JOB_ID}"):
        store.change(JOB_ID, touch)


def test_a_job_has_one_endpoint_whatever_its_own_record_says(store: DynamoEndpointStore, client: Any) -> None:
    DynamoJobStore(client=client, table=TABLE).create(job_in(Phase.TRAINING))

    assert store.create(endpoint_in(EndpointStatus.STARTING))
    assert not store.create(endpoint_in(EndpointStatus.READY))
    found = store.find(JOB_ID)
    assert found is not None
    assert found.status is EndpointStatus.STARTING


def test_every_write_leaves_an_event_of_its_own(store: DynamoEndpointStore, client: Any) -> None:
    DynamoJobStore(client=client, table=TABLE).create(job_in(Phase.TRAINING))
    store.create(endpoint_in(EndpointStatus.STARTING))
    store.change(JOB_ID, lambda each: move(each, EndpointStatus.READY, at=STARTED, call=CALL))
    store.change(JOB_ID, touch)

    items = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
        ExpressionAttributeValues={":pk": {"S": f"JOB#{JOB_ID}"}, ":event": {"S": "EVENT#ENDPOINT#"}},
    )["Items"]
    assert [(item["sk"]["S"], item["type"]["S"], item["endpoint_status"]["S"]) for item in items] == [
        ("EVENT#ENDPOINT#0000000001", "endpoint", "starting"),
        ("EVENT#ENDPOINT#0000000002", "endpoint", "ready"),
        ("EVENT#ENDPOINT#0000000003", "endpoint_progress", "ready"),
    ]


def test_no_list_of_jobs_finds_an_endpoint(store: DynamoEndpointStore, client: Any) -> None:
    jobs = DynamoJobStore(client=client, table=TABLE)
    jobs.create(job_in(Phase.TRAINING))
    jobs.change(JOB_ID, lambda job: msgspec.structs.replace(job, version=job.version + 1, last_error="x"))
    store.create(endpoint_in(EndpointStatus.READY))
    store.change(JOB_ID, touch)

    for index in ("by-created", "by-status", "by-provider", "by-provider-job"):
        found = client.scan(TableName=TABLE, IndexName=index)["Items"]
        assert [each["sk"]["S"] for each in found] == ["JOB"], index


def test_a_write_that_was_overtaken_is_made_again_on_what_the_other_wrote(store: DynamoEndpointStore) -> None:
    store.create(endpoint_in(EndpointStatus.STARTING))
    rivals = ["theirs"]

    def overtaken(endpoint: Endpoint) -> Endpoint:
        while rivals:
            rivals.pop()
            store.change(JOB_ID, lambda each: move(each, each.status, at=STARTED, provider_status="theirs"))
        return move(endpoint, endpoint.status, at=STARTED, last_error="ours")

    after = store.change(JOB_ID, overtaken)

    assert (after.provider_status, after.last_error, after.version) == ("theirs", "ours", 3)
    assert store.find(JOB_ID) == after


def test_a_record_that_always_changes_under_its_writer_is_given_up(store: DynamoEndpointStore) -> None:
    store.create(endpoint_in(EndpointStatus.STARTING))

    def overtaken(endpoint: Endpoint) -> Endpoint:
        store.change(JOB_ID, touch)
        return touch(endpoint)

    with pytest.raises(StoreConflictError, match=f"endpoint of job {JOB_ID}"):
        store.change(JOB_ID, overtaken)


def test_a_change_that_is_refused_writes_nothing(store: DynamoEndpointStore) -> None:
    stopped = endpoint_in(EndpointStatus.STOPPED)
    store.create(stopped)

    with pytest.raises(TransitionError):
        store.change(JOB_ID, touch)
    assert store.find(JOB_ID) == stopped
