"""The index of the jobs by their provider's id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.jobs_table import create_jobs_table
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.aws.provider_job_index import ProviderJobIndex
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import Phase
from tunedrop.domain.transitions import advance

TABLE = "jobs"
OTHER_JOB = "b" * 26


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield create_jobs_table(TABLE)


def test_a_job_is_found_as_soon_as_it_has_its_providers_id(client: Any) -> None:
    store, index = DynamoJobStore(client=client, table=TABLE), ProviderJobIndex(client=client, table=TABLE)
    store.create(job_in(Phase.SUBMITTING))
    store.create(job_in(Phase.TRAINING, job_id=OTHER_JOB, provider_job_id="ftjob-2"))

    assert index.job_ids("ftjob-1") == []
    store.change(JOB_ID, lambda job: advance(job, Phase.QUEUED, at=CREATED, provider_job_id="ftjob-1"))

    assert index.job_ids("ftjob-1") == [JOB_ID]
    assert index.job_ids("ftjob-2") == [OTHER_JOB]
    assert index.job_ids("ftjob") == []


def test_two_hosts_may_give_the_same_id(client: Any) -> None:
    store = DynamoJobStore(client=client, table=TABLE)
    for job_id in (JOB_ID, OTHER_JOB):
        store.create(job_in(Phase.TRAINING, job_id=job_id, provider_job_id="ftjob-1"))

    assert sorted(ProviderJobIndex(client=client, table=TABLE).job_ids("ftjob-1")) == [JOB_ID, OTHER_JOB]


def test_a_table_that_does_not_answer_is_asked_again() -> None:
    class Down:
        def query(self, **_: Any) -> None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    with pytest.raises(StoreUnavailableError, match="the job ftjob-1 of a provider"):
        ProviderJobIndex(client=Down(), table=TABLE).job_ids("ftjob-1")
