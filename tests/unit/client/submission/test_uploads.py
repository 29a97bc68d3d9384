"""Files on their way to S3: whole, streamed, watched, and undone where they break off."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.api.account import INBOX
from tests.unit.client.submission.conftest import Stack
from tests.unit.client.submission.kwargs_of_the_guide import BEDROCK
from tunedrop.client.errors import ConnectionFailedError, UploadError
from tunedrop.client.submission.uploads import PART_BYTES, PARTS_AT_ONCE
from tunedrop.client.tunedrop import Tunedrop

MIB = 1024 * 1024
PROJECT = Path(__file__).parents[4]


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """Three parts of rows."""
    file = tmp_path / "large.jsonl"
    answer = "word " * 2_000
    with file.open("w") as stream:
        for number in range(2_000):
            row = {"messages": [{"role": "user", "content": f"{number}"}, {"role": "assistant", "content": answer}]}
            stream.write(json.dumps(row) + "\n")
    assert file.stat().st_size > 2 * PART_BYTES
    return file


def test_a_large_file_arrives_whole_and_in_parts(stack: Stack, tunedrop: Tunedrop, large_file: Path) -> None:
    calls: list[str] = []
    events = tunedrop.connection.client("s3").meta.events
    events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    job = tunedrop.finetune(model="nova-lite", train_data=large_file)
    assert stack.objects(INBOX) == {f"uploads/{job.job_id}/large.jsonl": large_file.read_bytes()}
    assert calls.count("UploadPart") == 3
    assert calls.count("CompleteMultipartUpload") == 1
    assert "PutObject" not in calls


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    size, number = 256 * MIB, 256 * MIB // PART_BYTES
    file = tmp_path / "large.jsonl"
    with file.open("wb") as stream:
        stream.truncate(size)
    program = [sys.executable, "-m", "tests.unit.client.submission.large_upload_run", str(file)]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    done = subprocess.run(program, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["parts"] == [hashlib.sha256(bytes(PART_BYTES)).hexdigest()] * number
    assert found["grown"] < (PARTS_AT_ONCE + 2) * PART_BYTES < size / 3


def refuse(**_: Any) -> Any:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")


def test_an_upload_that_is_refused_cancels_the_job(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunedrop.connection.client("s3"), "put_object", refuse)
    with pytest.raises(UploadError) as raised:
        tunedrop.finetune(model="nova-lite", train_data=rows)
    (job,) = tunedrop.jobs()
    assert job.refresh().cancel_requested_at is not None
    assert "s3:PutObject" in str(raised.value)
    assert f"Job {job.job_id}, which was to train on it, is cancelled." in str(raised.value)


def test_a_job_that_cannot_be_cancelled_is_said(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunedrop.connection.client("s3"), "put_object", refuse)
    request = tunedrop.api.request

    def without_cancel(method: str, path: str, **asked: Any) -> Any:
        if path.endswith("/cancel"):
            raise ConnectionFailedError("no answer")
        return request(method, path, **asked)

    monkeypatch.setattr(tunedrop.api, "request", without_cancel)
    with pytest.raises(UploadError, match="could not be cancelled: it gives up after 24 hours"):
        tunedrop.finetune(model="nova-lite", train_data=rows)


def test_an_interrupted_upload_cancels_the_job(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tunedrop.client.submission.order.upload", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tunedrop.finetune(model="nova-lite", train_data=rows)
    (job,) = tunedrop.jobs()
    assert job.refresh().cancel_requested_at is not None


def test_an_upload_to_s3_path_that_is_refused_makes_no_job(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunedrop.connection.client("s3"), "put_object", refuse)
    kwargs = {name: value for name, value in BEDROCK.items() if name != "aws_profile"}
    with pytest.raises(UploadError, match="s3://datasets/fine-tuning-data/"):
        tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs=kwargs)
    assert stack.is_untouched()


def test_a_connection_that_breaks_leaves_no_parts_behind(
    stack: Stack, tunedrop: Tunedrop, large_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tunedrop.connection.client("s3")
    send = client.upload_part

    def break_off(**asked: Any) -> Any:
        if asked["PartNumber"] == 2:
            raise EndpointConnectionError(endpoint_url="https://s3")
        return send(**asked)

    monkeypatch.setattr(client, "upload_part", break_off)
    with pytest.raises(UploadError, match="broke off"):
        tunedrop.finetune(model="nova-lite", train_data=large_file)
    assert not stack.objects(INBOX)
    assert not client.list_multipart_uploads(Bucket=INBOX).get("Uploads")


@pytest.mark.parametrize(
    ("terminal", "progress", "shown"), [("1", None, True), ("1", False, False), ("0", True, False)]
)
def test_a_bar_is_shown_on_a_terminal_only(
    stack: Stack,
    tunedrop: Tunedrop,
    rows: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    terminal: str,
    progress: bool | None,
    shown: bool,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)  # how Rich is told that what is no terminal is to be taken for one
    tunedrop.finetune(model="nova-lite", train_data=rows, progress=progress)
    assert ("Uploading train_data.jsonl" in capfd.readouterr().err) is shown
