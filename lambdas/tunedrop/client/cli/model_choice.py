"""From words on a command line to a model and its hyperparameters."""

from __future__ import annotations

from collections.abc import Iterable

from tunedrop.client.cli.failures import UsageError
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.models import MODELS, PROVIDERS, RETIRED, ModelRules, find_model


def choose_model(provider: str | None, name: str) -> ModelRules:
    """The model of this name; without a provider, the one at the only provider that knows it.

    Raises UsageError, which lists what is known.
    """
    for option, value in (("--provider", provider), ("--model", name)):
        if value is not None and not value.isprintable():
            raise UsageError(f"{option} holds characters that cannot be printed: {value!r}")
    provider = provider or _owner_of_retired(name)
    if provider is not None:
        try:
            return find_model(provider, name)
        except RequestInvalidError as error:
            raise UsageError(str(error)) from None
    found = [model for each in PROVIDERS if (model := _model_at(each, name)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        owners = " and ".join(model.provider for model in found)
        raise UsageError(f"{owners} have a model {name!r}: say which with --provider.")
    known = "; ".join(f"{each}: {', '.join(_names_at(each))}" for each in PROVIDERS)
    raise UsageError(f"Unknown model {name!r}. Known: {known}.")


def _owner_of_retired(name: str) -> str | None:
    return next((owner for owner, retired in RETIRED if retired == name.casefold()), None)


def _names_at(provider: str) -> list[str]:
    return [model.aliases[0] if model.aliases else model.model_id for model in MODELS if model.provider == provider]


def _model_at(provider: str, name: str) -> ModelRules | None:
    try:
        return find_model(provider, name)
    except RequestInvalidError:
        return None


def read_hyperparameters(words: Iterable[str]) -> dict[str, int | float | str]:
    """`name=value` each; the values stay text, which the model's rules read. Raises UsageError."""
    given: dict[str, int | float | str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        name, value = name.strip(), value.strip()
        if not (separator and name and value):
            raise UsageError(f"--hyperparameters takes NAME=VALUE, such as epochs=3, but got {word!r}.")
        if name in given:
            raise UsageError(f"--hyperparameters gives {name!r} twice.")
        given[name] = value
    return given
