"""Calls the API of a stack that runs on this machine, signed as any caller of the deployed one signs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.emulator.connection import CREDENTIALS, REGION

SERVICE = "execute-api"
SECONDS = 35.0
"""More than API Gateway gives its functions."""

_URL = re.compile(r"https://(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.[a-z.]+/(?P<stage>[^/]+)/?")


class ApiError(Exception):
    """The API answered otherwise than expected; the message has what it said."""


class Reply(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Looked up in any case."""
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON."""
        return msgspec.json.decode(self.body)

    def expect(self, *statuses: int) -> Any:
        """The JSON of an answer with one of these statuses. Raises ApiError for any other."""
        if self.status not in statuses:
            raise ApiError(f"the API answered {self.status}: {self.body.decode(errors='replace')}")
        return self.document if self.body else None


def embedded_url(aws_url: str, api_url: str) -> str:
    """Where the API answers here. The stack's own output names a host that AWS would serve.

    https://<id>.execute-api.<region>.amazonaws.com/<stage> is http://127.0.0.1:<port>/_aws/execute-api/<id>/<stage>.
    """
    found = _URL.fullmatch(api_url)
    if found is None:
        raise ApiError(f"{api_url!r} is not the URL of a stage of API Gateway")
    return f"{aws_url}/_aws/execute-api/{found['api']}/{found['stage']}"


class ApiClient:
    """A caller of the API at `base_url`. May be used by threads."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._session = URLLib3Session(proxies={}, timeout=SECONDS)
        self._credentials = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])

    def get(self, path: str, **query: str | int) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, document: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """`document` is sent as JSON; no body where there is none."""
        return self.call("POST", path, b"" if document is None else msgspec.json.encode(document), headers)

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        signed: bool = True,
    ) -> Reply:
        """Any call; `path` begins behind the stage: `/v1/jobs`."""
        sent = {**({"Content-Type": "application/json"} if body else {}), **(headers or {})}
        request = AWSRequest(method, self.base_url + path, sent, body)
        if signed:
            SigV4Auth(self._credentials, SERVICE, REGION).add_auth(request)
        return self._send(request)

    def upload(self, signed: Mapping[str, Any], content: bytes) -> Reply:
        """Sends a file to where a new job waits for it: `signed` is an entry of `uploads` of the answer to its POST."""
        return self._send(AWSRequest(signed["method"], signed["url"], dict(signed.get("headers") or {}), content))

    def _send(self, request: AWSRequest) -> Reply:
        answer = self._session.send(request.prepare())
        return Reply(answer.status_code, answer.headers, answer.content)
