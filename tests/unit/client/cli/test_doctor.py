"""`tunedrop doctor`: what it finds in good order, what it finds wrong, and what it says to do about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from local.simulators.databricks.simulator import DatabricksSimulator
from local.simulators.openai.simulator import OpenAISimulator
from local.simulators.serving import serving
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import URL, Stack
from tunedrop.client import tunedrop as client
from tunedrop.client.cli.diagnosis import machine
from tunedrop.client.cli.diagnosis import stack as stack_checks
from tunedrop.client.cli.diagnosis.finding import State
from tunedrop.client.connection import Connection

PROJECT = Path(__file__).resolve().parents[4]
_REAL = client.Tunedrop
KEY, TOKEN, CLIENT_SECRET = "sk-of-the-simulator-123", "dapi-of-the-simulator", "the-principals-secret"
ALL = (
    "Python",
    "Tunedrop",
    "URL",
    "Region",
    "Credentials",
    "Clock",
    "API",
    "API's version",
    "Secret openai",
    "OpenAI",
    "Amazon Bedrock",
    "Secret databricks",
    "Databricks",
    "Extra dspy",
    "Extra plot",
    "Extra api-docs",
)


class Providers:
    def __init__(self, openai_url: str, databricks_url: str) -> None:
        self.openai = {"api_key": KEY, "base_url": f"{openai_url}/v1"}
        self.databricks = {"host": databricks_url, "client_id": "tunedrop", "client_secret": CLIENT_SECRET}
        self.token = {"host": databricks_url, "token": TOKEN}

    def fill(self, openai: Any = None, databricks: Any = None) -> None:
        """The secrets of the stack; in good order unless given."""
        _store("openai", self.openai if openai is None else openai)
        _store("databricks", self.databricks if databricks is None else databricks)


def _store(provider: str, value: Any) -> None:
    name, text = f"tunedrop/prod/{provider}/default", value if isinstance(value, str) else json.dumps(value)
    secrets = boto3.client("secretsmanager")
    try:
        secrets.create_secret(Name=name, SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=name, SecretString=text)


@pytest.fixture
def providers(stack: Stack) -> Iterator[Providers]:
    openai = OpenAISimulator(api_key=KEY)
    databricks = DatabricksSimulator(
        token=TOKEN, client_id="tunedrop", client_secret=CLIENT_SECRET, training_job_id=1, volumes=[], schemas=[]
    )
    with serving(openai.app) as openai_url, serving(databricks.app) as databricks_url:
        made = Providers(openai_url, databricks_url)
        made.fill()
        yield made
    for provider in ("openai", "databricks"):
        boto3.client("secretsmanager").delete_secret(
            SecretId=f"tunedrop/prod/{provider}/default", ForceDeleteWithoutRecovery=True
        )


def examine(*options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by their check."""
    result = run("doctor", "--json", *options)
    document = json.loads(result.stdout)
    assert result.stderr == ""
    assert document["ok"] == (result.exit_code == 0)
    return result.exit_code, {finding["check"]: finding for finding in document["checks"]}


def states(found: dict[str, dict[str, Any]], *checks: str) -> list[str]:
    return [found[check]["state"] for check in checks]


