"""Which model the words of a command line name."""

from __future__ import annotations

import msgspec
import pytest

from tunedrop.client.cli import model_choice
from tunedrop.client.cli.failures import UsageError
from tunedrop.client.cli.model_choice import choose_model
from tunedrop.domain.models import MODELS, ModelRules, find_model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_id)
def test_every_name_of_every_model_tells_its_provider(model: ModelRules) -> None:
    for name in (model.model_id, *model.aliases):
        assert choose_model(None, name) is choose_model(model.provider, name) is model


def test_a_fine_tune_of_openai_tells_its_provider() -> None:
    model = choose_model(None, "ft:gpt-4o-mini-2024-07-18:acme::abc")
    assert (model.provider, model.model_id) == ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc")


def test_an_unknown_model_lists_what_every_provider_has() -> None:
    with pytest.raises(UsageError, match=r"Unknown model 'gpt-9'.*openai: gpt-4.1.*bedrock: nova-micro.*databricks: "):
        choose_model(None, "gpt-9")


def test_an_unknown_model_of_a_provider_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean nova-lite"):
        choose_model("bedrock", "nova-lit")


def test_an_unknown_provider_lists_what_is_known() -> None:
    with pytest.raises(UsageError, match="Known: openai, bedrock, databricks"):
        choose_model("azure", "nova-lite")


def test_a_model_that_is_gone_says_so_without_its_provider() -> None:
    with pytest.raises(UsageError, match="can no longer be trained"):
        choose_model(None, "gpt-4.1-nano")


def test_a_name_at_two_providers_needs_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    def everywhere(provider: str, name: str) -> ModelRules:
        return msgspec.structs.replace(find_model("bedrock", "nova-lite"), provider=provider)

    monkeypatch.setattr(model_choice, "find_model", everywhere)
    with pytest.raises(UsageError, match="openai and bedrock and databricks have a model 'x': say which"):
        choose_model(None, "x")
    assert choose_model("databricks", "x").provider == "databricks"
