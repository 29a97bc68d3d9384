"""A web server on this machine that shows the API's page, and signs and forwards the calls that the page makes.

Whoever can call it acts with the caller's credentials, so it answers its own page only: its address holds a word that
nobody can guess, and it refuses other names of this host (which a page elsewhere could have made up for it) and
requests that come from another page.
"""

from __future__ import annotations

import hmac
import re
import secrets
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

from tunedrop.client.cli.docs_page import SECURITY_HEADERS, Content
from tunedrop.client.errors import TunedropError

HOST = "127.0.0.1"
LARGEST_BODY_BYTES = 256 * 1024
"""What the API takes."""
_JSON = "application/json"
_PRINTABLE = re.compile(r"[!-~]*")
_SENT_ON = ("Content-Type", "Accept", "Idempotency-Key")
_SENT_BACK = ("Content-Type", "Retry-After", "Location", "x-amzn-RequestId")


class Forward(Protocol):
    """Signs a request for the API and sends it; as `Transport.forward`."""

    def __call__(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]: ...


class DocsServer(ThreadingHTTPServer):
    """Bound to this machine only, when it is made. Raises OSError where the port is taken."""

    daemon_threads = True

    document = b"{}"
    """The OpenAPI document, which names `base`."""

    def __init__(self, port: int, *, files: Mapping[str, Content], forward: Forward) -> None:
        """`files` by name; `port` 0 is a free one."""
        self.files = files
        self.forward = forward
        self.token = secrets.token_urlsafe(24)
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # the method replaced
        """A browser that has gone is no news."""
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"error: a defect in Tunedrop ({type(error).__name__}): please report it.", file=sys.stderr)

    @property
    def base(self) -> str:
        """The path that everything is under, without a slash at its end."""
        return f"/{self.token}"

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}{self.base}/"

    @property
    def hosts(self) -> tuple[str, str]:
        """The names that it may be called by."""
        return f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"


class _Refusal(Exception):  # noqa: N818  # an answer, not a fault of the program
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class _Handler(BaseHTTPRequestHandler):
    server: DocsServer
    server_version = "tunedrop"
    protocol_version = "HTTP/1.1"
    timeout = 60

    def version_string(self) -> str:
        return self.server_version

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the method replaced
        """Silent: the address is a secret."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        try:
            self._admit()
            target = self._target()
            body = self._body()
            if target.startswith("v1/") and target.partition("?")[0] != "v1/openapi.json":
                self._forward(f"/{target}", body)
            else:
                self._show(target.partition("?")[0])
        except _Refusal as refusal:
            # What was not read would be taken for the next request.
            self._problem(refusal.status, refusal.detail, Connection="close")
        except TunedropError as error:
            self._problem(502, str(error))

    def _admit(self) -> None:
        """Raises _Refusal for what does not come from the page itself, or from its reader by hand."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.hosts:
            raise _Refusal(403, f"This server is called {self.server.hosts[0]} only.")
        if origin is not None and origin != f"http://{host}":
            raise _Refusal(403, "This server answers its own page only.")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise _Refusal(403, "This server answers its own page only.")

    def _target(self) -> str:
        """What is asked for, below the secret word."""
        token, slash, target = self.path.removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise _Refusal(404, "There is nothing here. The address that `tunedrop api-docs` prints is the whole one.")
        if not _PRINTABLE.fullmatch(target):
            raise _Refusal(400, "The address holds characters that are not allowed in one.")
        return target

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise _Refusal(411, "Send the body with a Content-Length.")
        if int(length) > LARGEST_BODY_BYTES:
            raise _Refusal(413, f"The API takes bodies of at most {LARGEST_BODY_BYTES} bytes.")
        return self.rfile.read(int(length))

    def _show(self, name: str) -> None:
        found = Content(_JSON, self.server.document) if name == "v1/openapi.json" else self.server.files.get(name)
        if found is None:
            raise _Refusal(404, "There is no such page.")
        if self.command != "GET":
            raise _Refusal(405, "This can be read only.")
        self._send(200, {"Content-Type": found.kind}, found.body)

    def _forward(self, target: str, body: bytes) -> None:
        path, _, query = target.partition("?")
        for segment in path.split("/")[1:]:
            name = unquote(segment)
            if name in ("", ".", "..") or "/" in name or "\\" in name:
                raise _Refusal(404, "The API has no such route.")
        sent = {name: self.headers[name] for name in _SENT_ON if name in self.headers}
        asked = dict(parse_qsl(query, keep_blank_values=True))
        status, headers, answer = self.server.forward(self.command, path, query=asked, headers=sent, content=body)
        kept = {name: value for name in _SENT_BACK if (value := headers.get(name)) is not None}
        self._send(status, kept, answer)

    def _problem(self, status: int, detail: str, **headers: str) -> None:
        body = msgspec.json.encode({"title": "tunedrop api-docs", "status": status, "detail": detail})
        self._send(status, {"Content-Type": "application/problem+json", **headers}, body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, **SECURITY_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
