"""The variables by which a user's programs reach a stack on this machine, and how `make up` hands them on."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from databricks.sdk import WorkspaceClient
from openai import OpenAI

from local.api_client import ApiClient
from local.client_environment import client_environment, model_environment
from local.deployment import StackOutputs
from local.emulator.connection import EmbeddedAws
from local.emulator.service_events import ServiceEvents
from local.running_stack import RunningStack
from local.simulated_providers import SimulatedProviders, simulated_providers
from local.simulators.faults import Faults
from local.simulators.openai.webhooks import WebhookEndpoint, new_secret
from local.supervisor import Ready
from local.usage import UNWANTED, usage

API = "http://127.0.0.1:4566/_aws/execute-api/abc123/dev"


@pytest.fixture
def providers() -> Iterator[SimulatedProviders]:
    with simulated_providers() as providers:
        yield providers


@pytest.fixture
def environment(providers: SimulatedProviders, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a stack without the embedded AWS, which nothing here calls."""
    webhooks = WebhookEndpoint(url=API, secret=new_secret(), events=list, faults=Faults(), look_seconds=60)
    with Path(os.devnull).open("wb") as pipe:
        stack = RunningStack(
            aws=EmbeddedAws(
                url="http://127.0.0.1:4566",
                pid=0,
                log_file=tmp_path / "log",
                service_events=ServiceEvents(pipe),
                endpoints=providers.aws_endpoints,
            ),
            api=ApiClient(API),
            outputs=outputs(),
            providers=providers,
            webhooks=webhooks,
            folder=tmp_path,
        )
        yield client_environment(stack)


def outputs() -> StackOutputs:
    names = msgspec.structs.fields(StackOutputs)
    return StackOutputs(**{field.name: f"the-{field.name}" for field in names})


def test_the_providers_own_sdks_get_in_with_what_it_says(
    providers: SimulatedProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in model_environment(providers).items():
        monkeypatch.setenv(name, value)
    with OpenAI() as openai:
        assert "gpt-4o-mini" in {model.id for model in openai.models.list()}
    endpoints = WorkspaceClient().serving_endpoints.list()
    assert "databricks-meta-llama-3-1-8b-instruct" in {endpoint.name for endpoint in endpoints}


def test_tunedrops_client_gets_the_url_and_no_profile_of_the_users(environment: dict[str, str]) -> None:
    assert environment["TUNEDROP_URL"] == API
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_what_make_up_prints_first_leaves_a_shell_with_these_variables(environment: dict[str, str]) -> None:
    printed = usage(Ready(environment=environment, outputs=outputs(), providers={}))
    exports = "\n".join(line for line in printed.splitlines() if line.startswith(("unset ", "export ")))
    own = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": "a-real-one", **dict.fromkeys(UNWANTED, "mine")}
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{exports}\nenv -0"], env=own, capture_output=True, text=True, timeout=10, check=True
    )
    found = dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if "=" in entry)
    assert {name: found[name] for name in environment} == environment
    assert not set(UNWANTED) & set(found)


def test_what_make_up_prints_runs_tunedrops_client_and_command_line(environment: dict[str, str]) -> None:
    printed = usage(Ready(environment=environment, outputs=outputs(), providers={}))
    program = printed.partition("python -c ")[2].partition("'\n\n")[0] + "'"
    (code,) = shlex.split(program)
    compile(code, "usage", "exec")
    assert "Tunedrop().finetune(" in code
    assert "\ntunedrop submit examples/support-chat.jsonl " in printed
