"""`tunedrop api-docs`: its page and its calls over HTTP, and what it refuses to other pages and other names."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.api.gateway import Gateway
from tests.api.states import state
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import Stack
from tunedrop.client import tunedrop as client
from tunedrop.client.cli import docs_page
from tunedrop.client.cli.docs_page import local_document, page_files
from tunedrop.client.cli.docs_server import LARGEST_BODY_BYTES, DocsServer

PROJECT = Path(__file__).resolve().parents[4]


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Page:
    """The server as a browser or a program on this machine reaches it."""

    def __init__(self, server: DocsServer) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.server_port}"

    def ask(self, target: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        """`target` is below the page's address; underscores in the names of headers are hyphens."""
        return self.ask_at(f"{self.server.base}/{target}", method, body, **headers)

    def ask_at(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {"Host": self.host, **named})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    files = page_files()
    assert files is not None
    with client.Tunedrop() as tunedrop, DocsServer(0, files=files, forward=tunedrop.api.forward) as server:
        document = tunedrop.api.request("GET", "/v1/openapi.json").document
        server.document = msgspec.json.encode(local_document(document, server.base))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield Page(server)
        server.shutdown()
        thread.join()


class TestPage:
    def test_it_loads_nothing_from_elsewhere(self, page: Page) -> None:
        reply = page.ask("")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        parts = re.findall(r'(?:src|href)="([^"]+)"', reply.body.decode())
        assert parts
        for part in parts:
            assert page.ask(part).status == 200, part
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert "connect-src 'self'" in reply.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]

    def test_it_is_swagger_ui_of_a_version_that_reads_the_apis_document(self, page: Page) -> None:
        found = re.search(rb'PACKAGE_VERSION:"(\d+)', page.ask("swagger-ui-bundle.js").body)
        assert found is not None
        assert page.ask("v1/openapi.json").document["openapi"].startswith("3.1")
        assert int(found[1]) >= 5  # the first that reads OpenAPI 3.1

    def test_the_document_is_the_stacks_and_sends_the_calls_here_unsigned(self, page: Page) -> None:
        document = page.ask("v1/openapi.json").document
        with client.Tunedrop() as tunedrop:
            original = tunedrop.api.request("GET", "/v1/openapi.json").document
        assert document["paths"] == original["paths"]
        assert [server["url"] for server in document["servers"]] == [page.server.base]
        assert "security" not in document
        assert "securitySchemes" not in document["components"]
        assert document["components"]["schemas"] == original["components"]["schemas"]

    def test_its_address_is_another_each_time(self, page: Page) -> None:
        with DocsServer(0, files={}, forward=page.server.forward) as other:
            assert other.token != page.server.token
            assert len(other.token) >= 32

    def test_it_listens_on_this_machine_only(self, page: Page) -> None:
        assert page.server.socket.getsockname()[0] == "127.0.0.1"


class TestCalls:
    def test_a_call_is_signed_and_goes_through(self, page: Page, stack: Stack, gateway: Gateway) -> None:
        job_id = stack.hold(*state("training", of="api-docs"))
        reply = page.ask(f"v1/jobs/{job_id}", Accept="application/json")
        assert (reply.status, reply.document["job_id"]) == (200, job_id)
        assert reply.headers["Content-Type"] == "application/json"
        assert int(reply.headers["Retry-After"]) > 0
        headers = gateway.events[-1]["headers"]
        assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=testing/")
        assert headers["Host"] != page.host

    def test_a_query_arrives_as_it_was_asked(self, page: Page, gateway: Gateway) -> None:
        page.ask("v1/jobs?status=failed&limit=3&next_token=a%2Bb%20c")
        query = {"limit": "3", "next_token": "a+b c", "status": "failed"}
        assert gateway.events[-1]["queryStringParameters"] == query

    def test_a_body_and_its_key_arrive(self, page: Page, gateway: Gateway) -> None:
        body = b'{"provider": "openai", "modle": "gpt-4.1-mini"}'
        sent = {"Content_Type": "application/json", "Idempotency_Key": "key-1", "X_Forwarded_For": "10.1.1.1"}
        reply = page.ask("v1/jobs", "POST", body, Origin=f"http://{page.host}", Sec_Fetch_Site="same-origin", **sent)
        assert (reply.status, reply.document["code"]) == (422, "request_invalid")
        assert reply.headers["Content-Type"] == "application/problem+json"
        event = gateway.events[-1]
        assert event["body"].encode() == body
        assert event["headers"]["Idempotency-Key"] == "key-1"
        assert not {"Origin", "X-Forwarded-For", "Sec-Fetch-Site"} & set(event["headers"])

    def test_the_apis_refusals_come_as_they_are(self, page: Page, stack: Stack) -> None:
        job_id = stack.hold(*state("succeeded", of="api-docs"))
        reply = page.ask(f"v1/jobs/{job_id}/cancel", "POST")
        assert (reply.status, reply.document["code"]) == (409, "job_ended")

    def test_a_model_can_be_deleted(self, page: Page, stack: Stack) -> None:
        job_id = stack.hold(*state("endpoint ready", of="api-docs"))
        reply = page.ask(f"v1/jobs/{job_id}/model", "DELETE")
        assert (reply.status, reply.document["code"]) == (409, "endpoint_not_stopped")

    def test_a_stack_that_is_gone_is_told_to_the_page(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # nobody listens
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/dev"
            with client.Tunedrop(url) as tunedrop, DocsServer(0, files={}, forward=tunedrop.api.forward) as server:
                threading.Thread(target=server.handle_request, daemon=True).start()
                reply = Page(server).ask("v1/jobs")
        assert reply.status == 502
        assert "no connection" in reply.document["detail"]


class TestStrangers:
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "https://{host}", "http://127.0.0.1:1", "http://{host}.evil.example"]
    )
    def test_another_page_is_refused(self, page: Page, gateway: Gateway, method: str, origin: str) -> None:
        asked = len(gateway.events)
        reply = page.ask("v1/jobs", method, Origin=origin.format(host=page.host))
        assert (reply.status, len(gateway.events)) == (403, asked)
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_so_is_one_that_a_browser_calls_foreign(self, page: Page, gateway: Gateway, site: str) -> None:
        asked = len(gateway.events)
        assert page.ask("v1/jobs", Sec_Fetch_Site=site).status == 403
        assert len(gateway.events) == asked

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
    def test_a_name_that_was_made_up_for_this_machine_is_refused(self, page: Page, gateway: Gateway, host: str) -> None:
        asked = len(gateway.events)
        for target in ("", "v1/jobs", "v1/openapi.json"):
            assert page.ask(target, Host=host.format(port=page.server.server_port)).status == 403
        assert len(gateway.events) == asked

    def test_localhost_is_a_name_of_this_machine(self, page: Page) -> None:
        here = f"localhost:{page.server.server_port}"
        assert page.ask("v1/jobs", Host=here, Origin=f"http://{here}").status == 200
        assert page.ask("v1/jobs", Host=here, Origin=f"http://{page.host}").status == 403

    @pytest.mark.parametrize("target", ["/", "/v1/jobs", "/{short}/v1/jobs", "/{token}x/v1/jobs", "/x/v1/jobs", "//"])
    def test_who_does_not_know_the_address_gets_nothing(self, page: Page, gateway: Gateway, target: str) -> None:
        asked, token = len(gateway.events), page.server.token
        reply = page.ask_at(target.format(short=token[:-1], token=token))
        assert (reply.status, len(gateway.events)) == (404, asked)
        assert token.encode() not in reply.body

    def test_a_browser_that_asks_whether_it_may_is_told_nothing(self, page: Page) -> None:
        reply = page.ask("v1/jobs", "OPTIONS", Origin="http://evil.example", Access_Control_Request_Method="DELETE")
        assert reply.status == 501
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


