"""Calls the API over HTTP: signed, with time-outs, and again where that is safe."""

from __future__ import annotations

import ssl
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx
import msgspec

from tunedrop.client.answers import MAX_BYTES, Answer, answer_of
from tunedrop.client.connection import Connection
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError, TunedropError
from tunedrop.client.repeating import ATTEMPTS, leaves_open, may_be_repeated, pause_before_repeating
from tunedrop.client.signing import SignedByCaller

ACCEPTED = "application/json, application/problem+json"
CONNECT_SECONDS = 10.0


class Transport:
    """May be used by threads. `timeout`: seconds until an answer begins, and once more until it is whole."""

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float = 35.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url, self._timeout = connection.url, timeout
        self._sleep = sleep
        try:
            self._http = httpx.Client(
                auth=SignedByCaller(connection),
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
                verify=_certificates(connection),
                follow_redirects=False,
                trust_env=not connection.is_local,  # a proxy of the environment cannot know what is on this machine
                transport=transport,
                headers={"User-Agent": f"tunedrop/{_version()}", "Accept": ACCEPTED},
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"The proxy of the environment cannot be used ({error}): see HTTPS_PROXY, ALL_PROXY and NO_PROXY."
            ) from error
        # Whoever makes many and closes none leaves no sockets open. Not at exit, when a thread may still be waiting.
        weakref.finalize(self, self._http.close).atexit = False

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, if it is a success. `path` begins behind the stage: `/v1/jobs`; None in a query is left out.

        A GET, and a POST with an Idempotency-Key, is repeated where that may help. Raises ApiError where the API
        refuses, ConnectionFailedError where no answer came.
        """
        content = None if body is None else msgspec.json.encode(body)
        as_json = {} if body is None else {"Content-Type": "application/json"}
        request = self._request(method, path, query, {**as_json, **(headers or {})}, content)
        attempts = ATTEMPTS if may_be_repeated(request) else 1
        attempt, in_doubt = 1, False
        while True:
            try:
                return self._send(request)
            except TunedropError as error:
                in_doubt = in_doubt or leaves_open(error)
                error.may_have_been_carried_out = in_doubt
                pause = pause_before_repeating(error, attempt) if attempt < attempts else None
                if pause is None:
                    raise
            self._sleep(pause)
            attempt += 1

    def forward(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Somebody else's request, signed and sent once; status, headers and body of whatever is answered.

        Raises ConnectionFailedError where no answer came.
        """
        response, body = self._exchange(self._request(method, path, query, headers, content))
        return response.status_code, response.headers, body

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> httpx.Request:
        asked = {name: _query_value(value) for name, value in (query or {}).items() if value is not None}
        # Spaces as %20: a plus sign is signed as one, and read as a space.
        behind = f"?{urlencode(sorted(asked.items()), quote_via=quote)}" if asked else ""
        return self._http.build_request(method, f"{self._url}{path}{behind}", content=content, headers=headers)

    def _send(self, request: httpx.Request) -> Answer:
        return answer_of(*self._exchange(request))

    def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        with _in_our_words(request):
            response = self._http.send(request, stream=True)
            try:
                return response, _bounded(response, time.monotonic() + self._timeout)
            finally:
                response.close()


def _bounded(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > deadline:
            raise ConnectionFailedError(f"{response.request.url.host} sends its answer too slowly: it was given up.")
        if len(body) > MAX_BYTES:
            raise ConnectionFailedError(
                f"{response.request.url.host} sends more than {MAX_BYTES // 2**20} MiB, which the API never does. "
                "Compare the URL with the stack's output ApiUrl."
            )
    return bytes(body)


@contextmanager
def _in_our_words(request: httpx.Request) -> Iterator[None]:
    where = f"{request.method} {request.url.copy_with(query=None)}"
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise ConnectionFailedError(f"{where}: no connection in time. Is the network up, the URL right?") from error
    except httpx.TimeoutException as error:
        raise ConnectionFailedError(
            f"{where}: no answer in time. Whether the request was carried out is not known."
        ) from error
    except httpx.ConnectError as error:
        raise ConnectionFailedError(
            f"{where}: no connection ({error}). Is the network up, the URL right, the stack there?"
        ) from error
    except httpx.ProxyError as error:
        raise ConnectionFailedError(f"{where}: the proxy of the environment refused ({error}).") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
        raise ConnectionFailedError(
            f"{where}: the connection broke ({type(error).__name__}: {error}). Whether the request was carried out is "
            "not known."
        ) from error


def _certificates(connection: Connection) -> ssl.SSLContext | bool:
    """Those that AWS's tools trust as well, where they were told which (AWS_CA_BUNDLE, ca_bundle in the profile)."""
    bundle = connection.ca_bundle
    if bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=bundle)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The certificates in {bundle} cannot be read ({error}): see AWS_CA_BUNDLE."
        ) from error


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _version() -> str:
    try:
        return version("tunedrop")
    except PackageNotFoundError:  # run from its sources
        return "0"
