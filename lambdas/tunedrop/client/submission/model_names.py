"""Model names as users write them, in two tables: what a provider trains, and what answers to a call.

They differ. Bedrock trains `amazon.nova-lite-v1:0:300k` and answers to `amazon.nova-lite-v1:0`; both come from the
rules of each model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tunedrop.client.errors import TrainKwargsError
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.models import MODELS, PROVIDERS, RETIRED, ModelRules, find_model
from tunedrop.domain.suggestions import did_you_mean

_ROUTES = ("converse/", "invoke/")
"""LiteLLM's ways to call Bedrock, between the provider and the model."""
_REGIONS = re.compile(r"^(?:us|eu|apac|global)\.")
"""Before the model in the name of a cross-region inference profile, which nothing is trained by."""


def _names(rules: ModelRules) -> Iterable[str]:
    called = () if rules.inference_id is None else (rules.inference_id,)
    return (rules.model_id, *rules.aliases, *called)


TRAINING: Mapping[str, str] = {
    f"{rules.provider}/{name}".casefold(): rules.model_id for rules in MODELS for name in _names(rules)
}
"""From `<provider>/<any name>`, in lower case, to the id that training takes."""

INFERENCE: Mapping[str, str] = {
    f"{rules.provider}/{name}".casefold(): rules.inference_id
    for rules in MODELS
    for name in _names(rules)
    if rules.provider == "bedrock" and rules.inference_id is not None
}
"""The same, to what is called. OpenAI answers to its own aliases, and a workspace names its own endpoints."""


def training_model(model: str, provider: str | None = None) -> tuple[str, str]:
    """The provider, and its id of the model to train: `bedrock/amazon.nova-lite-v1` is
    `("bedrock", "amazon.nova-lite-v1:0:300k")`.

    `model` is `<provider>/<name>`, or a name that one provider alone has; or `provider` says whose it is. A fine-tune
    of OpenAI (`ft:…`) can be trained further. Raises TrainKwargsError, which lists what is known.
    """
    owner, name = _parted(model, provider)
    if owner is None:
        owner = _only_owner(name)
    known = TRAINING.get(f"{owner}/{_plain(owner, name)}".casefold())
    if known is not None:
        return owner, known
    try:
        return owner, find_model(owner, name).model_id
    except RequestInvalidError as error:
        raise TrainKwargsError(f"'model' is {model!r:.120}, which cannot be trained. {error}") from None


def inference_model(model: str) -> str:
    """What LiteLLM calls for a base model's name: `bedrock/amazon.nova-lite-v1` is `bedrock/amazon.nova-lite-v1:0`.

    A string that is not in the table is left as it is: a tuned model, a route, an inference profile, another provider.
    """
    known = INFERENCE.get(model.casefold())
    return model if known is None else f"bedrock/{known}"


def _parted(model: object, provider: object) -> tuple[str | None, str]:
    if not isinstance(model, str) or not model.strip():
        raise TrainKwargsError(
            f"'model' is {_shown(model)}, but must be a model's name, such as 'bedrock/amazon.nova-lite-v1'."
        )
    if provider is not None and provider not in PROVIDERS:
        near = did_you_mean(provider, PROVIDERS) if isinstance(provider, str) else ""
        raise TrainKwargsError(f"'provider' is {_shown(provider)}.{near} Known: {', '.join(PROVIDERS)}.")
    first, slash, rest = model.partition("/")
    named = first.casefold() if slash and first.casefold() in PROVIDERS else None
    if named is None:
        return (str(provider) if provider else None), model
    if provider is not None and named != provider:
        raise TrainKwargsError(f"'model' is {model!r:.120}, but 'provider' is {provider!r}: leave 'provider' out.")
    return named, rest


def _plain(owner: str, name: str) -> str:
    """Without what LiteLLM and Bedrock put before the name for a call."""
    if owner != "bedrock":
        return name
    for route in _ROUTES:
        name = name.removeprefix(route)
    return _REGIONS.sub("", name)


def _only_owner(name: str) -> str:
    if name.startswith("ft:"):
        return "openai"
    folded = name.casefold()
    retired = [owner for owner, model in RETIRED if model == folded]
    owners = retired or [each for each in PROVIDERS if f"{each}/{_plain(each, folded)}" in TRAINING]
    if len(owners) == 1:
        return owners[0]
    if owners:
        raise TrainKwargsError(f"{' and '.join(owners)} have a model {name!r:.120}: write {owners[0]}/{name:.100}.")
    near = did_you_mean(name, (*TRAINING, *(known.partition("/")[2] for known in TRAINING)))
    shown = ", ".join(f"{rules.provider}/{(rules.aliases or (rules.model_id,))[0]}" for rules in MODELS)
    raise TrainKwargsError(f"'model' is {name!r:.120}, which no provider is known to train.{near} Known: {shown}.")


def _shown(value: object) -> str:
    return repr(value)[:120] if isinstance(value, str | int | float | bool | None) else type(value).__name__
