"""What is sent is signed by the caller's credentials, and these are for the API alone."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.client.signature import is_signed, signed_headers
from tests.unit.client.urls import URL
from tunedrop.client.connection import Connection
from tunedrop.client.errors import ConfigurationError
from tunedrop.client.signing import SignedByCaller
from tunedrop.client.transport import Transport

SECRET = "wJalrXUtnFEMI/K7MDENG"
pytestmark = pytest.mark.usefixtures("aws_config")


class Recorder(httpx.MockTransport):
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json={})


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/v1/jobs", None, None),
        ("GET", "/v1/jobs", {"status": "running", "limit": 5, "next_token": "a+b/c= ü&x"}, None),
        ("GET", "/v1/jobs/a b%20ü", None, None),
        ("POST", "/v1/jobs", {"validate_only": True}, {"job_name": "Über uns"}),
        ("DELETE", "/v1/jobs/jzvdoef3b2g5cia5vwgy4ufrw7/model", None, None),
    ],
)
def test_every_request_is_signed_as_aws_checks_it(
    method: str, path: str, query: dict[str, object] | None, body: object
) -> None:
    recorder = Recorder()
    with Transport(Connection(URL), transport=recorder) as transport:
        transport.request(method, path, query=query, body=body)
    [request] = recorder.requests
    assert is_signed(request, secret=SECRET)
    assert not is_signed(request, secret="another")
    assert {"host", "x-amz-date"} <= set(signed_headers(request))


def test_the_key_of_a_request_is_signed_and_what_proxies_change_is_not() -> None:
    recorder = Recorder()
    with Transport(Connection(URL), transport=recorder) as transport:
        transport.request("POST", "/v1/jobs", body={}, headers={"Idempotency-Key": "k"})
    [request] = recorder.requests
    assert is_signed(request, secret=SECRET)
    assert set(signed_headers(request)) == {"content-type", "host", "idempotency-key", "x-amz-date"}


def test_temporary_credentials_send_their_token_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjE")
    recorder = Recorder()
    with Transport(Connection(URL), transport=recorder) as transport:
        transport.request("GET", "/v1/jobs")
    [request] = recorder.requests
    assert request.headers["x-amz-security-token"] == "IQoJb3JpZ2luX2VjE"
    assert "x-amz-security-token" in signed_headers(request)
    assert is_signed(request, secret=SECRET)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/prod/v1/jobs", URL.replace("https", "http") + "/v1/jobs", URL.replace(".com/", ".com:444/")],
)
def test_nothing_is_signed_for_another_host(url: str) -> None:
    recorder = Recorder()
    with (
        httpx.Client(auth=SignedByCaller(Connection(URL)), transport=recorder) as http,
        pytest.raises(ConfigurationError, match="nothing is signed"),
    ):
        http.get(url)
    assert recorder.requests == []


def test_credentials_that_cannot_be_refreshed_are_said_to_be(
    aws_config: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hasattr(aws_config, "write_text")
    aws_config.write_text("[profile team]\ncredential_process = /does/not/exist\n")
    recorder = Recorder()
    with (
        Transport(Connection(URL, profile="team"), transport=recorder) as transport,
        pytest.raises(ConfigurationError, match="credentials"),
    ):
        transport.request("GET", "/v1/jobs")
    assert recorder.requests == []
