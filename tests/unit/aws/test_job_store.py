"""The records in DynamoDB: conditional writes, events beside them, ends that are final."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from moto import mock_aws

from tests.builders import CREATED, DATASET, JOB_ID, REQUEST, job_in
from tests.fakes.jobs_table import create_jobs_table
from tunedrop.aws.job_items import job_of, record_of
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.errors import (
    JobNotFoundError,
    RequestInvalidError,
    StoreConflictError,
    StoreUnavailableError,
    TransitionError,
)
from tunedrop.domain.job import FINAL_STATUSES, Job, JobStatus, Outcome, Phase, Progress
from tunedrop.domain.manifest import read_manifest
from tunedrop.domain.transitions import advance, close

TABLE = "jobs"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield create_jobs_table(TABLE)


@pytest.fixture
def store(client: Any) -> DynamoJobStore:
    return DynamoJobStore(client=client, table=TABLE)


def touch(job: Job) -> Job:
    return advance(job, job.phase, at=CREATED + timedelta(seconds=job.version))


def test_a_record_comes_back_as_it_was_written(store: DynamoJobStore) -> None:
    job = job_in(Phase.TRAINING, progress=Progress(step=3, total_steps=24, training_loss=0.1234), notes=("a",))

    assert store.create(job)
    assert store.get(JOB_ID) == job


def test_what_a_job_may_cost_comes_back_as_it_was_written(store: DynamoJobStore) -> None:
    dataset = msgspec.structs.replace(
        DATASET, format="preference", estimated_tokens=12_345_678, estimated_cost_usd=37.037034
    )
    request = msgspec.structs.replace(REQUEST, format="preference", max_cost_usd=40.5)
    job = job_in(Phase.PREPARING, request=request, dataset=dataset)

    assert store.create(job)
    assert store.get(JOB_ID) == job


def test_a_record_of_before_there_were_estimates_can_be_read() -> None:
    item = record_of(job_in(Phase.TRAINING))
    for name in ("estimated_tokens", "estimated_cost_usd"):
        del item["dataset"]["M"][name]

    assert job_of(item) == job_in(Phase.TRAINING)


@given(
    limit=st.floats(1e-20, 1e10),
    values=st.dictionaries(
        st.text(max_size=5), st.floats(-1e16, 1e16) | st.floats(0, 1e-14) | st.integers(), max_size=2
    ),
)
def test_every_number_of_a_manifest_that_is_accepted_comes_back(limit: float, values: dict[str, float | int]) -> None:
    manifest = {"provider": "openai", "model": "m", "training_file": "t.jsonl", "hyperparameters": values}
    try:
        request = read_manifest(json.dumps({**manifest, "max_cost_usd": limit}).encode(), name="x.job.json")
    except RequestInvalidError:
        return

    assert job_of(record_of(job_in(Phase.RECEIVED, request=request))).request == request


def test_an_id_is_taken_once(store: DynamoJobStore) -> None:
    assert store.create(job_in(Phase.RECEIVED))
    assert not store.create(job_in(Phase.TRAINING))
    assert store.get(JOB_ID).phase is Phase.RECEIVED


def test_an_unknown_id_is_said_to_be_unknown(store: DynamoJobStore) -> None:
    with pytest.raises(JobNotFoundError, match="There is no job nothing"):
        store.get("nothing")


def test_every_write_leaves_an_event_beside_the_record(store: DynamoJobStore, client: Any) -> None:
    store.create(job_in(Phase.RECEIVED))
    store.change(JOB_ID, lambda job: advance(job, Phase.PREPARING, at=CREATED))
    store.change(JOB_ID, touch)

    items = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
        ExpressionAttributeValues={":pk": {"S": f"JOB#{JOB_ID}"}, ":event": {"S": "EVENT#"}},
    )["Items"]
    assert [(item["sk"]["S"], item["type"]["S"], item["phase"]["S"]) for item in items] == [
        ("EVENT#0000000001", "status", "received"),
        ("EVENT#0000000002", "status", "preparing"),
        ("EVENT#0000000003", "progress", "preparing"),
    ]


def test_a_change_that_changes_nothing_writes_nothing(store: DynamoJobStore) -> None:
    store.create(job_in(Phase.RECEIVED))

    assert store.change(JOB_ID, lambda job: job).version == 1


def test_a_change_that_is_refused_writes_nothing(store: DynamoJobStore) -> None:
    store.create(job_in(Phase.RECEIVED))

    with pytest.raises(TransitionError):
        store.change(JOB_ID, lambda job: advance(job, Phase.TRAINING, at=CREATED))
    assert store.get(JOB_ID) == job_in(Phase.RECEIVED)


def test_a_field_that_became_none_is_gone(store: DynamoJobStore, client: Any) -> None:
    store.create(job_in(Phase.TRAINING, last_error="trouble"))
    store.change(JOB_ID, lambda job: msgspec.structs.replace(touch(job), last_error=None))

    item = client.get_item(TableName=TABLE, Key={"pk": {"S": f"JOB#{JOB_ID}"}, "sk": {"S": "JOB"}})["Item"]
    assert "last_error" not in item


def test_attributes_that_others_keep_on_the_record_survive_a_change(store: DynamoJobStore, client: Any) -> None:
    store.create(job_in(Phase.TRAINING))
    key = {"pk": {"S": f"JOB#{JOB_ID}"}, "sk": {"S": "JOB"}}
    client.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET task_token = :token",
        ExpressionAttributeValues={":token": {"S": "t"}},
    )

    store.change(JOB_ID, touch)

    assert client.get_item(TableName=TABLE, Key=key)["Item"]["task_token"] == {"S": "t"}


def test_a_write_that_was_overtaken_is_made_again_on_what_the_other_wrote(client: Any) -> None:
    store = DynamoJobStore(client=client, table=TABLE)
    rival = DynamoJobStore(client=client, table=TABLE)
    store.create(job_in(Phase.TRAINING, notes=()))
    rivals = [rival]

    def note(word: str, job: Job) -> Job:
        return msgspec.structs.replace(touch(job), notes=(*job.notes, word))

    def overtaken(job: Job) -> Job:
        while rivals:
            rivals.pop().change(JOB_ID, lambda job: note("theirs", job))
        return note("ours", job)

    assert store.change(JOB_ID, overtaken).notes == ("theirs", "ours")
    assert store.get(JOB_ID).notes == ("theirs", "ours")


def test_a_record_that_always_changes_under_its_writer_is_given_up(client: Any) -> None:
    store = DynamoJobStore(client=client, table=TABLE)
    rival = DynamoJobStore(client=client, table=TABLE)
    store.create(job_in(Phase.TRAINING))

    def overtaken(job: Job) -> Job:
        rival.change(JOB_ID, touch)
        return touch(job)

    with pytest.raises(StoreConflictError):
        store.change(JOB_ID, overtaken)


def test_a_store_that_cannot_be_reached_is_trouble_that_may_pass() -> None:
    client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9", region_name="us-east-1")

    with pytest.raises(StoreUnavailableError, match="reading job"):
        DynamoJobStore(client=client, table=TABLE).get(JOB_ID)


class Records(RuleBasedStateMachine):
    """Whatever anybody writes in whatever order, an end stays the end that it was."""

    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        self.store = DynamoJobStore(client=create_jobs_table(TABLE), table=TABLE)
        self.end: JobStatus | None = None

    @initialize(phase=st.sampled_from([Phase.RECEIVED, Phase.SUBMITTING, Phase.TRAINING]))
    def start(self, phase: Phase) -> None:
        self.store.create(job_in(phase))

    @rule(phase=st.sampled_from([phase for phase in Phase if phase is not Phase.DONE]))
    def move(self, phase: Phase) -> None:
        try:
            self.store.change(JOB_ID, lambda job: advance(job, phase, at=CREATED))
        except TransitionError:
            return

    @rule(status=st.sampled_from(sorted(FINAL_STATUSES)))
    def finish(self, status: JobStatus) -> None:
        self.store.change(JOB_ID, lambda job: close(job, Outcome(status=status), at=datetime(2026, 11, 23, tzinfo=UTC)))

    @invariant()
    def ends_are_final(self) -> None:
        status = self.store.get(JOB_ID).status
        if self.end is not None:
            assert status is self.end
        if status in FINAL_STATUSES:
            self.end = status

    def teardown(self) -> None:
        self.mock.stop()


Records.TestCase.settings = settings(max_examples=15, stateful_step_count=10)
TestEndsAreFinal = Records.TestCase
