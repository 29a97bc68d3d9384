"""What the guide's kwargs become, and what is said of those that cannot be used."""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from tests.unit.client.submission.kwargs_of_the_guide import BEDROCK, DATABRICKS, KWARGS, MODELS, OPENAI, SECRET, TOKEN
from tunedrop.client.errors import TrainKwargsError
from tunedrop.client.submission.model_names import training_model
from tunedrop.client.submission.s3_places import Place
from tunedrop.client.submission.train_kwargs import Asked, read_train_kwargs
from tunedrop.domain.models import find_model

HERE = {"train_data_path": None, "register_to": None}
"""Databricks: as the stack's settings have it."""


def asked(provider: str, kwargs: Any, model: str | None = None) -> Asked:
    return read_train_kwargs(kwargs, find_model(*training_model(model or MODELS[provider])))


def refusal(provider: str, kwargs: Any) -> str:
    with pytest.raises(TrainKwargsError) as refused:
        asked(provider, kwargs)
    return str(refused.value)


def test_the_guides_kwargs_for_openai_are_hyperparameters() -> None:
    assert asked("openai", OPENAI).fields == {"hyperparameters": OPENAI, "start_endpoint": True}


def test_the_guides_kwargs_for_bedrock() -> None:
    found = asked("bedrock", BEDROCK)
    assert found.fields == {
        "hyperparameters": {"epochCount": 3, "batchSize": 4, "learningRate": 1e-5},
        "job_name": "my-finetune-job",
        "start_endpoint": True,
    }
    assert found.place == Place("datasets", "fine-tuning-data/")
    assert found.aws_profile == "default"


def test_the_guides_kwargs_for_databricks() -> None:
    found = asked("databricks", DATABRICKS)
    assert found.fields == {
        "hyperparameters": {},
        "train_data_path": "/Volumes/catalog/schema/volume/path",
        "register_to": "catalog.schema.model_name",
        "task_type": "CHAT_COMPLETION",
        "credentials": SECRET,
        "start_endpoint": True,
    }
    assert found.workspace is not None
    assert found.workspace.token == TOKEN
    assert TOKEN not in repr(found)


@pytest.mark.parametrize("provider", KWARGS)
def test_the_callers_dict_is_neither_changed_nor_shared(provider: str) -> None:
    given = copy.deepcopy(KWARGS[provider])
    found = asked(provider, given)
    found.fields["hyperparameters"]["epochCount"] = 99
    assert given == KWARGS[provider]


def test_a_dict_that_cannot_be_changed_is_taken() -> None:
    given = MappingProxyType({"hyperparameters": MappingProxyType({"epochCount": 2})})
    assert asked("bedrock", given).fields["hyperparameters"] == {"epochCount": 2}


def test_numbers_of_numpy_are_taken_as_numbers() -> None:
    given = {
        "hyperparameters": {"epochCount": np.int64(2), "learningRate": np.float64(1e-5)},
        "max_cost_usd": np.int32(9),
    }
    fields = asked("bedrock", given).fields
    assert fields["hyperparameters"] == {"epochCount": 2, "learningRate": 1e-5}
    assert [type(value) for value in fields["hyperparameters"].values()] == [int, float]
    assert type(fields["max_cost_usd"]) is int


@pytest.mark.parametrize("given", [None, {}, {"hyperparameters": None, "job_name": None, "register_to": None}])
def test_what_is_none_was_not_given(given: Any) -> None:
    assert asked("bedrock", given).fields == {"hyperparameters": {}, "start_endpoint": True}


@pytest.mark.parametrize(
    ("given", "start", "skip"),
    [
        ({}, True, None),
        ({"skip_deploy": False}, True, None),
        ({"skip_deploy": True}, None, True),
        ({"skip_deploy": True, "start_endpoint": True}, None, True),
        ({"start_endpoint": False}, False, None),
        ({"start_endpoint": False, "skip_deploy": False}, False, None),
    ],
)
def test_the_model_is_served_unless_somebody_says_no(given: Any, start: bool | None, skip: bool | None) -> None:
    fields = asked("databricks", {**HERE, **given}).fields
    assert (fields.get("start_endpoint"), fields.get("skip_deploy")) == (start, skip)


