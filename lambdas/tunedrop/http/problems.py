"""Turns what was raised into problem details (RFC 9457): our errors by their code, all the rest as `internal`."""

from __future__ import annotations

import logging
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tunedrop.domain.errors import DatasetInvalidError, ProviderThrottledError, TransientError, TunedropError
from tunedrop.http.problem_schemas import PROBLEM_JSON, Fault, Problem
from tunedrop.http.problem_types import PROBLEM_TYPES, type_uri
from tunedrop.http.request_errors import MethodNotAllowedError

RETRY_SECONDS = 5
"""What a client waits after trouble that passes, where nobody said how long."""
MAX_DETAIL_CHARACTERS = 4_000

log = logging.getLogger(__name__)


def problem_response(
    error: Exception, event: APIGatewayProxyEvent, *, detail: str | None = None, faults: list[Fault] | None = None
) -> Response[str]:
    """The answer to a request that raised `error`.

    What is not ours is logged with its stack, and the answer tells nothing of the inside.
    """
    code = error.code if isinstance(error, TunedropError) else "internal"
    if code == "internal" or code not in PROBLEM_TYPES:
        log.error("the request broke: %s", type(error).__name__, exc_info=error)
        code, detail = "internal", "A defect, or a permission that is missing: the log says more under the request_id."
    kind = PROBLEM_TYPES[code]
    context = event.request_context
    problem = Problem(
        type=type_uri(code),
        title=kind.title,
        status=kind.status,
        detail=_bounded(detail or str(error)),
        instance=context.path or event.path,
        code=code,
        request_id=context.request_id,
        job_id=event.path_parameters.get("job_id"),
        errors=faults or _problems_in_data(error),
    )
    return Response(
        status_code=kind.status,
        content_type=PROBLEM_JSON,
        headers=_headers(error),
        body=problem.model_dump_json(exclude_none=True),
    )


def faults_of(errors: Any, body: Any) -> list[Fault]:
    """What the models found, each at its place, once. `errors` are pydantic's, `body` is the document that was sent."""
    found: dict[tuple[str, str], list[str]] = {}
    for error in errors:
        source, *path = error["loc"]
        if source == "body":
            place = ("pointer", _pointer(path, body, missing=error["type"] == "missing"))
        else:
            place = ("header" if source == "header" else "parameter", str(path[0]))
        words = "This field is not known." if error["type"] == "extra_forbidden" else f"{error['msg']}."
        found.setdefault(place, []).append(words)
    return [Fault(**{name: where}, detail=" ".join(dict.fromkeys(words))) for (name, where), words in found.items()]


def _pointer(path: list[Any], body: Any, *, missing: bool) -> str:
    """RFC 6901. The models' own path may go on behind the value, into the branches of a union; this one does not."""
    pointer = ""
    for part in path:
        inside = isinstance(body, dict) and part in body
        if not inside and not missing:
            break
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
        body = body[part] if inside else None
    return pointer


def _problems_in_data(error: Exception) -> list[Fault] | None:
    if not isinstance(error, DatasetInvalidError) or not error.problems:
        return None
    return [Fault(detail=str(problem), pointer="/training_file") for problem in error.problems]


def _headers(error: Exception) -> dict[str, str | list[str]]:
    if isinstance(error, MethodNotAllowedError):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, ProviderThrottledError) and error.retry_after is not None:
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    return {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, TransientError) else {}


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_DETAIL_CHARACTERS else f"{text[: MAX_DETAIL_CHARACTERS - 1]}…"
