"""Names of models, as the guide, DSPy and the providers write them."""

from __future__ import annotations

import pytest

from tunedrop.client.errors import TrainKwargsError
from tunedrop.client.submission.model_names import INFERENCE, TRAINING, inference_model, training_model
from tunedrop.domain.models import MODELS, PROVIDERS, find_model

NOVA_LITE = ("bedrock", "amazon.nova-lite-v1:0:300k")
LLAMA = ("databricks", "meta-llama/Llama-3.2-3B-Instruct")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bedrock/amazon.nova-lite-v1", NOVA_LITE),
        ("bedrock/amazon.nova-lite-v1:0", NOVA_LITE),
        ("bedrock/amazon.nova-lite-v1:0:300k", NOVA_LITE),
        ("bedrock/us.amazon.nova-lite-v1:0", NOVA_LITE),
        ("bedrock/converse/us.amazon.nova-lite-v1:0", NOVA_LITE),
        ("Bedrock/Nova-Lite", NOVA_LITE),
        ("nova-lite", NOVA_LITE),
        ("us.amazon.nova-2-lite-v1:0", ("bedrock", "amazon.nova-2-lite-v1:0:256k")),
        ("openai/gpt-4o-mini", ("openai", "gpt-4o-mini-2024-07-18")),
        ("gpt-4.1", ("openai", "gpt-4.1-2025-04-14")),
        ("ft:gpt-4.1-mini:team::abc", ("openai", "ft:gpt-4.1-mini:team::abc")),
        ("openai/ft:gpt-4.1-mini:team::abc", ("openai", "ft:gpt-4.1-mini:team::abc")),
        ("databricks/meta-llama/Llama-3.2-3B-Instruct", LLAMA),
        ("meta-llama/Llama-3.2-3B-Instruct", LLAMA),
        ("llama-3.2-3b", LLAMA),
    ],
)
def test_a_model_is_found_by_each_of_its_names(name: str, found: tuple[str, str]) -> None:
    assert training_model(name) == found


def test_a_name_without_provider_goes_with_one_that_is_said() -> None:
    assert training_model("nova-lite", "bedrock") == NOVA_LITE
    assert training_model("bedrock/nova-lite", "bedrock") == NOVA_LITE


@pytest.mark.parametrize(
    ("name", "provider", "words"),
    [
        ("bedrock/amazon.nova-lit-v1", None, "Did you mean amazon.nova-lite-v1?"),
        ("nova-lit", None, "Did you mean nova-lite?"),
        ("bedrok/nova-lite", None, "Did you mean bedrock/nova-lite?"),
        ("anthropic/claude", None, "no provider is known to train"),
        ("openai/gpt-4.1-nano", None, "OpenAI shut it down"),
        ("gpt-4.1-nano", None, "OpenAI shut it down"),
        ("nova-lite", "openai", "Unknown openai model"),
        ("bedrock/nova-lite", "openai", "leave 'provider' out"),
        ("nova-lite", "bedrok", "Did you mean bedrock?"),
        ("", None, "must be a model's name"),
        (None, None, "must be a model's name"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused_with_what_is_known(
    name: str, provider: str | None, words: str
) -> None:
    with pytest.raises(TrainKwargsError) as refusal:
        training_model(name, provider)
    assert words in str(refusal.value)
    assert "'model'" in str(refusal.value) or "'provider'" in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["bedrock/amazon.nova-lite-v1", "bedrock/nova-lite", "bedrock/amazon.nova-lite-v1:0:300k"]
)
def test_a_base_model_is_called_by_the_id_of_inference(name: str) -> None:
    assert inference_model(name) == "bedrock/amazon.nova-lite-v1:0"


def test_the_second_generation_answers_under_its_inference_profile() -> None:
    assert inference_model("bedrock/amazon.nova-2-lite-v1") == "bedrock/us.amazon.nova-2-lite-v1:0"


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-4o-mini",
        "databricks/my-endpoint",
        "bedrock/us.amazon.nova-lite-v1:0",
        "bedrock/converse/arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc",
        "anthropic/claude-sonnet",
        "anything",
    ],
)
def test_what_is_called_by_its_own_name_is_left_as_it_is(name: str) -> None:
    assert inference_model(name) == name


def test_every_name_in_the_tables_leads_to_a_model_of_the_rules() -> None:
    trained = {(rules.provider, rules.model_id) for rules in MODELS}
    called = {rules.inference_id for rules in MODELS}
    assert set(TRAINING.values()) == {model for _, model in trained}
    assert set(INFERENCE.values()) <= called
    for name, model in TRAINING.items():
        owner = name.partition("/")[0]
        assert owner in PROVIDERS
        assert find_model(owner, model).model_id == model
        assert training_model(name) == (owner, model)