@pytest.mark.parametrize(
    ("provider", "given", "words"),
    [
        ("bedrock", {"s3_pth": "s3://b/p/"}, ["'s3_pth'", "bedrock", "Did you mean s3_path?"]),
        ("bedrock", {"hyperparameter": {}}, ["Did you mean hyperparameters?", "aws_profile"]),
        ("openai", {"n_epoch": 3}, ["'n_epoch'", "openai", "Did you mean n_epochs?", "learning_rate_multiplier"]),
        ("bedrock", {"epochCount": 3}, ["'epochCount'", "'hyperparameters': {'epochCount': …}"]),
        ("bedrock", {"register_to": "a.b.c"}, ["bedrock takes no 'register_to'", "for databricks"]),
        ("bedrock", {"n_epochs": 3}, ["bedrock takes no 'n_epochs'"]),
        ("openai", {"databricks_token": "x"}, ["openai takes no 'databricks_token'", "for databricks"]),
        ("openai", {"suffix": "mine"}, ["'suffix'", "'job_name'"]),
        ("openai", {"api_key": "sk-secret"}, ["'api_key'", "Secrets Manager", "'credentials'"]),
        ("openai", {3: 4}, ["openai takes no 3", "names are texts"]),
        ("bedrock", [("job_name", "x")], ["train_kwargs is a list", "bedrock", "a dict"]),
        ("bedrock", {"hyperparameters": [3]}, ["['hyperparameters'] is a list", "bedrock takes a dict"]),
        (
            "bedrock",
            {"hyperparameters": {"epochCount": "three"}},
            ["'epochCount' is 'three'", "1 to 5", "bedrock"],
        ),
        ("bedrock", {"hyperparameters": {"epochCount": [3]}}, ["['epochCount'] is a list", "bedrock"]),
        ("bedrock", {"hyperparameters": {"epochCount": True}}, ["['epochCount'] is True", "bedrock"]),
        ("bedrock", {"hyperparameters": {3: 3}}, ["[3] is 3", "bedrock"]),
        ("bedrock", {"hyperparameters": {"epochCount": 6}}, ["'epochCount' is '6'", "from 1 to 5"]),
        ("bedrock", {"hyperparameters": {"learningRate": 1.0}}, ["'learningRate'", "1e-06 to 0.0001"]),
        ("bedrock", {"hyperparameters": {"epochCount": 2, "epochs": 2}}, ["mean the same", "bedrock"]),
        ("bedrock", {"hyperparameters": {"epochCont": 2}}, ["Did you mean epochCount?", "hyperparameters", "bedrock"]),
        ("openai", {"n_epochs": "three"}, ["'n_epochs' is 'three'", "from 1 to 50", "openai"]),
        ("openai", {"n_epochs": 51}, ["'n_epochs' is '51'", "from 1 to 50"]),
        ("openai", {"batch_size": [4]}, ["['batch_size'] is a list", "openai takes a number"]),
        ("openai", {"n_epochs": 3, "hyperparameters": {"n_epochs": 3}}, ["'n_epochs' twice"]),
        ("openai", {"n_epochs": 3, "hyperparameters": {"epochs": 3}}, ["mean the same"]),
        ("bedrock", {"start_endpoint": "yes"}, ["['start_endpoint'] is 'yes'", "bedrock takes True or False"]),
        ("bedrock", {"job_name": 7}, ["['job_name'] is 7", "1 to 63 characters"]),
        ("bedrock", {"job_name": "x" * 64}, ["bedrock", "'job_name' has 1 to 63 characters"]),
        ("bedrock", {"max_cost_usd": "9"}, ["['max_cost_usd'] is '9'", "US dollars"]),
        ("bedrock", {"max_cost_usd": 0}, ["'max_cost_usd' is an amount"]),
        ("bedrock", {"deadline_hours": 400}, ["bedrock", "'deadline_hours' is more than 0 and at most 336"]),
        ("bedrock", {"credentials": "My Secret"}, ["'credentials'", "a-z, 0-9"]),
        ("bedrock", {"aws_profile": ""}, ["['aws_profile'] is ''", "profile"]),
        ("bedrock", {"s3_path": "bucket/prefix/"}, ["['s3_path'] is 'bucket/prefix/'", "s3://bucket/prefix/"]),
        ("bedrock", {"s3_path": "s3://"}, ["['s3_path']", "no S3 URI"]),
        ("bedrock", {"s3_path": "s3://bucket/train.csv"}, ["'train.csv'", ".jsonl"]),
        ("bedrock", {"s3_path": "s3://bucket/inbox/openai/gpt-4.1/"}, ["job of its own"]),
        ("bedrock", {"endpoint": "provisioned"}, ["['endpoint'] is 'provisioned'", "'ttl_hours'"]),
        ("bedrock", {"endpoint": {"kind": "provisoned"}}, ["bedrock", "endpoint.kind"]),
        ("bedrock", {"endpoint": {"kind": "provisioned", "model_units": 1}}, ["ttl_hours' is missing"]),
        ("bedrock", {"endpoint": {"unit": 1}}, ["'unit'", "'endpoint'"]),
        ("bedrock", {"endpoint": {"kind": "on_demand"}, "start_endpoint": False}, ["'endpoint'", "'start_endpoint'"]),
        ("databricks", {}, ["['train_data_path'] is missing", "databricks takes", "/Volumes/", "databricks_volume"]),
        ("databricks", {"train_data_path": None}, ["['register_to'] is missing", "catalog.schema.model"]),
        ("databricks", {**DATABRICKS, "train_data_path": "/dbfs/x"}, ["['train_data_path'] is '/dbfs/x'", "/Volumes/"]),
        ("databricks", {**DATABRICKS, "train_data_path": "/Volumes/a/b/c/../d"}, ["['train_data_path']"]),
        ("databricks", {**DATABRICKS, "register_to": "model"}, ["['register_to'] is 'model'", "catalog.schema"]),
        ("databricks", {**DATABRICKS, "task_type": "CHAT"}, ["['task_type'] is 'CHAT'", "'INSTRUCTION_FINETUNE'"]),
        ("databricks", {**HERE, "databricks_token": TOKEN}, ["['databricks_host'] is missing"]),
        (
            "databricks",
            {**DATABRICKS, "databricks_host": "w.cloud.databricks.com"},
            ["['databricks_host']", "https://"],
        ),
        ("databricks", {**DATABRICKS, "databricks_host": "https://w.com/sql"}, ["['databricks_host']", "alone"]),
        ("databricks", {**DATABRICKS, "databricks_host": "http://w.com"}, ["['databricks_host']", "https://"]),
        ("databricks", {**DATABRICKS, "databricks_host": f"https://{TOKEN}@w.com"}, ["['databricks_host']"]),
        ("databricks", {**DATABRICKS, "databricks_token": 12345}, ["['databricks_token'] is a int"]),
        ("databricks", {**DATABRICKS, "credentials": "default"}, ["['credentials']", "'databricks_host'"]),
        ("databricks", {**DATABRICKS, "databrics_token": TOKEN}, ["Did you mean databricks_token?"]),
    ],
)
def test_what_cannot_be_used_is_named_with_what_the_provider_takes(provider: str, given: Any, words: list[str]) -> None:
    said = refusal(provider, given)
    for word in words:
        assert word in said
    assert "train_kwargs" in said
    assert TOKEN not in said
    assert "sk-secret" not in said


