"""What is wrong is said before anything is uploaded: there is no file, no secret and no job then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.account import ROWS
from tests.unit.client.submission.conftest import Stack
from tests.unit.client.submission.kwargs_of_the_guide import BEDROCK, DATABRICKS, MODELS, OPENAI
from tunedrop.client.errors import ConfigurationError, TrainingDataError, TrainKwargsError
from tunedrop.client.tunedrop import Tunedrop

CHAT = [
    {"role": "user", "content": "How do I reset it?"},
    {"role": "assistant", "content": "Press and hold."},
]
SECRET_TEXT = "the patient is called Maria"


@pytest.fixture
def refused(stack: Stack, tunedrop: Tunedrop, rows: list[Any]) -> Callable[..., str]:
    """What is said of a submission, and that it left nothing behind."""

    def said(provider: str, error: type[Exception], **changes: Any) -> str:
        asked: dict[str, Any] = {"model": MODELS[provider], "train_data": rows, **changes}
        with pytest.raises(error) as refusal:
            tunedrop.finetune(**asked)
        assert stack.is_untouched()
        return str(refusal.value)

    return said


@pytest.mark.parametrize(
    ("provider", "given", "words"),
    [
        ("openai", {**OPENAI, "n_epoch": 3}, "Did you mean n_epochs?"),
        ("bedrock", {**BEDROCK, "hyperparameters": {"epochCount": "three"}}, "a whole number from 1 to 5"),
        ("bedrock", {**BEDROCK, "hyperparameters": [3]}, "bedrock takes a dict"),
        ("bedrock", OPENAI, "bedrock takes no 'n_epochs'"),
        ("openai", DATABRICKS, "openai takes no 'train_data_path'. It is for databricks."),
        ("databricks", {**DATABRICKS, "register_to": "model"}, "catalog.schema"),
        ("databricks", {**DATABRICKS, "databricks_host": "w.databricks.com"}, "alone"),
    ],
)
def test_wrong_kwargs(refused: Callable[..., str], provider: str, given: Any, words: str) -> None:
    assert words in refused(provider, TrainKwargsError, train_kwargs=given)


def test_an_unknown_model(refused: Callable[..., str]) -> None:
    assert "Did you mean" in refused("bedrock", TrainKwargsError, model="bedrock/amazon.nova-lit-v1")


@pytest.mark.parametrize("data_format", ["grpo_chat", "chatt", 7])
def test_a_format_that_nobody_trains(refused: Callable[..., str], data_format: Any) -> None:
    said = refused("bedrock", TrainKwargsError, train_data_format=data_format)
    assert "train_data_format" in said
    assert "bedrock takes chat, completion" in said


def test_a_profile_that_is_not_configured(refused: Callable[..., str]) -> None:
    said = refused("bedrock", ConfigurationError, train_kwargs={**BEDROCK, "aws_profile": "nobody"})
    assert "nobody" in said


def test_no_rows(refused: Callable[..., str]) -> None:
    assert "train_data" in refused("bedrock", TrainingDataError, train_data=[])


def test_too_few_rows(refused: Callable[..., str], rows: list[Any]) -> None:
    assert "8" in refused("bedrock", TrainingDataError, train_data=rows[:7])


def test_bad_rows_are_named_by_their_number_and_never_by_their_text(
    stack: Stack, tunedrop: Tunedrop, rows: list[Any]
) -> None:
    rows[2] = {"messages": [*CHAT, {"role": "user", "content": SECRET_TEXT}]}
    rows[6] = {"messages": [{"role": "robot", "content": SECRET_TEXT}, *CHAT]}
    with pytest.raises(TrainingDataError) as refusal:
        tunedrop.finetune(model="nova-lite", train_data=rows, train_kwargs=BEDROCK)
    assert [problem.partition(":")[0] for problem in refusal.value.problems] == ["row 3", "row 7"]
    assert "row 3: " in str(refusal.value)
    assert SECRET_TEXT not in str(refusal.value)
    assert stack.is_untouched()


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("text", "a str"),
        ({"messages": {1, 2}}, "a set"),
        ({"messages": [float("nan")]}, "NaN"),
        ({"messages": ["\ud800"]}, "surrogate"),
        ({"messages": [{("a", "b"): 1}]}, "names"),
    ],
)
def test_rows_that_are_no_json_are_named_by_their_number(
    refused: Callable[..., str], rows: list[Any], row: Any, word: str
) -> None:
    said = refused("bedrock", TrainingDataError, train_data=[*rows, row])
    assert "row 13: " in said
    assert word in said


def test_many_bad_rows_are_counted(refused: Callable[..., str]) -> None:
    said = refused("bedrock", TrainingDataError, train_data=[{"messages": []}] * 300)
    assert "300 problems" in said
    assert "295 more" in said


def test_the_lines_of_a_file_are_named_as_in_an_editor(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "support chats.jsonl"
    file.write_bytes(ROWS + b'\n{"messages": [{"role": "user", "content": "x"}]}\n')
    assert "support chats.jsonl:22: " in refused("bedrock", TrainingDataError, train_data=file)


@pytest.mark.parametrize("data", ["nowhere.jsonl", "s3://datasets/nowhere.jsonl", 7, b"rows", {"messages": []}, None])
def test_data_that_is_not_there(refused: Callable[..., str], data: Any) -> None:
    assert refused("bedrock", TrainingDataError, train_data=data)


def test_a_folder_and_a_pipe_are_no_files(refused: Callable[..., str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "directory" in refused("bedrock", TrainingDataError, train_data=tmp_path)
    assert "ordinary file" in refused("bedrock", TrainingDataError, train_data=tmp_path / "pipe.jsonl")


def test_rows_as_one_text_are_refused_without_showing_them(refused: Callable[..., str]) -> None:
    said = refused("bedrock", TrainingDataError, train_data=f'{{"messages": "{SECRET_TEXT}"}}')
    assert SECRET_TEXT not in said


def test_a_bucket_that_the_stack_may_not_read(refused: Callable[..., str]) -> None:
    said = refused("bedrock", TrainKwargsError, train_kwargs={**BEDROCK, "s3_path": "s3://elsewhere/folder/"})
    assert "train_kwargs['s3_path'] is in the bucket 'elsewhere'" in said
    assert "tunedrop:readable_buckets" in said
    assert "manifest" not in said
    assert "bedrock" in said


def test_data_in_a_bucket_that_the_stack_may_not_read(refused: Callable[..., str]) -> None:
    said = refused("bedrock", TrainKwargsError, train_data="s3://elsewhere/train.jsonl")
    assert "train_data is in the bucket 'elsewhere'" in said


def test_a_place_for_data_that_is_in_s3_already(refused: Callable[..., str]) -> None:
    said = refused("bedrock", TrainKwargsError, train_data="s3://datasets/train.jsonl", train_kwargs=BEDROCK)
    assert "'s3_path'" in said


def test_bad_lines_of_a_file_in_s3(stack: Stack, tunedrop: Tunedrop) -> None:
    stack.account.put("s3://datasets/train.jsonl", ROWS + b"{}\n")
    with pytest.raises(TrainingDataError, match=r"train\.jsonl:21: "):
        tunedrop.finetune(model="nova-lite", train_data="s3://datasets/train.jsonl")
    assert not stack.account.items()


def test_more_than_it_may_cost(refused: Callable[..., str]) -> None:
    assert "'max_cost_usd'" in refused("openai", TrainKwargsError, train_kwargs={"max_cost_usd": 0.0001})


def test_beta_for_rows_that_are_no_pairs(refused: Callable[..., str]) -> None:
    said = refused("openai", TrainKwargsError, model="gpt-4.1", train_kwargs={"beta": 0.1})
    assert "'beta' is for preference pairs only" in said
    assert "openai" in said


def test_a_task_type_that_the_rows_are_not_written_for(refused: Callable[..., str]) -> None:
    given = {**DATABRICKS, "task_type": "INSTRUCTION_FINETUNE"}
    assert "INSTRUCTION_FINETUNE" in refused("databricks", TrainingDataError, train_kwargs=given)


def test_validation_data_for_a_model_that_takes_none(refused: Callable[..., str], rows: list[Any]) -> None:
    said = refused("bedrock", TrainKwargsError, model="nova-2-lite", train_data=rows * 20, validation_data=rows)
    assert "validation" in said


def test_validation_data_that_was_given_twice(refused: Callable[..., str], rows: list[Any], rows_file: Path) -> None:
    given = {"validation_file": str(rows_file)}
    assert "validation_file" in refused("bedrock", TrainKwargsError, validation_data=rows, train_kwargs=given)


def test_bad_validation_data(refused: Callable[..., str], rows: list[Any]) -> None:
    said = refused("bedrock", TrainingDataError, validation_data=[*rows, {"messages": []}])
    assert "validation_data" in said
    assert "row 13" in said


def test_a_token_that_was_never_stored(refused: Callable[..., str]) -> None:
    given = {name: value for name, value in DATABRICKS.items() if name != "databricks_token"}
    said = refused("databricks", TrainKwargsError, train_kwargs=given)
    assert "train_kwargs['databricks_token'] is missing" in said
