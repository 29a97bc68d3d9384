"""Signs what goes to the API, with AWS Signature Version 4, as API Gateway's IAM authorization wants it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tunedrop.client.connection import Connection, reading_credentials
from tunedrop.client.errors import ConfigurationError

SERVICE = "execute-api"
SIGNED_HEADERS = ("content-type", "idempotency-key")
"""Beside the host and what AWS adds. A header that a proxy may change is not signed."""
_ADDED = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")


class SignedByCaller(httpx.Auth):
    """Signs each request anew, since a signature is good for five minutes; credentials are refreshed when they end."""

    requires_request_body = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._origin = httpx.URL(connection.url)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._is_ours(request.url):
            raise ConfigurationError(f"{request.url.host} is not the API's host: nothing is signed for it.")
        headers = {name: request.headers[name] for name in SIGNED_HEADERS if name in request.headers}
        headers["host"] = request.headers["host"]
        signed = AWSRequest(request.method, str(request.url), headers, request.content)
        SigV4Auth(self._credentials(), SERVICE, self._connection.region).add_auth(signed)
        for name in _ADDED:
            request.headers.pop(name, None)  # of an earlier attempt
            if name in signed.headers:
                request.headers[name] = signed.headers[name]
        yield request

    def _credentials(self) -> Any:
        """Frozen, so that key, secret and token are of one refresh."""
        found = self._connection.credentials
        with reading_credentials():
            return found.get_frozen_credentials()

    def _is_ours(self, url: httpx.URL) -> bool:
        ours = self._origin
        return (url.scheme, url.host, url.port) == (ours.scheme, ours.host, ours.port)
