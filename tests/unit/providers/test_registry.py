"""The providers by name, and what is loaded for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.builders import REQUEST, job_in
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.errors import CredentialsError, RequestInvalidError
from tunedrop.domain.job import Phase
from tunedrop.domain.models import PROVIDERS
from tunedrop.providers.bedrock_models import BedrockModels
from tunedrop.providers.registry import ProviderConnections, ServingConnections, bedrock_models

SECRETS = {
    "openai": {"api_key": "k"},
    "databricks": {"host": "https://example.cloud.databricks.com", "token": "t"},
}


class MemorySecrets:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def read(self, provider: str, credentials: str) -> Mapping[str, str]:
        self.asked.append((provider, credentials))
        return SECRETS[provider]


def connections(secrets: MemorySecrets, **environ: str) -> ProviderConnections:
    def client(service: str) -> Any:
        return object()

    environ = {"ARTIFACTS_BUCKET": "artifacts", "BEDROCK_ROLE_ARN": "arn:aws:iam::1:role/r", **environ}
    return ProviderConnections(secrets=secrets, objects=MemoryObjectStore(), client=client, environ=environ)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_has_an_adapter(provider: str) -> None:
    job = job_in(Phase.QUEUED, provider=provider)

    assert provider in type(connections(MemorySecrets())(job)).__name__.lower()


def test_a_job_names_its_credentials() -> None:
    secrets = MemorySecrets()
    request = msgspec.structs.replace(REQUEST, credentials="team-a")

    connections(secrets)(job_in(Phase.QUEUED, request=request))

    assert secrets.asked == [("openai", "team-a")]


def test_a_secret_that_was_never_filled_in_is_said_to_be_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECRETS, "openai", {})
    monkeypatch.setitem(SECRETS, "databricks", {})
    for provider in ("openai", "databricks"):
        with pytest.raises(CredentialsError, match="secret"):
            connections(MemorySecrets())(job_in(Phase.QUEUED, provider=provider))


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestInvalidError, match="openai, bedrock, databricks"):
        connections(MemorySecrets())(job_in(Phase.QUEUED, provider="nobody"))


def serving_connections(secrets: MemorySecrets, asked_for: list[str] | None = None) -> ServingConnections:
    def client(service: str) -> Any:
        if asked_for is not None:
            asked_for.append(service)
        return object()

    return ServingConnections(secrets=secrets, client=client)


@pytest.mark.parametrize("provider", ["bedrock", "databricks"])
def test_what_has_to_be_served_has_a_serving_adapter(provider: str) -> None:
    job = job_in(Phase.QUEUED, provider=provider)

    assert type(serving_connections(MemorySecrets())(job)).__name__.lower() == f"{provider}serving"


def test_an_endpoint_has_the_credentials_that_its_job_names() -> None:
    secrets = MemorySecrets()
    request = msgspec.structs.replace(REQUEST, credentials="team-a")

    serving_connections(secrets)(job_in(Phase.QUEUED, provider="databricks", request=request))

    assert secrets.asked == [("databricks", "team-a")]


def test_bedrock_is_served_and_cleared_up_with_the_functions_own_credentials() -> None:
    secrets, asked_for = MemorySecrets(), list[str]()
    connect = serving_connections(secrets, asked_for)

    connect(job_in(Phase.QUEUED, provider="bedrock"))

    assert isinstance(bedrock_models(connect.client), BedrockModels)
    assert (secrets.asked, asked_for) == ([], ["bedrock", "bedrock"])


def test_what_openai_serves_by_itself_cannot_be_started() -> None:
    with pytest.raises(RequestInvalidError, match=r"'openai'.*bedrock, databricks"):
        serving_connections(MemorySecrets())(job_in(Phase.QUEUED))


def test_no_providers_sdk_is_loaded_before_it_is_asked_for() -> None:
    """A function holds one provider's SDK only; its package would not even have the others."""
    code = "import sys, tunedrop.wiring; print(sorted({'openai', 'databricks'} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "lambdas"}, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
