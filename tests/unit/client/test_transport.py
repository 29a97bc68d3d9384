"""How the API is called: what is sent, what is sent again, and what is said when something is in the way."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.unit.client.signature import is_signed
from tests.unit.client.urls import HOST, URL
from tunedrop.client import answers, errors
from tunedrop.client.connection import Connection
from tunedrop.client.errors import ApiError, ConfigurationError, ConnectionFailedError, UnavailableError
from tunedrop.client.transport import Transport

SECRET = "wJalrXUtnFEMI/K7MDENG"
Reaction = httpx.Response | Exception
pytestmark = pytest.mark.usefixtures("aws_config")


class Network(httpx.MockTransport):
    """Answers with what it was told, one after the other, the last one for ever."""

    def __init__(self, *reactions: Reaction) -> None:
        self.reactions = list(reactions)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        reaction = self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]
        if isinstance(reaction, Exception):
            raise reaction
        return reaction

    def api(self, **options: Any) -> Transport:
        return Transport(Connection(URL), transport=self, sleep=self.slept.append, **options)


def problem(
    status: int, code: str, detail: str = "No.", headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    document = {"status": status, "code": code, "detail": detail, "request_id": "r-1", "title": "A title", **more}
    content_type = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(document), headers={**content_type, **(headers or {})})


OK = httpx.Response(200, json={"ok": True})
BUSY = problem(503, "store_unavailable")


def test_a_request_says_who_sends_it_and_sends_json() -> None:
    network = Network(OK)
    answer = network.api().request("POST", "/v1/jobs", query={"validate_only": True, "left": None}, body={"model": "ü"})
    assert (answer.status, answer.document) == (200, {"ok": True})
    [request] = network.requests
    assert str(request.url) == f"{URL}/v1/jobs?validate_only=true"
    assert request.headers["user-agent"].startswith("tunedrop/")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"model": "ü"}


def test_a_request_without_a_body_has_none() -> None:
    network = Network(httpx.Response(202, json={}))
    network.api().request("POST", "/v1/jobs/x/cancel")
    [request] = network.requests
    assert request.content == b""
    assert "content-type" not in request.headers


@pytest.mark.parametrize(
    "trouble", [BUSY, problem(429, "throttled"), httpx.ConnectError("no route"), httpx.ReadTimeout("slow")]
)
@pytest.mark.parametrize(("method", "headers"), [("GET", {}), ("POST", {"idempotency-key": "k"})])
def test_what_is_safe_is_sent_again_each_time_with_a_longer_pause(
    method: str, headers: dict[str, str], trouble: Reaction
) -> None:
    network = Network(trouble, trouble, OK)
    assert network.api().request(method, "/v1/jobs", headers=headers).document == {"ok": True}
    assert len(network.requests) == 3
    first, second = network.slept
    assert 0.3 < first < second < 1.5


@pytest.mark.parametrize("trouble", [BUSY, httpx.ConnectError("no route"), httpx.ReadTimeout("slow")])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_may_have_been_done_is_never_sent_twice(method: str, trouble: Reaction) -> None:
    network = Network(trouble, OK)
    with pytest.raises((UnavailableError, ConnectionFailedError)):
        network.api().request(method, "/v1/jobs/x/retry")
    assert len(network.requests) == 1


def test_each_attempt_is_signed_anew(aws_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(BUSY, OK)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    api = network.api()
    credentials = Connection(URL).credentials
    connection: Any = api._http.auth
    monkeypatch.setattr(type(connection), "_credentials", lambda _: credentials.get_frozen_credentials())

    def without_a_token(_: float) -> None:
        credentials.token = None  # as after a refresh by which the credentials became those of another kind

    api._sleep = without_a_token
    api.request("GET", "/v1/jobs")
    first, second = network.requests
    assert first.headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" not in second.headers
    assert is_signed(first, secret=SECRET)
    assert is_signed(second, secret=SECRET)


def test_trouble_that_does_not_pass_is_raised_in_the_end() -> None:
    network = Network(BUSY)
    with pytest.raises(UnavailableError):
        network.api().request("GET", "/v1/jobs")
    assert len(network.requests) == 4
    assert sum(network.slept) < 10


def test_the_wait_that_is_asked_for_is_kept() -> None:
    network = Network(problem(429, "throttled", headers={"Retry-After": "7"}), OK)
    network.api().request("GET", "/v1/jobs")
    assert network.slept == [7.0]


def test_a_long_wait_that_is_asked_for_is_left_to_the_caller() -> None:
    network = Network(problem(503, "provider_throttled", headers={"Retry-After": "600"}), OK)
    with pytest.raises(UnavailableError) as raised:
        network.api().request("GET", "/v1/jobs")
    assert (raised.value.retry_after, network.slept) == (600.0, [])


@pytest.mark.parametrize("nonsense", ["Fri, 27 Nov 2026 12:00:00 GMT", "-1", "soon", "²", ""])
def test_a_retry_after_that_is_no_number_changes_nothing(nonsense: str) -> None:
    response = httpx.Response(503, headers=[(b"Retry-After", nonsense.encode())], content=b"")
    network = Network(response, OK)
    network.api().request("GET", "/v1/jobs")
    assert 0 < network.slept[0] < 1


def test_a_request_whose_first_try_is_still_at_work_is_sent_again_and_other_conflicts_are_not() -> None:
    network = Network(problem(409, "idempotency_in_progress"), OK)
    network.api().request("POST", "/v1/jobs", headers={"Idempotency-Key": "k"})
    assert network.slept[0] > 1
    network = Network(problem(409, "credentials_invalid"), OK)
    with pytest.raises(errors.ConflictError):
        network.api().request("POST", "/v1/jobs", headers={"Idempotency-Key": "k"})
    assert len(network.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRefusedError),
        (401, errors.NotAllowedError),
        (403, errors.NotAllowedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (413, errors.RequestRefusedError),
        (415, errors.RequestRefusedError),
        (418, ApiError),
        (422, errors.RequestRefusedError),
        (429, UnavailableError),
        (500, UnavailableError),
        (502, UnavailableError),
        (504, UnavailableError),
    ],
)
def test_a_problem_becomes_an_error_of_its_kind(status: int, kind: type[ApiError]) -> None:
    network = Network(problem(status, "some_code", "What is wrong, and the way out."))
    with pytest.raises(ApiError) as raised:
        network.api().request("DELETE", "/v1/jobs/x/model")
    error = raised.value
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, "some_code", "r-1")
    assert str(error) == "What is wrong, and the way out."


def test_every_fault_of_a_request_is_in_the_message() -> None:
    faults = [
        {"detail": "Field required.", "pointer": "/model"},
        {"detail": "Too large.", "parameter": "limit"},
        {"detail": "Too long.", "header": "Idempotency-Key"},
    ]
    network = Network(problem(422, "request_invalid", "The request cannot be used.", errors=faults))
    with pytest.raises(errors.RequestRefusedError) as raised:
        network.api().request("POST", "/v1/jobs", body={})
    assert str(raised.value).splitlines() == [
        "The request cannot be used.",
        "- /model: Field required.",
        "- limit: Too large.",
        "- Idempotency-Key: Too long.",
    ]
    assert raised.value.errors == faults


def test_a_fault_that_the_message_tells_already_is_told_once() -> None:
    faults = [{"detail": "Field required.", "pointer": "/model"}]
    network = Network(problem(422, "request_invalid", "It cannot be used. /model: Field required.", errors=faults))
    with pytest.raises(errors.RequestRefusedError) as raised:
        network.api().request("POST", "/v1/jobs", body={})
    assert str(raised.value) == "It cannot be used. /model: Field required."


def test_a_caller_who_may_not_is_told_which_permission_is_missing() -> None:
    arn = "arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/dev/POST/v1/jobs"
    reason = f"User: maria is not authorized to perform: execute-api:Invoke on resource: {arn}"
    network = Network(problem(403, "access_denied", "The caller's policy must allow it.", reason=reason))
    with pytest.raises(errors.NotAllowedError, match=f"must allow it.*{arn}"):
        network.api().request("POST", "/v1/jobs", body={})


CANONICAL = "The Canonical String for this request should have been 'POST\n/dev\nx-amz-security-token:IQoJb3\n'"


@pytest.mark.parametrize(
    "answer",
    [
        problem(403, "signature_invalid", "The signature is wrong.", reason=f"It does not match. {CANONICAL}"),
        httpx.Response(403, json={"message": f"The signature does not match. {CANONICAL}"}),
    ],
)
def test_a_wrong_signature_is_told_without_the_token_that_the_gateway_repeats(answer: httpx.Response) -> None:
    with pytest.raises(errors.NotAllowedError, match="signature") as raised:
        Network(answer).api().request("GET", "/v1/jobs")
    assert "IQoJb3" not in f"{raised.value}{raised.value.__dict__}"


def test_a_gateway_that_is_no_stack_is_told_with_the_way_out() -> None:
    network = Network(httpx.Response(403, json={"message": "Missing Authentication Token"}))
    with pytest.raises(
        errors.NotAllowedError, match=r"Missing Authentication Token.*execute-api:Invoke.*ApiUrl"
    ) as raised:
        network.api().request("GET", "/v1/jobs")
    assert raised.value.code is None


HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, headers=HTML, content=b"<html>Sign in to the network</html>"), ApiError),
        (httpx.Response(502, headers=HTML, content=b"<html>Bad gateway</html>"), UnavailableError),
        (httpx.Response(403, headers=HTML, content=b"<html>Blocked</html>"), errors.NotAllowedError),
        (httpx.Response(200, headers={"Content-Type": "application/json"}, content=b"{"), ApiError),
        (httpx.Response(200, headers={"Content-Type": "application/json"}, content=b"[" * 100_000), ApiError),
        (httpx.Response(404, content=b"\xff\xfe"), errors.NotFoundError),
    ],
)
def test_what_a_proxy_answers_is_told_from_the_api(answer: httpx.Response, kind: type[ApiError]) -> None:
    with pytest.raises(kind, match=rf"{HOST} answered {answer.status_code} .*instead of the API's JSON.*ApiUrl"):
        Network(answer).api().request("DELETE", "/v1/jobs/x/model")


@pytest.mark.parametrize(
    "document", [[], "text", 7, {"detail": 5, "errors": "none", "code": []}, {"errors": [1, None]}]
)
def test_a_problem_of_another_shape_is_an_error_all_the_same(document: object) -> None:
    with pytest.raises(errors.NotFoundError) as raised:
        Network(httpx.Response(404, json=document)).api().request("GET", "/v1/jobs")
    assert (raised.value.code, raised.value.errors) == (None, [])
    assert "404" in str(raised.value)


def test_nothing_is_sent_to_where_a_redirect_points() -> None:
    network = Network(httpx.Response(307, headers={"Location": "https://example.com/v1/jobs"}))
    with pytest.raises(ApiError, match=r"leads elsewhere.*example\.com"):
        network.api().request("GET", "/v1/jobs")
    assert [request.url.host for request in network.requests] == [HOST]


def _exceptions_of_httpx() -> list[type[Exception]]:
    """Every one that a client may raise for a request."""
    own = [each for _, each in inspect.getmembers(httpx, inspect.isclass) if issubclass(each, Exception)]
    return [each for each in own if each is not httpx.HTTPStatusError]  # only raise_for_status raises it


def _made(kind: type[Exception]) -> Exception:
    return kind() if len(inspect.signature(kind).parameters) == 0 else kind("it broke")


@pytest.mark.parametrize("kind", _exceptions_of_httpx())
def test_whatever_httpx_raises_is_told_in_our_words(kind: type[Exception]) -> None:
    with pytest.raises(ConnectionFailedError, match=f"POST {URL}/v1/jobs:") as raised:
        Network(_made(kind)).api().request("POST", "/v1/jobs", query={"next_token": "hidden"})
    assert "hidden" not in str(raised.value)


class Endless(httpx.SyncByteStream):
    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self.sent = 0
        self.between = between

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.between()
            self.sent += 2**20
            yield b" " * 2**20


def test_an_answer_without_an_end_is_given_up() -> None:
    stream = Endless()
    with pytest.raises(ConnectionFailedError, match="16 MiB"):
        Network(httpx.Response(200, stream=stream)).api().request("POST", "/v1/jobs")
    assert stream.sent <= answers.MAX_BYTES + 2**20


def test_an_answer_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.0

    def a_while() -> None:
        nonlocal seconds
        seconds += 10

    monkeypatch.setattr(time, "monotonic", lambda: seconds)
    stream = Endless(a_while)
    with pytest.raises(ConnectionFailedError, match="too slowly"):
        Network(httpx.Response(200, stream=stream)).api(timeout=35.0).request("POST", "/v1/jobs")
    assert stream.sent == 4 * 2**20


def test_a_proxy_of_the_environment_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        Transport(Connection(URL))


def test_a_proxy_of_the_environment_is_used_for_aws_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Transport(Connection(URL))._http._mounts
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert not Transport(Connection(f"http://{host}:4566/x/dev", region="us-east-1"))._http._mounts


def test_certificates_that_awss_tools_were_told_to_trust_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/does/not/exist.pem")
    with pytest.raises(ConfigurationError, match=r"exist\.pem.*AWS_CA_BUNDLE"):
        Transport(Connection(URL))


def test_somebody_elses_request_is_signed_and_answered_as_it_stands() -> None:
    network = Network(problem(404, "job_not_found"))
    status, headers, body = network.api().forward(
        "GET", "/v1/jobs/x", query={"refresh": "true"}, headers={"Accept": "*/*"}, content=b""
    )
    assert (status, json.loads(body)["code"]) == (404, "job_not_found")
    assert headers["content-type"] == "application/problem+json"
    assert is_signed(network.requests[0], secret=SECRET)