def test_preference_pairs_may_have_beta_and_other_rows_may_not() -> None:
    rules = find_model("openai", "gpt-4.1")
    assert read_train_kwargs({"beta": 0.1}, rules, data_format="preference").fields["hyperparameters"] == {"beta": 0.1}
    assert read_train_kwargs({"beta": 0.1}, rules).fields["hyperparameters"] == {"beta": 0.1}
    with pytest.raises(TrainKwargsError, match="preference pairs only"):
        read_train_kwargs({"beta": 0.1}, rules, data_format="chat")


@pytest.mark.parametrize(
    ("s3_path", "prefix", "file"),
    [
        ("s3://bucket", "", None),
        ("s3://bucket/", "", None),
        ("s3://bucket/a/b", "a/b/", None),
        ("s3://bucket/a/b/", "a/b/", None),
        ("s3://bucket/v1.2/", "v1.2/", None),
        ("s3://bucket/x.jsonl", "", "x.jsonl"),
        ("s3://bucket/a/x.jsonl.gz", "a/", "x.jsonl.gz"),
    ],
)
def test_s3_path_is_a_folder_or_a_file(s3_path: str, prefix: str, file: str | None) -> None:
    assert asked("bedrock", {"s3_path": s3_path}).place == Place("bucket", prefix, file)
