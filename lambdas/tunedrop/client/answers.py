"""What comes back from the API: its JSON, or the error that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from tunedrop.client.errors import (
    ApiError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    RequestRefusedError,
    UnavailableError,
)

MAX_BYTES = 16 * 1024 * 1024
"""More than API Gateway lets through (10 MB), unpacked."""
_MAX_WORDS = 4_000
_REASON_CODES = frozenset({"access_denied", "bad_request"})
"""Where the gateway's own words are told. Those on a wrong signature repeat the session token."""
_KINDS: Mapping[int, type[ApiError]] = {
    400: RequestRefusedError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestRefusedError,
    415: RequestRefusedError,
    422: RequestRefusedError,
    429: UnavailableError,
}


class Answer(msgspec.Struct, frozen=True):
    """A success. `document` is its JSON, None where there was no body."""

    status: int
    document: Any
    headers: Mapping[str, str]
    """Looked up in any case."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until asking again makes sense; None where nothing is moving."""
        return seconds_of(self.headers.get("Retry-After"))

    @property
    def sent_at(self) -> datetime | None:
        """By the API's own clock, where it says so."""
        return _moment(self.headers.get("Date"))


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    """The answer of a response whose body was read. Raises ApiError for whatever is no success with JSON."""
    document = _json(body)
    if not response.is_success:
        raise _error(response, document)
    if body and document is None and body.strip() != b"null":
        raise ApiError(_not_json(response), status=response.status_code)
    return Answer(response.status_code, document, response.headers)


def seconds_of(retry_after: str | None) -> float | None:
    """Of a Retry-After in seconds; its other form, a date, is nothing that the API sends."""
    if retry_after is None or not re.fullmatch(r"[0-9]{1,6}", retry_after.strip(), re.ASCII):
        return None
    return float(retry_after)


def _error(response: httpx.Response, document: Any) -> ApiError:
    status = response.status_code
    kind = _KINDS.get(status, UnavailableError if status >= 500 else ApiError)
    problem = document if isinstance(document, dict) else {}
    code, faults = problem.get("code"), problem.get("errors")
    return kind(
        _detail(response, problem),
        status=status,
        code=code if isinstance(code, str) else None,
        errors=[fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else (),
        request_id=_text(problem.get("request_id")) or response.headers.get("x-amzn-requestid"),
        retry_after=seconds_of(response.headers.get("Retry-After")),
    )


def _detail(response: httpx.Response, problem: Mapping[str, Any]) -> str:
    detail = _text(problem.get("detail")) or _text(problem.get("title"))
    if detail:
        told = problem.get("code") in _REASON_CODES and _text(problem.get("reason"))
        return f"{detail} The gateway said: {told}" if told else detail
    if response.is_redirect:
        return (
            f"The API's URL leads elsewhere (HTTP {response.status_code} to {_place(response)}), and nothing signed is "
            "sent there. Use the stack's output ApiUrl as it is."
        )
    words = _text(problem.get("message")) or _text(problem.get("Message"))
    if words:
        # API Gateway without our gateway responses: another API, or a stage that is not there. A wrong signature is
        # explained by the whole request, session token included: the first sentence will do.
        words = words.partition("The Canonical String")[0].strip()
        return f"API Gateway answered {response.status_code}: {words}{_way_out(response)}"
    return _not_json(response)


def _way_out(response: httpx.Response) -> str:
    if response.status_code not in (401, 403):
        return ""
    url = response.request.url.path
    return (
        f" (The caller's policy must allow execute-api:Invoke on {response.request.method} {url}, the request be "
        "signed for the API's region, and the URL be the stack's output ApiUrl.)"
    )


def _not_json(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip()[:60] or "nothing that it names"
    return (
        f"{response.request.url.host} answered {response.status_code} with {kind} instead of the API's JSON: a "
        "proxy, or something else than the API, answered. Compare the URL with the stack's output ApiUrl."
    )


def _place(response: httpx.Response) -> str:
    return str(response.headers.get("location", "nowhere"))[:200]


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(value: object) -> str:
    return value[:_MAX_WORDS].strip() if isinstance(value, str) else ""


def _moment(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
