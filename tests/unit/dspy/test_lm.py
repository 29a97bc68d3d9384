"""The LM of `import tunedrop.dspy as dspy`: what it calls, what trains it, and what it never tells."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import dspy as plain_dspy
import pytest
from dspy.clients.openai import OpenAIProvider
from dspy.clients.utils_finetune import TrainDataFormat

import tunedrop.dspy as dspy
from tests.unit.dspy.fakes import FakeTunedrop
from tunedrop.client.errors import ConfigurationError

SECRET = "dapi-very-secret"
HOST = "https://dbc-1.cloud.databricks.com"
WORKSPACE = {
    "train_data_path": "/Volumes/main/tunedrop/uploads",
    "register_to": "main.tunedrop.doors",
    "databricks_host": HOST,
    "databricks_token": SECRET,
}
ROWS = [{"messages": [{"role": "user", "content": "Door 1?"}, {"role": "assistant", "content": "7."}]}]


def trained(stack: FakeTunedrop, lm: Any, name: str, **kwargs: Any) -> Any:
    job = lm.finetune(train_data=ROWS, train_data_format=TrainDataFormat.CHAT, train_kwargs=kwargs)
    stack.jobs[-1].succeed(name)
    return job.result(timeout=5)


def test_a_base_model_is_called_by_what_answers_and_trained_by_what_is_trained(stack: FakeTunedrop) -> None:
    lm = dspy.LM("bedrock/amazon.nova-lite-v1")

    lm.finetune(train_data=ROWS, train_data_format=None)

    assert lm.model == "bedrock/amazon.nova-lite-v1:0"
    assert stack.submitted[0]["model"] == "bedrock/amazon.nova-lite-v1"


def test_the_model_to_train_can_be_another_than_the_one_that_is_called(stack: FakeTunedrop) -> None:
    lm = dspy.LM("bedrock/nova-pro", finetuning_model="bedrock/nova-micro")

    lm.finetune(train_data=ROWS, train_data_format=None)

    assert lm.model == "bedrock/amazon.nova-pro-v1:0"
    assert stack.submitted[0]["model"] == "bedrock/nova-micro"


@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-4o-mini",
        "bedrock/amazon.nova-micro-v1",
        "databricks/meta-llama/Llama-3.2-3B-Instruct",
        "ft:gpt-4o-mini-2024-07-18:maria::abc",
    ],
)
def test_the_three_providers_models_are_trained_in_the_stack(stack: FakeTunedrop, model: str) -> None:
    dspy.LM(model).finetune(train_data=ROWS, train_data_format=None)

    assert [each["model"] for each in stack.submitted] == [model]


def test_models_of_others_are_left_to_dspy() -> None:
    lm = dspy.LM("anthropic/claude-sonnet-4-5")

    with pytest.raises(dspy.LMUnsupportedFeatureError):
        lm.finetune(train_data=ROWS, train_data_format=None)


def test_a_provider_of_the_users_own_is_kept() -> None:
    assert isinstance(dspy.LM("openai/gpt-4o-mini", provider=OpenAIProvider()).provider, OpenAIProvider)


def test_an_lm_is_no_stack_until_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEDROP_URL", raising=False)
    lm = dspy.LM("bedrock/amazon.nova-lite-v1", mock_response="Paris.")

    assert lm("What is the capital of France?") == ["Paris."]
    with pytest.raises(ConfigurationError, match="TUNEDROP_URL"):
        lm.finetune(train_data=ROWS, train_data_format=None)


def test_the_result_of_a_job_is_taken_for_a_model(stack: FakeTunedrop) -> None:
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct", temperature=0.3)
    finetuned_model = trained(stack, base, "databricks/main_tunedrop_doors", **WORKSPACE)

    finetuned_lm = dspy.LM(model=finetuned_model)
    warmer = dspy.LM(finetuned_model, temperature=0.9, cache=False)

    assert finetuned_lm is not finetuned_model
    assert (finetuned_lm.model, finetuned_lm.kwargs) == (finetuned_model.model, finetuned_model.kwargs)
    assert (warmer.model, warmer.kwargs["temperature"], warmer.cache) == (finetuned_model.model, 0.9, False)
    assert finetuned_model.kwargs["temperature"] == 0.3


def test_the_models_name_does_as_well(stack: FakeTunedrop) -> None:
    tuned = trained(stack, dspy.LM("bedrock/amazon.nova-lite-v1"), "bedrock/converse/arn:one")

    assert dspy.LM(model=tuned.model).model == "bedrock/converse/arn:one"


def test_an_lm_of_plain_dspy_becomes_one_that_trains_in_the_stack(stack: FakeTunedrop) -> None:
    lm = dspy.LM(plain_dspy.LM("bedrock/amazon.nova-lite-v1:0"))

    lm.finetune(train_data=ROWS, train_data_format=None)

    assert stack.submitted[0]["model"] == "bedrock/amazon.nova-lite-v1:0"


def test_what_is_given_beside_an_lm_is_given_by_name() -> None:
    with pytest.raises(TypeError, match="by keyword"):
        dspy.LM(dspy.LM("openai/gpt-4o-mini"), "chat")


def test_copies_call_and_train_what_their_original_does(stack: FakeTunedrop) -> None:
    tuned = trained(
        stack,
        dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct", train_kwargs=WORKSPACE),
        "databricks/main_tunedrop_doors",
        **WORKSPACE,
    )
    for lm in (tuned, dspy.LM("bedrock/amazon.nova-lite-v1")):
        for made in (copy.copy(lm), copy.deepcopy(lm), lm.copy(), lm.copy(temperature=0.5)):
            assert (made.model, made.kwargs.get("api_key")) == (lm.model, lm.kwargs.get("api_key"))
            made.finetune(train_data=ROWS, train_data_format=None)
            assert stack.submitted[-1]["model"] == (lm.finetuning_model or lm.model)


def test_a_workspaces_model_is_called_with_the_token_that_it_was_trained_with(stack: FakeTunedrop) -> None:
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct")
    tuned = trained(stack, base, "databricks/main_tunedrop_doors", **WORKSPACE)

    assert (tuned.kwargs["api_base"], tuned.kwargs["api_key"]) == (f"{HOST}/serving-endpoints", SECRET)
    assert type(stack.submitted[0]["train_kwargs"]["databricks_token"]) is str


def test_the_environments_workspace_is_used_where_the_kwargs_name_none(
    stack: FakeTunedrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "dbc-1.cloud.databricks.com/")
    monkeypatch.setenv("DATABRICKS_TOKEN", SECRET)
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct")

    tuned = trained(stack, base, "databricks/main_tunedrop_doors", databricks_host="https://another-workspace")

    assert (tuned.kwargs["api_base"], tuned.kwargs["api_key"]) == (f"{HOST}/serving-endpoints", SECRET)


def test_what_is_set_for_litellm_itself_is_left_to_it(stack: FakeTunedrop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABRICKS_API_BASE", "DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.setenv(name, "https://dbc-2.cloud.databricks.com/serving-endpoints")
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct")

    assert "api_base" not in trained(stack, base, "databricks/main_tunedrop_doors").kwargs


def test_a_model_at_bedrock_is_called_by_the_profile_that_trained_it(
    stack: FakeTunedrop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def profile(**kwargs: Any) -> Any:
        lm = dspy.LM("bedrock/amazon.nova-lite-v1")
        return trained(stack, lm, "bedrock/converse/arn:one", **kwargs).kwargs.get("aws_profile_name")

    assert profile(aws_profile="team") == "team"
    assert profile(aws_profile="default") is None, "no file has it: whatever credentials there are"
    assert profile() is None
    (tmp_path / "config").write_text("[default]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert profile(aws_profile="default") == "default"
    stack.connection.profile = "maria"
    assert profile() == "maria"


def test_a_token_is_in_nothing_that_is_shown_or_stored(stack: FakeTunedrop) -> None:
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct", train_kwargs=WORKSPACE)
    tuned = trained(stack, base, "databricks/main_tunedrop_doors")

    assert stack.submitted[0]["train_kwargs"] == WORKSPACE, "it is used all the same"
    for lm in (base, tuned, copy.deepcopy(base), dspy.LM(model=tuned)):
        for said in (json.dumps(lm.dump_state()), repr(lm), repr(vars(lm)), str(lm.kwargs)):
            assert SECRET not in said
        assert SECRET.encode() not in pickle.dumps(lm)


def test_an_lm_that_was_pickled_calls_and_trains_on_without_the_token(stack: FakeTunedrop) -> None:
    provider = dspy.TunedropProvider(stack)  # type: ignore[arg-type]
    base = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct", provider=provider, train_kwargs=WORKSPACE)
    tuned = trained(stack, base, "databricks/main_tunedrop_doors")

    loaded = pickle.loads(pickle.dumps(tuned))  # noqa: S301

    assert (loaded.model, loaded.kwargs["api_key"]) == (tuned.model, None)
    assert stack.connected == [], "who only calls the model needs no stack"
    again = pickle.loads(pickle.dumps(loaded))  # noqa: S301
    again.finetune(train_data=ROWS, train_data_format=None, train_kwargs={"n_epochs": 1})
    assert stack.connected == [vars(stack.connection)]
    assert stack.submitted[-1]["model"] == tuned.model


def test_a_saved_program_loads_with_and_without_tunedrop(stack: FakeTunedrop, tmp_path: Path) -> None:
    program = dspy.Predict("question -> answer")
    program.lm = trained(stack, dspy.LM("bedrock/amazon.nova-lite-v1"), "bedrock/converse/arn:one")
    program.save(str(tmp_path / "program.json"))

    for module in (dspy, plain_dspy):
        again = module.Predict("question -> answer")
        again.load(str(tmp_path / "program.json"))
        assert again.lm.model == "bedrock/converse/arn:one"

    dspy.LM(again.lm).finetune(train_data=ROWS, train_data_format=None)
    assert stack.submitted[-1]["model"] == "bedrock/converse/arn:one"


def test_plain_dspy_trains_in_the_stack_with_our_provider(stack: FakeTunedrop) -> None:
    provider = dspy.TunedropProvider(stack)  # type: ignore[arg-type]
    lm = plain_dspy.LM("bedrock/amazon.nova-lite-v1", provider=provider)

    tuned = trained(stack, lm, "bedrock/converse/arn:one", s3_path="s3://bucket/data/")

    assert type(tuned) is plain_dspy.LM
    assert tuned.model == "bedrock/converse/arn:one"
    assert stack.submitted[0]["train_kwargs"] == {"s3_path": "s3://bucket/data/"}


def test_the_result_of_plain_dspy_holds_no_token_either(stack: FakeTunedrop) -> None:
    provider = dspy.TunedropProvider(stack)  # type: ignore[arg-type]
    base = plain_dspy.LM("databricks/m", provider=provider, train_kwargs=WORKSPACE)

    tuned = trained(stack, base, "databricks/main_tunedrop_doors")

    assert SECRET not in json.dumps(tuned.dump_state())
    assert SECRET.encode() not in pickle.dumps(tuned)
