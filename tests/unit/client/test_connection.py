"""Which stack is called, in which region, by whom."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.unit.client.urls import HOST, URL
from tunedrop.client.connection import Connection, connected
from tunedrop.client.errors import ConfigurationError

LOCAL = "http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4e5/dev"
pytestmark = pytest.mark.usefixtures("aws_config")


def profile(name: str, key: str, region: str = "") -> str:
    section = name if name == "default" else f"profile {name}"
    lines = [f"[{section}]", f"aws_access_key_id = {key}", "aws_secret_access_key = secret-of-a-profile"]
    return "\n".join([*lines, *([f"region = {region}"] if region else []), ""])


def key_of(connection: Connection) -> str:
    key: str = connection.credentials.get_frozen_credentials().access_key
    return key


def test_the_url_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEDROP_URL", f" {URL}/ ")
    assert Connection().url == URL
    assert Connection(LOCAL, region="us-east-1").url == LOCAL  # one that is passed wins


def test_without_a_url_it_is_said_where_to_find_it() -> None:
    with pytest.raises(ConfigurationError, match=r"ApiUrl.*TUNEDROP_URL"):
        Connection()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev", "not encrypted"),
        ("http://example.com/dev", "not encrypted"),
        ("http://127.0.0.1.example.com/dev", "not encrypted"),
        (f"https://maria:hunter2@{HOST}/dev", "user name or password"),
        (f"https://{HOST}/dev?a=b", "not the URL of a stack"),
        (f"https://{HOST}/dev#jobs", "not the URL of a stack"),
        (f"https://{HOST}", "does not end with the stage"),
        (f"https://{HOST}/dev/v1", "does not end with the stage"),
        (f"ftp://{HOST}/dev", "not the URL of a stack"),
        (f"https://{HOST}:port/dev", "cannot be read"),
        ("dev", "not the URL of a stack"),
    ],
)
def test_a_url_that_cannot_be_one_of_a_stack_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        Connection(url, region="us-east-1")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "region", "stage"),
    [
        (URL, "us-east-1", "prod"),
        ("https://a1.execute-api.eu-central-1.amazonaws.com/dev/", "eu-central-1", "dev"),
        ("https://a1.execute-api.cn-north-1.amazonaws.com.cn/dev", "cn-north-1", "dev"),
        ("https://a1-vpce-0f1.execute-api.us-west-2.amazonaws.com/dev", "us-west-2", "dev"),
    ],
)
def test_region_and_stage_are_in_the_url(url: str, region: str, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    connection = Connection(url)
    assert (connection.region, connection.stage) == (region, stage)


def test_another_region_than_that_of_the_url_is_refused() -> None:
    assert Connection(URL, region="us-east-1").region == "us-east-1"
    with pytest.raises(ConfigurationError, match=r"'eu-west-1'.*us-east-1"):
        Connection(URL, region="eu-west-1")


def test_where_the_url_tells_no_region_it_is_the_one_of_awss_tools(
    aws_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        Connection(LOCAL)
    aws_config.write_text(profile("team", "AKIDTEAM", "eu-north-1"))
    assert Connection(LOCAL, profile="team").region == "eu-north-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert Connection(LOCAL).region == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert Connection(LOCAL).region == "eu-west-3"
    assert Connection(LOCAL, region="eu-west-1").region == "eu-west-1"


def test_a_domain_of_ones_own_can_be_called_but_does_not_tell_the_stage() -> None:
    connection = Connection("https://tunedrop.example.com", region="us-east-1")
    with pytest.raises(ConfigurationError, match="stage"):
        _ = connection.stage


def test_a_profile_brings_its_credentials(aws_config: Path) -> None:
    aws_config.write_text(profile("team", "AKIDTEAM"))
    assert key_of(Connection(URL, profile="team")) == "AKIDTEAM"
    assert key_of(Connection(URL)) == "AKIDEXAMPLE"


def test_the_profile_default_is_what_there_is_where_none_has_that_name(aws_config: Path) -> None:
    assert key_of(Connection(URL, profile="default")) == "AKIDEXAMPLE"
    aws_config.write_text(profile("default", "AKIDDEFAULT"))
    assert key_of(Connection(URL, profile="default")) == "AKIDDEFAULT"


def test_an_unknown_profile_is_refused_with_those_that_there_are(
    aws_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_config.write_text(profile("team", "AKIDTEAM"))
    with pytest.raises(ConfigurationError, match=r"'tema' \(known: team\).*aws configure --profile tema"):
        Connection(URL, profile="tema")
    monkeypatch.setenv("AWS_PROFILE", "tema")
    with pytest.raises(ConfigurationError, match="tema"):
        Connection(URL)


def test_without_credentials_it_is_said_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    connection = Connection(URL)  # nothing is called yet
    with pytest.raises(ConfigurationError, match=r"aws sso login.*AWS_ACCESS_KEY_ID"):
        _ = connection.credentials


def test_credentials_that_end_soon_are_got_anew(aws_config: Path, tmp_path: Path) -> None:
    program = tmp_path / "credentials.py"
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    program.write_text(
        "import json, pathlib\n"
        f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
        "calls.write_text((calls.read_text() if calls.exists() else '') + 'x')\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'AKID{len(calls.read_text())}',"
        f" 'SecretAccessKey': 's', 'SessionToken': 't', 'Expiration': {soon!r}}}))\n"
    )
    aws_config.write_text(f"[profile team]\ncredential_process = {sys.executable} {program}\n")
    connection = Connection(URL, profile="team")
    first, second = key_of(connection), key_of(connection)
    assert first != second


def test_another_profile_calls_the_same_stack(aws_config: Path) -> None:
    aws_config.write_text(profile("team", "AKIDTEAM", "eu-north-1"))
    connection = Connection(URL)
    assert connected(connection, None) is connection
    other = connected(connection, "team")
    assert (other.url, other.region, key_of(other)) == (connection.url, "us-east-1", "AKIDTEAM")
    assert connected(other, "team") is other


def test_nothing_secret_is_in_what_it_prints() -> None:
    connection = Connection(URL)
    assert repr(connection) == f"Connection({URL!r}, region='us-east-1', profile=None)"
    assert "wJalrXUtnFEMI" not in repr(vars(connection))


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


def test_a_stack_on_this_machine_is_called_past_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def secrets_manager(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps({"Name": "tunedrop/dev/openai/default", "SecretString": "{}"}).encode()]

    with make_server("127.0.0.1", 0, secrets_manager, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        connection = Connection(LOCAL, region="us-east-1")
        client = connection.client("secretsmanager")
        assert client.get_secret_value(SecretId="any")["Name"] == "tunedrop/dev/openai/default"
        assert connection.client("secretsmanager") is client
        server.shutdown()
