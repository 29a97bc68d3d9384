"""What keys in the inbox ask for."""

from __future__ import annotations

import pytest

from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.inbox import (
    DatasetDrop,
    ManifestDrop,
    UploadedFile,
    check_upload_name,
    read_key,
    read_upload_key,
    starts_a_job,
    upload_uri,
)

JOB_ID = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "key",
    [
        "inbox/",
        "inbox/openai/",
        "inbox/openai/gpt-4.1-mini/",
        "inbox/train.jsonl",
        "inbox/train.jsonl.gz",
        "inbox/notes.txt",
        "train.jsonl",
        "outputs/model.jsonl",
        "jobs/abc/training.jsonl",
        "uploads/abc/train.jsonl",
        "Inbox/openai/gpt-4.1-mini/train.jsonl",
    ],
)
def test_keys_that_ask_for_nothing(key: str) -> None:
    assert not starts_a_job(key)


@pytest.mark.parametrize(
    ("key", "drop"),
    [
        ("inbox/openai/gpt-4.1-mini/train.jsonl", DatasetDrop("openai", "gpt-4.1-mini", "train.jsonl")),
        (
            "inbox/bedrock/amazon.nova-lite-v1:0:300k/train.jsonl",
            DatasetDrop("bedrock", "amazon.nova-lite-v1:0:300k", "train.jsonl"),
        ),
        (
            "inbox/databricks/meta-llama/Llama-3.2-3B-Instruct/my rows.jsonl",
            DatasetDrop("databricks", "meta-llama/Llama-3.2-3B-Instruct", "my rows.jsonl"),
        ),
        ("inbox/openai/gpt-4.1-mini/train.jsonl.gz", DatasetDrop("openai", "gpt-4.1-mini", "train.jsonl.gz")),
        ("inbox/nightly.job.json", ManifestDrop("nightly.job.json")),
    ],
)
def test_the_second_segment_is_the_provider_the_last_the_name_and_all_between_the_model(
    key: str, drop: DatasetDrop | ManifestDrop
) -> None:
    assert starts_a_job(key)
    assert read_key(key) == drop


@pytest.mark.parametrize(
    ("key", "way_out"),
    [
        ("inbox/openai/train.jsonl", "names no model.*inbox/<provider>/<model>/train.jsonl"),
        ("inbox//gpt-4.1-mini/train.jsonl", "names no model"),
        ("inbox/openai//train.jsonl", "names no model"),
        ("inbox/openai/gpt-4.1-mini/train.csv", "does not end in .jsonl or .jsonl.gz"),
        ("inbox/openai/gpt-4.1-mini/train.gz", "does not end in .jsonl or .jsonl.gz"),
        ("inbox/openai/gpt-4.1-mini/train.JSONL", "does not end in .jsonl"),
        ("inbox/openai/nightly.job.json", "directly under inbox/: drop it as inbox/nightly.job.json"),
    ],
)
def test_a_key_that_starts_a_job_which_cannot_run_says_what_to_do(key: str, way_out: str) -> None:
    assert starts_a_job(key)
    with pytest.raises(RequestInvalidError, match=way_out):
        read_key(key)


@pytest.mark.parametrize("name", ["train.jsonl", "my rows-2.jsonl.gz", "übung.jsonl", "x" * 194 + ".jsonl"])
def test_a_file_that_a_job_waits_for_is_told_by_its_key(name: str) -> None:
    check_upload_name(name, field="training_file")
    bucket, _, key = upload_uri("the-inbox", JOB_ID, name).removeprefix("s3://").partition("/")
    assert (bucket, key) == ("the-inbox", f"uploads/{JOB_ID}/{name}")
    assert not starts_a_job(key)
    assert read_upload_key(key) == UploadedFile(JOB_ID, name)


@pytest.mark.parametrize(
    "key",
    [
        f"uploads/{JOB_ID}",
        f"uploads/{JOB_ID}/",
        f"uploads/{JOB_ID}/a/b.jsonl",
        f"uploads/{JOB_ID.upper()}/a.jsonl",
        f"uploads/{JOB_ID}x/a.jsonl",
        f"inbox/uploads/{JOB_ID}/a.jsonl",
        "uploads/a.jsonl",
    ],
)
def test_other_keys_are_no_places_of_uploads(key: str) -> None:
    assert read_upload_key(key) is None


@pytest.mark.parametrize("name", ["train.csv", "", "a/b.jsonl", "a?b.jsonl", "a\nb.jsonl", "x" * 195 + ".jsonl"])
def test_names_that_a_file_to_be_uploaded_cannot_have(name: str) -> None:
    with pytest.raises(RequestInvalidError, match="'training_file' "):
        check_upload_name(name, field="training_file")
