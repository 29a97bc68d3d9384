"""What the OpenAPI document says of a route's answers: the good ones with their headers, every problem by its code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tunedrop.http.problem_schemas import PROBLEM_JSON, Problem
from tunedrop.http.problem_types import PROBLEM_TYPES, type_uri

EVERYWHERE = ("request_invalid", "store_unavailable", "internal")
BODY = ("body_not_json", "body_too_large", "unsupported_media_type")
"""Of the routes that take a body."""
BY_THE_GATEWAY: Mapping[int, str] = {
    403: "The request is not signed, its signature is wrong, or the caller may not use this route.",
    429: "Too many requests.",
    504: "The answer took too long.",
}
"""API Gateway's own answers, which no function sees."""

_TIMES = {429, 503, 504}
LOCATION: dict[str, Any] = {
    "description": "Where the job is, relative to the address that was asked.",
    "schema": {"type": "string", "format": "uri-reference"},
}
RETRY_AFTER: dict[str, Any] = {
    "description": "Seconds after which asking again makes sense.",
    "schema": {"type": "integer", "minimum": 1},
}


def good(model: type[BaseModel], description: str, **headers: dict[str, Any]) -> dict[str, Any]:
    """A success. `headers` by their names in lower case, with `_` for `-`."""
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"model": model}}}
    if headers:
        answer["headers"] = {name.replace("_", "-").title(): header for name, header in headers.items()}
    return answer


def answers(good_ones: Mapping[int, dict[str, Any]], *codes: str) -> dict[int, Any]:
    """All answers of a route: the successes, and the problems with these codes beside those that every route has."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in (*codes, *EVERYWHERE):
        by_status[PROBLEM_TYPES[code].status].append(code)
    statuses = sorted({*by_status, *BY_THE_GATEWAY})
    return {**good_ones, **{status: _problem(status, by_status[status]) for status in statuses}}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    lines = [f"`{type_uri(code)}`: {PROBLEM_TYPES[code].title}." for code in codes]
    if status in BY_THE_GATEWAY:
        lines.append(BY_THE_GATEWAY[status])
    answer: dict[str, Any] = {"description": "\n\n".join(lines), "content": {PROBLEM_JSON: {"model": Problem}}}
    if status in _TIMES:
        answer["headers"] = {"Retry-After": RETRY_AFTER}
    return answer
