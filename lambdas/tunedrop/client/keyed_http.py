"""Calls of a provider over HTTPS with a key: it goes to the host that it is for, and into no message."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from tunedrop.client.asking import AskingError
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
_LONGEST_MESSAGE = 2000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"https": 443, "http": 80}


class KeyedHost:
    """Where a key is for."""

    def __init__(self, *, provider: str, url: str, key: str, key_id: str | None = None) -> None:
        """A key with an id is sent as a name and a password, one without as a bearer's."""
        self.provider = provider
        self.url = url
        self.key = key
        self._key_id = key_id

    @property
    def authorization(self) -> str:
        if self._key_id is None:
            return f"Bearer {self.key}"
        return f"Basic {b64encode(f'{self._key_id}:{self.key}'.encode()).decode()}"

    def __repr__(self) -> str:
        return f"KeyedHost({self.url!r})"

    def is_at(self, url: str) -> bool:
        """Whether it is the same scheme, host and port."""
        return _origin(urlsplit(url)) == _origin(urlsplit(self.url))

    def without_key(self, words: str) -> str:
        """A provider's message, which may quote what it was sent."""
        return words.replace(self.key, "[the key]")


def keyed_host(provider: str, *, url: str, url_name: str, key: str, key_id: str | None = None) -> KeyedHost:
    """Raises ConfigurationError where a key cannot be sent to `url`: over HTTPS, or over HTTP on this machine only."""
    try:
        parts = urlsplit(url.strip())
        usable = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None and not parts.query
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable or parts.scheme not in _PORTS:
        raise ConfigurationError(f"{url_name} is not an address of {provider}: it looks like https://host.example.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigurationError(f"{url_name} begins with http://, which shows a key to the network: use https.")
    return KeyedHost(provider=provider, url=url.strip().rstrip("/"), key=key, key_id=key_id)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def post(host: KeyedHost, url: str, body: Mapping[str, Any], *, timeout: float) -> Mapping[str, Any]:
    """The answer's JSON object. Sent once: a question that is repeated is paid for twice.

    Raises AskingError with the provider's words where it refuses, and ConnectionFailedError where it gives no answer,
    is overloaded or in trouble.
    """
    headers = {"Content-Type": "application/json"}
    response = call(host, "POST", url, timeout=timeout, headers=headers, content=msgspec.json.encode(body))
    if not response.is_success:
        _refuse(host, response)
    try:
        document: dict[str, Any] = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise AskingError(f"{host.provider} at {host.url} did not answer with JSON: is this its API?") from None
    return document


def call(
    host: KeyedHost,
    method: str,
    url: str,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """Any answer, whatever its status. Redirects are not followed: they could lead to another host. Raises
    ConnectionFailedError where there is none."""
    import httpx

    if not host.is_at(url):
        raise ValueError("the key is for another host")
    sent = {"Authorization": host.authorization, "Accept": "application/json", **(headers or {})}
    by_proxy = url.startswith("https://")  # a proxy for plain HTTP would read the key
    limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
    try:
        with httpx.Client(timeout=limits, trust_env=by_proxy, follow_redirects=False) as client:
            return client.request(method, url, headers=sent, content=content)
    except httpx.ConnectError as error:
        raise ConnectionFailedError(
            f"{host.provider} cannot be reached at {host.url}: {host.without_key(str(error))}"
        ) from None
    except httpx.TimeoutException:
        raise ConnectionFailedError(
            f"{host.provider} at {host.url} gave no answer within {timeout:g} s. What was scaled to zero takes minutes "
            "to come up: ask again, or wait longer."
        ) from None
    except httpx.HTTPError as error:
        raise ConnectionFailedError(
            f"The connection to {host.provider} at {host.url} broke: {host.without_key(str(error))}"
        ) from None


def _refuse(host: KeyedHost, response: httpx.Response) -> NoReturn:
    if response.is_redirect:
        raise AskingError(f"{host.provider} at {host.url} answered with a redirect, which your key does not follow.")
    words = f"{host.provider} refused ({response.status_code}): {host.without_key(words_of(response))}"
    if response.status_code in (408, 429) or response.status_code >= 500:
        raise ConnectionFailedError(words)
    raise AskingError(words)


def words_of(response: httpx.Response) -> str:
    """What an answer says is wrong: OpenAI's `error.message`, Databricks' `message`, or its beginning."""
    try:
        document: Any = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        document = None
    if isinstance(document, dict):
        error = document.get("error")
        inner = error if isinstance(error, dict) else document
        message = inner.get("message") or (error if isinstance(error, str) else None)
        if isinstance(message, str):
            return message[:_LONGEST_MESSAGE]
    return response.text[:200].strip() or response.reason_phrase
