"""The page on the client: every keyword, every call of a job, every error."""

from __future__ import annotations

import inspect
import re

import pytest

import tunedrop.client
from tests.docs.pages import DOCS, table
from tunedrop.client.job import Job
from tunedrop.client.submission.kwarg_rules import KWARGS
from tunedrop.domain.models import PROVIDERS, find_model

PAGE = DOCS / "client.md"
NAMES = {"openai": "OpenAI", "bedrock": "Bedrock", "databricks": "Databricks"}


def _names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)", cell)


def _documented() -> dict[str, str]:
    return {name: takers for keywords, takers, _ in table(PAGE, "Keyword") for name in _names(keywords)}


def test_every_keyword_is_there_with_the_providers_that_take_it() -> None:
    documented = _documented()
    for name, kwarg in KWARGS.items():
        takers = (
            "all" if set(kwarg.providers) == set(PROVIDERS) else " and ".join(NAMES[each] for each in kwarg.providers)
        )
        assert documented.get(name) == takers, name


def test_what_stands_beside_the_keywords_are_openais_hyperparameters() -> None:
    hyperparameters = {rule.name for rule in find_model("openai", "gpt-4o-mini").hyperparameters}
    others = _documented().keys() - KWARGS.keys()
    assert others == {"n_epochs", "batch_size", "learning_rate_multiplier"}
    assert others <= hyperparameters


def test_every_call_of_a_job_is_there() -> None:
    documented = {name for calls, _ in table(PAGE, "Call") for name in _names(calls)}
    calls = {name for name, _ in inspect.getmembers(Job, inspect.isfunction) if not name.startswith("_")}
    assert calls - {"follow"} <= documented  # `follow` is for those who draw a wait themselves
    assert documented <= calls | {"record"}


@pytest.mark.parametrize("name", re.findall(r"`(\w+Error)`", PAGE.read_text()))
def test_the_errors_that_it_names_exist(name: str) -> None:
    assert issubclass(getattr(tunedrop.client, name), Exception)
