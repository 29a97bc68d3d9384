"""Manifests: read strictly, refused with the field and the way out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.manifest import MAX_MANIFEST_BYTES, locate, read_manifest, read_request

GOOD = {"provider": "bedrock", "model": "nova-lite", "training_file": "train.jsonl"}


def manifest(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_everything_spelled_out() -> None:
    content = manifest(
        validation_file="val.jsonl",
        hyperparameters={"epochs": 3, "learningRate": 1e-5},
        job_name="support",
        credentials="team-a",
        format="chat",
        max_cost_usd=12.5,
        deadline_hours=12,
    )

    assert read_manifest(content, name="x.job.json") == JobRequest(
        provider="bedrock",
        model="nova-lite",
        training_file="train.jsonl",
        validation_file="val.jsonl",
        hyperparameters={"epochs": 3, "learningRate": 1e-5},
        job_name="support",
        credentials="team-a",
        format="chat",
        max_cost_usd=12.5,
        deadline_hours=12,
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "x.job.json: not JSON"),
        (b"{", "x.job.json: not JSON"),
        (b"\xff\xfe", "x.job.json: not JSON"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "missing required field `provider`"),
        (manifest(model=7), r"Expected `str`, got `int` - at `\$.model`"),
        (manifest(hyperparameters={"epochs": [3]}), r"at `\$.hyperparameters"),
        (manifest(modle="x"), "unknown field 'modle'. Did you mean 'model'?"),
        (manifest(colour="red"), "unknown field 'colour'. Known fields: provider, model, training_file"),
        (manifest(provider=" "), "'provider' is empty"),
        (manifest(training_file=""), "'training_file' is empty"),
        (manifest(api_key="x"), "'api_key' is a secret.*Secrets Manager"),
        (manifest(databricks_token="x"), "is a secret"),
        (manifest(credentials="../openai/default"), "'credentials' is the last segment"),
        (manifest(deadline_hours=0), "'deadline_hours' is more than 0 and at most 336"),
        (manifest(deadline_hours=337), "at most 336"),
        (manifest(job_name="x" * 64), "'job_name' has 1 to 63 characters"),
        (manifest(task_type="CHAT"), r"at `\$.task_type`; it is one of CHAT_COMPLETION, INSTRUCTION_FINETUNE"),
        (
            manifest(format="csv"),
            r"at `\$.format`; it is one of chat, completion, preference, bedrock-con",
        ),
        (manifest(max_cost_usd=0), "'max_cost_usd' is an amount in US dollars: more than 0"),
        (manifest(max_cost_usd=-1), "'max_cost_usd' is an amount"),
        (manifest(max_cost_usd=1e300), "at most 1,000,000,000"),
        (manifest(max_cost_usd="5"), r"Expected `float . null`, got `str` - at `\$.max_cost_usd`"),
        (manifest(max_cost_usd=float("inf")), "x.job.json: not JSON"),
        (b'{"provider": "openai", "max_cost_usd": 1e999}', "out of range"),
        (manifest(hyperparameters={"learning_rate": 1e-200}), "'learning_rate' is 1e-200, which no model takes"),
        (manifest(hyperparameters={"epochs": 10**40}), "'epochs' is 1e\\+40, which no model takes"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "at most 256 KiB"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(content: bytes, problem: str) -> None:
    with pytest.raises(RequestInvalidError, match=problem):
        read_manifest(content, name="x.job.json")


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"modle": "x"}, "unknown field 'modle'. Did you mean 'model'?"),
    ({"api_key": "x"}, "'api_key' is a secret and does not belong in a manifest or request.*Secrets Manager"),
    ({"hyperparameters": {"token": "x"}}, "'token' is a secret.*name it with 'credentials'"),
    ({"model": 7}, r"Expected `str`, got `int` - at `\$.model`"),
    ({"training_file": None}, r"Expected `str`, got `null` - at `\$.training_file`"),
    ({"deadline_hours": float("nan")}, "'deadline_hours' is more than 0|not JSON"),
    ({"max_cost_usd": -1}, "'max_cost_usd' is an amount"),
    ({"hyperparameters": {"epochs": 10**40}}, "'epochs' is 1e\\+40, which no model takes"),
    ({"start_endpoint": "yes"}, r"Expected `bool . null`, got `str` - at `\$.start_endpoint`"),
    (
        {"train_data_path": "/Volumes/main/support/files"},
        "'train_data_path' is a folder at Databricks: leave it out for ",
    ),
    ({"skip_deploy": True}, "'skip_deploy' is for Databricks only: use 'start_endpoint' instead"),
    ({"skip_deploy": False}, "'skip_deploy' is for Databricks only"),
    (
        {"endpoint": {"kind": "provisoned"}},
        r"at `\$.endpoint.kind`; it is one of on_demand, provisioned, serving",
    ),
    ({"endpoint": {"ttl": 4}}, "unknown field 'ttl' of 'endpoint'.*Known fields of 'endpoint': kind, model_units, ttl"),
    ({"endpoint": {"model_unit": 4}}, "unknown field 'model_unit' of 'endpoint'. Did you mean 'model_units'?"),
    ({"endpoint": {"api_key": "x"}}, "'api_key' is a secret"),
    ({"endpoint": {"model_units": True}}, r"Expected `int . null`, got `bool` - at `\$.endpoint.model_units`"),
    ({"endpoint": []}, r"at `\$.endpoint`"),
]


@pytest.mark.parametrize(("fields", "problem"), BAD_FIELDS, ids=repr)
def test_a_request_over_the_api_meets_the_same_rules_with_the_same_words(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(RequestInvalidError, match=f"(?s)^x.job.json: .*({problem})"):
        read_manifest(manifest(**fields), name="x.job.json")
    with pytest.raises(RequestInvalidError, match=f"(?s)^the body: .*({problem})"):
        read_request({**GOOD, **fields}, name="the body")


@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(RequestInvalidError, match="the body: Expected `object`"):
        read_request(body, name="the body")


def test_how_the_model_is_to_be_served_is_a_part_of_the_request() -> None:
    fields = {**GOOD, "start_endpoint": True, "endpoint": {"kind": "provisioned", "model_units": 1, "ttl_hours": 4}}
    request = read_request(fields, name="the body")
    assert request.start_endpoint is True
    assert request.endpoint == EndpointRequest(kind="provisioned", model_units=1, ttl_hours=4.0)
    assert request == read_manifest(json.dumps(fields).encode(), name="x.job.json")
    databricks = {**GOOD, "provider": "databricks", "model": "llama-3.2-3b", "skip_deploy": True}
    assert read_request(databricks, name="the body").skip_deploy is True


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("train.jsonl", "s3://the-inbox/inbox/train.jsonl"),
        ("inbox/train.jsonl", "s3://the-inbox/inbox/train.jsonl"),
        ("s3://the-inbox/inbox/deep/train.jsonl", "s3://the-inbox/inbox/deep/train.jsonl"),
        ("s3://data/a/b.jsonl", "s3://data/a/b.jsonl"),
        ("train.jsonl.gz", "s3://the-inbox/inbox/train.jsonl.gz"),
        ("s3://data/a/b.jsonl.gz", "s3://data/a/b.jsonl.gz"),
    ],
)
def test_files_beside_the_manifest_and_in_readable_buckets_are_found(file: str, uri: str) -> None:
    assert locate(file, field="training_file", inbox_bucket="the-inbox", readable_buckets=["data"]) == uri


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("s3://other/train.jsonl", "'training_file' is in the bucket 'other'.*tunedrop:readable_buckets.*now: data"),
        ("train.csv", "does not end in .jsonl or .jsonl.gz"),
        ("train.csv.gz", "does not end in .jsonl or .jsonl.gz"),
        ("deep/train.jsonl", "directly under inbox/"),
        ("../train.jsonl", "directly under inbox/"),
    ],
)
def test_other_files_are_refused_with_the_way_out(file: str, problem: str) -> None:
    with pytest.raises(RequestInvalidError, match=problem):
        locate(file, field="training_file", inbox_bucket="the-inbox", readable_buckets=["data"])


DATABRICKS = {**GOOD, "provider": "databricks", "model": "llama-3.2-3b"}


@pytest.mark.parametrize(
    "path", ["/Volumes/main/support/files", "/Volumes/main/support/files/", "/Volumes/main/support/files/a/.b/c..d"]
)
def test_a_folder_in_a_volume_may_take_the_jobs_files(path: str) -> None:
    request = read_request({**DATABRICKS, "train_data_path": path}, name="the body")
    assert request.train_data_path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/Volumes/main/support",
        "Volumes/main/support/files",
        "dbfs:/Volumes/main/support/files",
        "/Volumes/main/support/files//a",
        "/Volumes/main/support/my files",
        "/Volumes/main/support/files/../others",
        "/Volumes/main/support/files/.",
        "/Volumes/main/support/..",
        "/Volumes/main/support/files\n",
        "s3://bucket/folder",
    ],
)
def test_what_is_no_folder_in_a_volume_is_refused_with_the_form_that_it_takes(path: str) -> None:
    with pytest.raises(RequestInvalidError, match="it must be a folder in a volume, /Volumes/<catalog>/<schema>/"):
        read_request({**DATABRICKS, "train_data_path": path}, name="the body")
