"""The body of a request, checked before the resolver reads it: JSON, not too large, one object."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.manifest import MAX_MANIFEST_BYTES
from tunedrop.http.request_errors import BodyNotJsonError, BodyTooLargeError, UnsupportedMediaTypeError

MAX_BODY_BYTES = MAX_MANIFEST_BYTES
"""A request says the same as a manifest."""

_TAKES_BODY = re.compile("POST /v1/jobs(/[^/]+/endpoint/start)?/*")
"""Elsewhere a body is left unread."""


def with_checked_body(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event of API Gateway with a body that can be read, or none, as plain text; its content type is dealt with.

    Raises UnsupportedMediaTypeError, BodyTooLargeError, BodyNotJsonError, RequestInvalidError.
    """
    content = _content(event) if _TAKES_BODY.fullmatch(f"{event['httpMethod']} {event['path']}") else b""
    if not content.strip():
        return {**event, "body": None, "isBase64Encoded": False, "headers": _without_media_type(event)}
    _check_media_type(event)
    if len(content) > MAX_BODY_BYTES:
        raise BodyTooLargeError(
            f"The body has {len(content):,} bytes; at most {MAX_BODY_BYTES // 1024} KiB are taken. A training file "
            "goes to S3: create the job with upload: true, and send the file to the URL in the answer."
        )
    try:
        document = read_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyNotJsonError(f"The body cannot be read as JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestInvalidError("The body is one JSON object: {…}.")
    return {**event, "body": content.decode(), "isBase64Encoded": False, "headers": _without_media_type(event)}


def read_json(content: bytes | str) -> Any:
    """Not json.loads, which takes NaN, lone surrogates and numbers that nothing behind it takes."""
    return msgspec.json.decode(content)


def _content(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    # A body that is no UTF-8 comes in base64. API Gateway encodes it, so that decoding cannot fail.
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(errors="surrogatepass")


def _without_media_type(event: Mapping[str, Any]) -> dict[str, str]:
    # The resolver compares the type as it is written, and reads forms.
    headers: Mapping[str, str] = event.get("headers") or {}
    return {name: value for name, value in headers.items() if name.lower() != "content-type"}


def _check_media_type(event: Mapping[str, Any]) -> None:
    headers: Mapping[str, str] = event.get("headers") or {}
    given = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
    media_type = given.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError(
            f"The body is {media_type[:100]!r}; send JSON, with content-type: application/json."
        )
