"""API Gateway in small: a WSGI application that turns HTTP requests into the events of a REST API's proxy integration.

Event and answer are those of the Lambda proxy integration of REST APIs (API Gateway Developer Guide, "Set up Lambda
proxy integrations"): headers once and many-valued, the path without the stage, a body that is not UTF-8 in base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

from aws_lambda_powertools.utilities.typing import LambdaContext

STAGE = "prod"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
CALLER = "arn:aws:iam::123456789012:user/maria"

_ROUTE = re.compile(r"/v1/jobs/([^/]+)(/.*)?")


class Context(LambdaContext):
    """Of an invocation."""

    def __init__(self) -> None:
        self._function_name = "tunedrop-test-api"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tunedrop-test-api"
        self._aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


class Gateway:
    """The API's stage, at `/prod` and at `/`; `handler` is the function's."""

    def __init__(self, handler: Callable[[dict[str, Any], LambdaContext], dict[str, Any]]) -> None:
        self._handler = handler
        self.events: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        event = proxy_event(environ)
        self.events.append(event)
        answer = self._handler(event, Context())
        body = answer["body"] or ""
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        headers = [(name, value) for name, values in answer["multiValueHeaders"].items() for value in values]
        status = HTTPStatus(answer["statusCode"])
        start_response(f"{status.value} {status.phrase}", [*headers, ("Content-Length", str(len(content)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]


def proxy_event(environ: dict[str, Any]) -> dict[str, Any]:
    # WSGI's text is Latin-1 of what came over the wire.
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace").removeprefix(f"/{STAGE}")
    headers = _headers(environ)
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    text, encoded = _as_text(body)
    job = _ROUTE.fullmatch(path)
    return {
        "resource": "/v1/jobs/{job_id}" + (job[2] or "") if job else path,
        "path": path,
        "httpMethod": environ["REQUEST_METHOD"],
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"job_id": unquote(job[1])} if job else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "1234567890",
            "httpMethod": environ["REQUEST_METHOD"],
            "path": f"/{STAGE}{path}",
            "protocol": "HTTP/1.1",
            "requestId": REQUEST_ID,
            "requestTimeEpoch": 1795338000000,
            "resourceId": "123456",
            "resourcePath": path,
            "stage": STAGE,
            "identity": {"accountId": "123456789012", "sourceIp": "127.0.0.1", "userArn": CALLER},
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def _headers(environ: dict[str, Any]) -> dict[str, list[str]]:
    names = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
    names |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {name.replace("_", "-").title(): [value] for name, value in names.items()}


def _as_text(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
