"""Deleting a tuned model: only when nobody needs it, and for good."""

from __future__ import annotations

import pytest

from tests.builders import JOB_ID, job_in
from tests.fakes.serving import MemoryModels
from tests.unit.endpoints.builders import MODEL, STARTED, endpoint_in, served_job
from tests.unit.endpoints.world import World
from tunedrop.domain.endpoint import ENDED_STATUSES, EndpointStatus
from tunedrop.domain.errors import ConflictError, JobNotFoundError
from tunedrop.domain.job import Job, Phase
from tunedrop.endpoints.delete_model import DeleteModel


class Deletion:
    def __init__(self, job: Job) -> None:
        self.world, self.models = World(), MemoryModels()
        self.world.jobs.jobs[JOB_ID] = job
        self.delete = DeleteModel(
            jobs=self.world.jobs,
            endpoints=self.world.endpoints,
            removals={"bedrock": self.models},
            clock=self.world.clock,
        )

    def refused(self) -> str:
        with pytest.raises(ConflictError) as caught:
            self.delete(JOB_ID)
        assert self.world.jobs.get(JOB_ID).model_deleted_at is None
        return caught.value.code


def test_a_model_without_an_endpoint_is_deleted_once() -> None:
    deletion = Deletion(served_job())

    for _ in range(2):
        job = deletion.delete(JOB_ID)
    assert job.model_deleted_at == STARTED
    assert (job.status, job.version) == ("succeeded", served_job().version + 1)
    assert deletion.models.deleted == [MODEL]


@pytest.mark.parametrize("status", EndpointStatus)
def test_a_model_is_deleted_when_its_endpoint_has_ended_and_not_before(status: EndpointStatus) -> None:
    deletion = Deletion(served_job())
    deletion.world.put(endpoint_in(status))

    if status in ENDED_STATUSES:
        assert deletion.delete(JOB_ID).model_deleted_at == STARTED
    else:
        assert deletion.refused() == "endpoint_not_stopped"
        assert deletion.models.deleted == []


def test_a_model_that_others_have_deployed_is_kept() -> None:
    deletion = Deletion(served_job())
    deletion.models.deployed.add(MODEL)

    assert deletion.refused() == "model_deployed"


@pytest.mark.parametrize("provider", ["openai", "databricks"])
def test_where_storing_it_costs_nothing_it_is_left_to_its_owner(provider: str) -> None:
    assert Deletion(served_job(provider)).refused() == "model_not_deletable"


def test_a_job_without_a_model_has_none_to_delete() -> None:
    assert Deletion(job_in(Phase.TRAINING, provider="bedrock")).refused() == "job_not_finished"
    with pytest.raises(JobNotFoundError):
        Deletion(served_job()).delete("nothing")


def test_a_deletion_that_was_cut_off_is_finished_by_the_next_one() -> None:
    """The provider deleted it, and the record does not say so yet."""
    deletion = Deletion(served_job())
    deletion.models.delete(MODEL)

    assert deletion.delete(JOB_ID).model_deleted_at == STARTED
