"""Which requests may be sent again, and when: what was carried out once must not be carried out twice."""

from __future__ import annotations

import random
from http import HTTPStatus

import httpx

from tunedrop.client.errors import ApiError, ConflictError, ConnectionFailedError, TunedropError, UnavailableError

IDEMPOTENCY_KEY = "Idempotency-Key"
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.5
STILL_AT_WORK_SECONDS = 2.0
"""The first pause where the first request with the same key has no answer yet."""
LONGEST_PAUSE_SECONDS = 20.0
"""A Retry-After beyond it is for the caller to decide on."""
_STILL_AT_WORK = "idempotency_in_progress"


def may_be_repeated(request: httpx.Request) -> bool:
    return request.method == "GET" or (request.method == "POST" and IDEMPOTENCY_KEY in request.headers)


def leaves_open(error: TunedropError) -> bool:
    """Whether the request may have been carried out at the attempt that ended so."""
    if isinstance(error, ConflictError):
        return error.code == _STILL_AT_WORK
    if isinstance(error, UnavailableError):
        return error.status != HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, ConnectionFailedError)


def pause_before_repeating(error: TunedropError, attempt: int) -> float | None:
    """Seconds until the next attempt; None where another one makes no sense."""
    if not isinstance(error, ConnectionFailedError | UnavailableError | ConflictError):
        return None
    if isinstance(error, ConflictError) and error.code != _STILL_AT_WORK:
        return None
    first = STILL_AT_WORK_SECONDS if isinstance(error, ConflictError) else FIRST_PAUSE_SECONDS
    pause = first * 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311  # spreads callers
    asked = error.retry_after if isinstance(error, ApiError) else None
    if asked is None:
        return pause
    return None if asked > LONGEST_PAUSE_SECONDS else max(asked, pause)