class TestWaysOut:
    @pytest.mark.parametrize(
        "target",
        [
            "../../../../etc/passwd",
            "%2e%2e/%2e%2e/etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "/etc/passwd",
            "swagger-ui.css/../../__init__.py",
            "LICENSE",
            "__init__.py",
            "swagger-ui.css%00.png",
        ],
    )
    def test_no_path_leads_to_another_file(self, page: Page, target: str) -> None:
        reply = page.ask(target)
        assert reply.status == 404
        assert reply.document["detail"] == "There is no such page."

    @pytest.mark.parametrize(
        "target",
        ["v1/../admin", "v1/jobs/..%2f..%2fother", "v1/%2e%2e/other", "v1/jobs/..", "v1//jobs", "v1/jobs/a%5cb"],
    )
    def test_no_path_leads_out_of_the_api(self, page: Page, gateway: Gateway, target: str) -> None:
        asked = len(gateway.events)
        assert page.ask(target).status == 404
        assert len(gateway.events) == asked

    def test_what_is_no_call_of_the_api_is_not_sent_on(self, page: Page, gateway: Gateway) -> None:
        asked = len(gateway.events)
        assert page.ask("v2/jobs").status == 404
        assert page.ask("", "POST").status == 405
        assert len(gateway.events) == asked

    def test_a_body_that_the_api_would_not_take_is_not_read(self, page: Page, gateway: Gateway) -> None:
        asked = len(gateway.events)
        reply = page.ask("v1/jobs", "POST", None, Content_Length=str(LARGEST_BODY_BYTES + 1))
        assert (reply.status, reply.headers["Connection"]) == (413, "close")
        assert page.ask("v1/jobs", "POST", None, Content_Length="-1").status == 411
        assert page.ask("v1/jobs", "POST", None, Transfer_Encoding="chunked").status == 411
        assert len(gateway.events) == asked


class TestCommand:
    def test_without_swagger_ui_it_says_how_to_get_it(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(docs_page, "PACKAGE", "no_such_package")
        result = run("api-docs", "--no-browser")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == "error: The page needs Swagger UI: pip install 'tunedrop[api-docs]'\n"

    def test_a_port_that_is_taken_is_wrong_usage(self, stack: Stack) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            result = run("api-docs", "--no-browser", "--port", str(taken.getsockname()[1]))
        assert result.exit_code == 2
        assert "leave --port out" in result.stderr

    def test_ctrl_c_ends_it_well(self, served: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "lambdas"), "TUNEDROP_URL": served}
        command = [sys.executable, "-m", "tunedrop", "api-docs", "--no-browser", "--json"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            port, path = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/.+/)", url).groups()  # type: ignore[union-attr]
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
            connection.request("GET", f"{path}v1/jobs")
            assert connection.getresponse().status == 200
            connection.close()
            process.send_signal(signal.SIGINT)
            rest, complaints = process.communicate(timeout=30)
        assert (process.returncode, rest, complaints) == (0, "", "")