def refuse(monkeypatch: pytest.MonkeyPatch, operations: dict[str, str]) -> None:
    """AWS answers these operations with an error of this code."""
    from botocore.client import BaseClient

    original = BaseClient._make_api_call

    def call(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation in operations:
            raise ClientError({"Error": {"Code": operations[operation], "Message": "It is not allowed."}}, operation)
        return original(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


class TestGoodOrder:
    def test_everything_is_looked_at_and_nothing_is_wrong(self, providers: Providers) -> None:
        code, found = examine()
        assert code == 0
        assert tuple(found) == ALL
        # The API of these tests tells no time, and what is installed differs.
        wanted = [check for check in ALL if not check.startswith(("Tunedrop", "Clock", "Extra"))]
        assert states(found, *wanted) == ["ok"] * len(wanted)
        assert found["Credentials"]["detail"].startswith("arn:aws:sts::123456789012:user/")
        assert "in account 123456789012" in found["Credentials"]["detail"]
        assert "stage prod" in found["URL"]["detail"]
        assert found["Region"]["detail"] == "us-east-1"

    def test_people_get_a_line_for_each(self, providers: Providers) -> None:
        result = run("doctor")
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert [line[8:].partition(":")[0] for line in lines if line[:8].strip()][: len(ALL)] == list(ALL)
        assert lines[-1] == "Nothing is wrong."

    @pytest.mark.parametrize("more", [(), ("--json",)])
    def test_no_value_of_a_secret_is_printed(self, providers: Providers, more: tuple[str, ...]) -> None:
        for databricks in (providers.databricks, providers.token):
            providers.fill(databricks=databricks)
            output = run("doctor", *more).output
            assert not [value for value in (KEY, TOKEN, CLIENT_SECRET) if value in output]

    def test_a_databricks_token_is_as_good_as_a_principal(self, providers: Providers) -> None:
        providers.fill(databricks=providers.token)
        code, found = examine()
        assert (code, states(found, "Secret databricks", "Databricks")) == (0, ["ok", "ok"])


class TestWhereAndWho:
    def test_without_a_url_the_rest_is_left_but_for_the_credentials(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TUNEDROP_URL")
        code, found = examine()
        assert code == 1
        assert tuple(found) == ALL
        assert found["URL"]["state"] == "wrong"
        assert "TUNEDROP_URL" in found["URL"]["remedy"]
        assert states(found, "Credentials", "API", "OpenAI", "Amazon Bedrock") == [
            "ok",
            "unknown",
            "unknown",
            "unknown",
        ]

    @pytest.mark.parametrize(
        "url", ["ftp://x/dev", "https://a1.execute-api.us-east-1.amazonaws.com", "http://api.example/dev", "https://"]
    )
    def test_a_url_that_is_none_of_a_stack_is_wrong(self, providers: Providers, url: str) -> None:
        code, found = examine("--url", url)
        assert (code, found["URL"]["state"]) == (1, "wrong")

    def test_a_region_that_contradicts_the_url_is_wrong(self, providers: Providers) -> None:
        code, found = examine("--region", "eu-west-1")
        assert (code, states(found, "URL", "Region", "Credentials")) == (1, ["ok", "wrong", "unknown"])
        assert "eu-west-1" in found["Region"]["detail"]

    def test_an_unknown_profile_is_wrong(self, providers: Providers) -> None:
        code, found = examine("--profile", "nobody")
        assert (code, found["Region"]["state"]) == (1, "wrong")
        assert "'nobody'" in found["Region"]["detail"]

    def test_missing_credentials_are_wrong(self, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name)
        code, found = examine()
        assert (code, states(found, "URL", "Credentials", "API")) == (1, ["ok", "wrong", "unknown"])
        assert "Sign in" in found["Credentials"]["remedy"]

    def test_credentials_that_aws_refuses_are_wrong(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse(monkeypatch, {"GetCallerIdentity": "ExpiredToken"})
        code, found = examine()
        assert (code, states(found, "Credentials", "API")) == (1, ["wrong", "unknown"])
        assert "ExpiredToken" in found["Credentials"]["detail"]


class TestStack:
    def test_an_api_that_does_not_answer_is_wrong(self, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()  # no fake API: a port of this machine that nobody listens on
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        code, found = examine("--url", "http://127.0.0.1:9/prod")
        assert (code, states(found, "Clock", "API", "API's version")) == (1, ["unknown", "wrong", "unknown"])

    def _over(self, monkeypatch: pytest.MonkeyPatch, status: int, document: Any, **headers: str) -> None:
        """The API answers everything with this."""
        transport = httpx.MockTransport(lambda _: httpx.Response(status, json=document, headers=headers))
        monkeypatch.setattr(client, "Tunedrop", partial(_REAL, transport=transport))

    def test_a_caller_who_may_not_call_it_is_told_what_a_policy_needs(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._over(monkeypatch, 403, {"title": "Not allowed", "detail": "Your policy does not allow this."})
        code, found = examine()
        assert (code, states(found, "API", "API's version")) == (1, ["wrong", "unknown"])
        assert found["API"]["detail"] == "Your policy does not allow this."
        assert "execute-api:Invoke" in found["API"]["remedy"]

    def test_another_api_is_wrong(self, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
        self._over(monkeypatch, 200, {"info": {"title": "Pets", "version": "1"}})
        code, found = examine()
        assert (code, found["API's version"]["state"]) == (1, "wrong")

    def test_a_stack_of_another_version_is_wrong(self, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
        self._over(monkeypatch, 200, {"info": {"title": "Tunedrop", "version": "2"}})
        code, found = examine()
        assert (code, found["API's version"]["state"]) == (1, "wrong")
        assert "upgrade" in found["API's version"]["remedy"]

    def test_a_clock_that_aws_would_refuse_is_wrong(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent = format_datetime(datetime.now(UTC) + timedelta(minutes=11), usegmt=True)
        self._over(monkeypatch, 403, {"detail": "Signature expired."}, Date=sent)
        code, found = examine()
        assert (code, found["Clock"]["state"]) == (1, "wrong")
        assert "behind the API's" in found["Clock"]["detail"]
        assert found["Clock"]["remedy"] == "Set this machine's clock."

    @pytest.mark.parametrize(
        ("seconds", "state", "words"),
        [
            (0, State.OK, "to the second"),
            (100, State.OK, "100 s ahead of the API's, which is near enough"),
            (-100, State.OK, "100 s behind the API's, which is near enough"),
            (301, State.WRONG, "it is 301 s ahead of the API's"),
            (-301, State.WRONG, "it is 301 s behind the API's"),
        ],
    )
    def test_the_clock_is_held_against_the_apis(self, seconds: int, state: State, words: str) -> None:
        there = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        found = stack_checks.check_clock(format_datetime(there, usegmt=True), there + timedelta(seconds=seconds))
        assert found.state is state
        assert words in found.detail

    @pytest.mark.parametrize("date", [None, "", "yesterday"])
    def test_an_api_that_does_not_tell_the_time_is_no_failure(self, date: str | None) -> None:
        assert stack_checks.check_clock(date, datetime.now(UTC)).state is State.UNKNOWN


class TestSecrets:
    def test_an_empty_secret_is_no_mistake_if_the_provider_is_not_used(self, providers: Providers) -> None:
        providers.fill(openai={}, databricks="{}")
        code, found = examine()
        assert (code, states(found, "Secret openai", "OpenAI")) == (0, ["off", "unknown"])
        assert states(found, "Secret databricks", "Databricks") == ["off", "unknown"]
        assert "put-secret-value --secret-id tunedrop/prod/openai/default" in found["Secret openai"]["remedy"]

    def test_it_is_one_if_the_provider_is_used(self, providers: Providers) -> None:
        providers.fill(openai={}, databricks={})
        code, found = examine("--provider", "openai", "--provider", "bedrock")
        assert (code, found["Secret openai"]["state"], "Databricks" in found) == (1, "wrong", False)
        assert found["Amazon Bedrock"]["state"] == "ok"

    def test_an_unknown_provider_is_wrong_usage(self, providers: Providers) -> None:
        result = run("doctor", "--provider", "openal")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "openai, bedrock, databricks" in result.stderr

    @pytest.mark.parametrize(
        ("openai", "said"),
        [
            ({"base_url": "https://x.example"}, "has no api_key"),
            ({"api_key": "  "}, "has no api_key"),
            ("not json " + KEY, "is not a JSON object of strings"),
            ('{"api_key": 4711}', "is not a JSON object of strings"),
        ],
    )
    def test_a_secret_without_its_fields_is_wrong(self, providers: Providers, openai: Any, said: str) -> None:
        providers.fill(openai=openai)
        code, found = examine()
        assert (code, states(found, "Secret openai", "OpenAI")) == (1, ["wrong", "unknown"])
        assert said in found["Secret openai"]["detail"]
        assert KEY not in json.dumps(found)

    @pytest.mark.parametrize(
        ("missing", "said"), [("host", "has no host"), ("client_secret", "neither a token nor client_id")]
    )
    def test_so_is_one_of_databricks(self, providers: Providers, missing: str, said: str) -> None:
        providers.fill(databricks={name: value for name, value in providers.databricks.items() if name != missing})
        code, found = examine()
        assert (code, found["Secret databricks"]["state"]) == (1, "wrong")
        assert said in found["Secret databricks"]["detail"]

    def test_a_secret_that_is_not_there_is_wrong(self, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TUNEDROP_URL", URL.replace("/prod", "/staging"))
        code, found = examine()
        assert (code, found["Secret openai"]["state"]) == (1, "wrong")
        assert "tunedrop/staging/openai/default does not exist" in found["Secret openai"]["detail"]
        assert "Check the stage" in found["Secret openai"]["remedy"]

    def test_a_secret_that_may_not_be_read_is_no_failure(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse(monkeypatch, {"GetSecretValue": "AccessDeniedException"})
        code, found = examine()
        assert (code, states(found, "Secret openai", "OpenAI")) == (0, ["unknown", "unknown"])
        assert "exists" in found["Secret openai"]["detail"]
        refuse(monkeypatch, {"GetSecretValue": "AccessDenied", "DescribeSecret": "AccessDenied"})
        code, found = examine()
        assert (code, found["Secret openai"]["state"]) == (0, "unknown")
        assert "cannot be looked at" in found["Secret openai"]["detail"]


class TestProviders:
    def test_a_key_that_openai_refuses_is_wrong(self, providers: Providers) -> None:
        providers.fill(openai={**providers.openai, "api_key": "another-key"})
        code, found = examine()
        assert (code, states(found, "Secret openai", "OpenAI")) == (1, ["ok", "wrong"])
        assert "refuses the key in the secret (401)" in found["OpenAI"]["detail"]
        assert "another-key" not in json.dumps(found)

    @pytest.mark.parametrize("wrong", [{"client_secret": "another"}, {"token": "dapi-another", "client_secret": ""}])
    def test_so_is_one_that_databricks_refuses(self, providers: Providers, wrong: dict[str, str]) -> None:
        providers.fill(databricks={**providers.databricks, **wrong})
        code, found = examine()
        assert (code, states(found, "Secret databricks", "Databricks")) == (1, ["ok", "wrong"])
        assert "refuses the key in the secret" in found["Databricks"]["detail"]

    def test_a_host_that_does_not_answer_is_wrong(self, providers: Providers) -> None:
        nobody = "http://127.0.0.1:9"
        providers.fill(
            openai={**providers.openai, "base_url": f"{nobody}/v1"}, databricks={**providers.token, "host": nobody}
        )
        code, found = examine()
        assert (code, states(found, "OpenAI", "Databricks")) == (1, ["wrong", "wrong"])
        assert "cannot be reached" in found["OpenAI"]["detail"]

    @pytest.mark.parametrize("host", ["http://10.1.1.1", "workspace", "https://user:word@host.example"])
    def test_no_key_is_sent_where_others_could_read_it(self, providers: Providers, host: str) -> None:
        providers.fill(openai={**providers.openai, "base_url": host}, databricks={**providers.token, "host": host})
        code, found = examine()
        assert (code, states(found, "OpenAI", "Databricks")) == (1, ["wrong", "wrong"])
        assert "word" not in found["OpenAI"]["detail"].replace("words", "")

    def test_bedrock_that_one_may_not_list_is_no_failure(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse(monkeypatch, {"ListCustomModels": "AccessDeniedException"})
        code, found = examine()
        assert (code, found["Amazon Bedrock"]["state"]) == (0, "unknown")

    def test_bedrock_that_refuses_otherwise_is_wrong(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse(monkeypatch, {"ListCustomModels": "UnrecognizedClientException"})
        assert examine()[1]["Amazon Bedrock"]["state"] == "wrong"


class TestMachine:
    def test_an_old_python_is_wrong(self) -> None:
        found = machine.check_python((3, 10, 4))
        assert (found.state, found.detail) == (State.WRONG, "3.10.4 is too old")
        assert machine.check_python((3, 11, 0)).state is State.OK

    def test_an_extra_that_is_not_installed_is_no_failure(
        self, providers: Providers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "find_spec", lambda name: None if name == "matplotlib" else object())
        code, found = examine()
        assert (code, states(found, "Extra dspy", "Extra plot")) == (0, ["ok", "off"])
        assert found["Extra plot"]["remedy"] == "pip install 'tunedrop[plot]'"

    def test_looking_at_the_extras_loads_none_of_them(self) -> None:
        program = (
            "import sys; from tunedrop.client.cli.diagnosis.machine import check_extras; list(check_extras());"
            "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
        )
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "lambdas")}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert not set(done.stdout.split()) & {"dspy", "matplotlib", "flask", "flask_swagger_ui"}


def test_a_connection_tells_the_timeouts_that_it_was_asked_for() -> None:
    client_of_sts = Connection(URL).client("sts", timeout=3.0, attempts=2)
    assert (client_of_sts.meta.config.read_timeout, client_of_sts.meta.config.connect_timeout) == (3.0, 3.0)
    assert client_of_sts.meta.config.retries["total_max_attempts"] == 2
    assert Connection(URL).client("sts", timeout=60.0).meta.config.connect_timeout == 10.0
