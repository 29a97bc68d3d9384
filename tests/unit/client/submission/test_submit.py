"""A job from the guide's kwargs, as they stand: what the stack is told, and what lies where afterwards."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.account import INBOX, READABLE, ROWS
from tests.unit.client.submission.conftest import URL, Stack
from tests.unit.client.submission.kwargs_of_the_guide import BEDROCK, DATABRICKS, KWARGS, MODELS, OPENAI
from tunedrop.client.errors import SubmissionInDoubtError, TunedropError
from tunedrop.client.tunedrop import Tunedrop


class TrainDataFormat(str, Enum):  # noqa: UP042 - as DSPy's is
    CHAT = "chat"
    COMPLETION = "completion"


def lines(rows: list[Any]) -> list[Any]:
    return [json.loads(json.dumps(row)) for row in rows]


def read_lines(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def test_openais_kwargs_and_rows_go_to_the_inbox(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    job = tunedrop.finetune(
        model=MODELS["openai"], train_data=rows, train_data_format=TrainDataFormat.CHAT, train_kwargs=OPENAI
    )
    request = stack.request(job)
    assert (request.provider, request.model) == ("openai", "gpt-4o-mini-2024-07-18")
    assert request.hyperparameters == {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 1.0}
    assert (request.format, request.start_endpoint) == ("chat", True)
    ((key, content),) = stack.objects(INBOX).items()
    assert key == f"uploads/{job.job_id}/train_data.jsonl"
    assert request.training_file == f"s3://{INBOX}/{key}"
    assert read_lines(content) == lines(rows)


def test_bedrocks_file_is_put_where_s3_path_says_and_read_there(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any]
) -> None:
    job = tunedrop.finetune(model=MODELS["bedrock"], train_data=rows, train_kwargs=BEDROCK)
    request = stack.request(job)
    ((key, content),) = stack.objects(READABLE).items()
    assert key.startswith("fine-tuning-data/train_data-")
    assert key.endswith(".jsonl")
    assert request.training_file == f"s3://{READABLE}/{key}"
    assert read_lines(content) == lines(rows)
    assert request.job_name == "my-finetune-job"
    assert request.start_endpoint is True
    assert request.hyperparameters == {"epochCount": 3, "batchSize": 4, "learningRate": 1e-5}
    assert not stack.objects(INBOX)
    assert job.record.phase == "received"


def test_databricks_kwargs_travel_but_the_token(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    job = tunedrop.finetune(model=MODELS["databricks"], train_data=rows, train_kwargs=DATABRICKS)
    (body,) = stack.bodies()
    assert body == {
        "provider": "databricks",
        "model": "meta-llama/Llama-3.2-3B-Instruct",
        "training_file": "train_data.jsonl",
        "upload": True,
        "hyperparameters": {},
        "train_data_path": "/Volumes/catalog/schema/volume/path",
        "register_to": "catalog.schema.model_name",
        "task_type": "CHAT_COMPLETION",
        "credentials": "your-workspace-cloud-databricks-com",
        "start_endpoint": True,
    }
    assert stack.request(job).register_to == "catalog.schema.model_name"
    assert list(stack.objects(INBOX)) == [f"uploads/{job.job_id}/train_data.jsonl"]


@pytest.mark.parametrize("provider", KWARGS)
def test_one_dict_makes_two_jobs_and_stays_as_it_is(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], provider: str
) -> None:
    given = copy.deepcopy(KWARGS[provider])
    given_rows = copy.deepcopy(rows)
    jobs = [tunedrop.finetune(model=MODELS[provider], train_data=rows, train_kwargs=given) for _ in range(2)]
    assert given == KWARGS[provider]
    assert rows == given_rows
    assert len({job.job_id for job in jobs}) == len(stack.account.job_records()) == 2
    first, second = (stack.request(job) for job in jobs)
    assert first.hyperparameters == second.hyperparameters


def test_two_jobs_with_other_rows_do_not_share_a_file_in_one_folder(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any]
) -> None:
    jobs = [tunedrop.finetune(model="nova-lite", train_data=part, train_kwargs=BEDROCK) for part in (rows, rows[:9])]
    files = [stack.request(job).training_file for job in jobs]
    counts = [len(read_lines(content)) for _, content in sorted(stack.objects(READABLE).items())]
    assert len(set(files)) == 2
    assert sorted(counts) == [9, 12]


def test_s3_path_may_name_the_file(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    given = {"s3_path": "s3://datasets/a/mine.jsonl"}
    stack.account.put("s3://datasets/a/mine.jsonl", b"what was there before, and would be refused\n")
    job = tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs=given, validation_data=rows[:8])
    request = stack.request(job)
    assert request.training_file == "s3://datasets/a/mine.jsonl"
    assert read_lines(stack.objects(READABLE)["a/mine.jsonl"]) == lines(rows)
    assert request.validation_file is not None
    assert request.validation_file.startswith("s3://datasets/a/validation_data-")
    assert len(stack.objects(READABLE)) == 2


def test_completions_are_taken(stack: Stack, tunedrop: Tunedrop) -> None:
    rows = [{"prompt": f"What is {n} + {n}?", "completion": f"It is {2 * n}."} for n in range(12)]
    job = tunedrop.finetune(model="nova-lite", train_data=rows, train_data_format=TrainDataFormat.COMPLETION)
    assert stack.request(job).format == "completion"


def test_a_file_goes_up_as_it_is_under_a_name_that_is_allowed(stack: Stack, tunedrop: Tunedrop, tmp_path: Path) -> None:
    file = tmp_path / "my chats (final)+ü.json"
    file.write_bytes(ROWS)
    job = tunedrop.finetune(model="nova-lite", train_data=file)
    assert stack.objects(INBOX) == {f"uploads/{job.job_id}/my chats -final-ü.jsonl": ROWS}


def test_a_compressed_file_stays_compressed(stack: Stack, tunedrop: Tunedrop, tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"  # whose name does not tell
    file.write_bytes(gzip.compress(ROWS))
    job = tunedrop.finetune(model="nova-lite", train_data=str(file), train_kwargs={"s3_path": "s3://datasets/z"})
    ((key, content),) = stack.objects(READABLE).items()
    assert key.endswith(".jsonl.gz")
    assert content == file.read_bytes()
    assert stack.request(job).training_file == f"s3://datasets/{key}"


def test_both_files_are_uploaded_though_they_have_the_same_name(
    stack: Stack, tunedrop: Tunedrop, tmp_path: Path, rows_file: Path
) -> None:
    other = tmp_path / "held out" / rows_file.name
    other.parent.mkdir()
    other.write_bytes(ROWS)
    job = tunedrop.finetune(model="nova-lite", train_data=rows_file, train_kwargs={"validation_file": other})
    own = f"uploads/{job.job_id}"
    assert stack.objects(INBOX) == {
        f"{own}/train.jsonl": rows_file.read_bytes(),
        f"{own}/validation-train.jsonl": ROWS,
    }


def test_a_file_in_s3_is_not_uploaded(stack: Stack, tunedrop: Tunedrop) -> None:
    stack.account.put("s3://datasets/there.jsonl")
    job = tunedrop.finetune(model="nova-lite", train_data="s3://datasets/there.jsonl")
    assert stack.request(job).training_file == "s3://datasets/there.jsonl"
    assert list(stack.objects(READABLE)) == ["there.jsonl"]
    assert not stack.objects(INBOX)


def test_a_file_in_s3_may_be_validated_with_one_that_is_here(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    stack.account.put("s3://datasets/there.jsonl")
    job = tunedrop.finetune(model="nova-lite", train_data="s3://datasets/there.jsonl", validation_data=rows)
    request = stack.request(job)
    assert request.training_file == "s3://datasets/there.jsonl"
    assert request.validation_file == f"s3://{INBOX}/uploads/{job.job_id}/validation_data.jsonl"
    assert len(stack.objects(INBOX)) == 1


def test_skip_deploy_is_told_and_nothing_else(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    given = {**DATABRICKS, "skip_deploy": True}
    job = tunedrop.finetune(model=MODELS["databricks"], train_data=rows, train_kwargs=given)
    request = stack.request(job)
    assert (request.start_endpoint, request.skip_deploy) == (None, True)


def test_an_endpoint_is_asked_for_as_it_is_to_be(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> None:
    given = {"endpoint": {"kind": "provisioned", "model_units": 1, "ttl_hours": 2}}
    request = stack.request(tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs=given))
    assert request.endpoint is not None
    assert (request.endpoint.kind, request.endpoint.ttl_hours) == ("provisioned", 2)


class Broken(httpx.BaseTransport):
    """Loses the answers to the first requests that create a job; what they ask for is done."""

    def __init__(self, stack: Stack, *, losses: int) -> None:
        self._stack = httpx.WSGITransport(app=stack.gateway)
        self._left = losses
        self.keys: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._stack.handle_request(request)
        if request.method == "POST" and not request.url.query:
            self.keys.append(request.headers["Idempotency-Key"])
            if self._left:
                self._left -= 1
                raise httpx.ReadError("the connection was closed", request=request)
        return answer


def test_a_request_whose_answer_was_lost_is_repeated_and_makes_one_job(stack: Stack, rows: list[Any]) -> None:
    transport = Broken(stack, losses=1)
    with Tunedrop(URL, transport=transport) as tunedrop:
        job = tunedrop.finetune(model="nova-lite", train_data=rows)
        tunedrop.finetune(model="nova-lite", train_data=rows)
    first, again, other = transport.keys
    assert first == again != other
    assert len(stack.account.job_records()) == 2
    assert f"uploads/{job.job_id}/train_data.jsonl" in stack.objects(INBOX)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunedrop.client.repeating.FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr("tunedrop.client.repeating.STILL_AT_WORK_SECONDS", 0)


@pytest.mark.usefixtures("no_pauses")
def test_a_network_that_stays_away_is_said_with_the_id_of_the_job_that_was_made_all_the_same(
    stack: Stack, rows: list[Any]
) -> None:
    transport = Broken(stack, losses=99)
    with Tunedrop(URL, transport=transport) as tunedrop, pytest.raises(SubmissionInDoubtError) as raised:
        tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs=BEDROCK)
    assert len(set(transport.keys)) == 1
    assert len(transport.keys) > 1
    [job_id] = [record["job_id"]["S"] for record in stack.account.job_records()]
    assert raised.value.job_id == job_id
    assert f"`tunedrop show {job_id}` before you submit it again" in str(raised.value)


class Answering(httpx.BaseTransport):
    """The stack, but for requests that create a job: they get this answer."""

    def __init__(self, stack: Stack, answer: Callable[[], httpx.Response]) -> None:
        self._stack = httpx.WSGITransport(app=stack.gateway)
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        creates = request.method == "POST" and not request.url.query
        return self._answer() if creates else self._stack.handle_request(request)


def problem(status: int, code: str) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, json={"status": status, "code": code, "detail": code}, headers=headers)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("status", "code", "doubt"),
    [
        (504, "timed_out", True),
        (500, "internal_error", True),
        (409, "idempotency_in_progress", True),
        (429, "throttled", False),
        (409, "job_ended", False),
        (422, "request_invalid", False),
    ],
)
def test_what_may_have_made_a_job_is_told_from_what_did_not(
    status: int, code: str, doubt: bool, stack: Stack, rows: list[Any]
) -> None:
    transport = Answering(stack, lambda: problem(status, code))
    with Tunedrop(URL, transport=transport) as tunedrop, pytest.raises(TunedropError, match=code) as raised:
        tunedrop.finetune(model="nova-lite", train_data=rows)
    assert isinstance(raised.value, SubmissionInDoubtError) is doubt


@pytest.mark.usefixtures("no_pauses")
def test_a_refusal_after_a_lost_answer_leaves_it_in_doubt(stack: Stack, rows: list[Any]) -> None:
    lost = iter([True])

    def answer() -> httpx.Response:
        if next(lost, False):
            raise httpx.ReadError("the connection was closed")
        return problem(403, "not_allowed")

    with Tunedrop(URL, transport=Answering(stack, answer)) as tunedrop, pytest.raises(SubmissionInDoubtError):
        tunedrop.finetune(model="nova-lite", train_data=rows)


def test_an_interrupt_while_a_job_is_made_says_which_one_it_may_be(
    stack: Stack, rows: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted() -> httpx.Response:
        raise KeyboardInterrupt

    transport = Answering(stack, interrupted)
    with Tunedrop(URL, transport=transport) as tunedrop, pytest.raises(KeyboardInterrupt):
        tunedrop.finetune(model="nova-lite", train_data=rows)
    assert re.search(r"`tunedrop show [a-z2-7]{26}` before you submit it again", caplog.text)


def test_a_job_of_a_profile_is_submitted_and_followed_by_its_credentials(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[team]\naws_access_key_id = TEAMKEY\naws_secret_access_key = word\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    job = tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs={**BEDROCK, "aws_profile": "team"})
    job.refresh()
    assert len(stack.gateway.events) == 3
    for event in stack.gateway.events:
        assert "Credential=TEAMKEY/" in event["headers"]["Authorization"]
    assert tunedrop.connection.profile is None
