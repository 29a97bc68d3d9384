"""The stack itself: whether its API answers this caller, by which clock, and in which version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tunedrop.client.cli.diagnosis.finding import Finding, ok, unknown, wrong
from tunedrop.client.errors import ApiError, ConfigurationError, ConnectionFailedError, NotAllowedError, TunedropError

if TYPE_CHECKING:
    from tunedrop.client.transport import Transport

MOST_SKEW_SECONDS = 240
"""AWS refuses a signature that is five minutes old or ahead; less leaves no time for the way."""
KNOWN_VERSION = "1"
"""Of the API, as its OpenAPI document says it."""
CHECKS = ("Clock", "API", "API's version")


def check_stack(api: Transport, *, now: datetime | None = None) -> Iterator[Finding]:
    """`now` is this machine's time, in UTC; by its clock unless given."""
    try:
        # As it comes, refused or not: a clock that is wrong makes every call be refused.
        status, headers, _ = api.forward("GET", "/v1/jobs", query={"limit": "1"}, headers={}, content=b"")
    except (ConnectionFailedError, ConfigurationError) as error:
        yield unknown("Clock", "cannot be compared: the API gave no answer")
        yield wrong("API", str(error), "Compare the URL with the stack's output ApiUrl; check the network and proxy.")
        yield unknown("API's version", "cannot be read")
        return
    yield check_clock(headers.get("Date"), now or datetime.now(UTC))
    yield _check_call(api, status)
    yield _check_version(api)


def check_clock(date: str | None, now: datetime) -> Finding:
    """`date` as in the answer's header."""
    try:
        there = parsedate_to_datetime(date) if date else None
    except ValueError:
        there = None
    if there is None or there.tzinfo is None:
        return unknown("Clock", "cannot be compared: the API does not tell the time")
    skew = (now - there).total_seconds()
    words = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the API's"
    if abs(skew) > MOST_SKEW_SECONDS:
        return wrong("Clock", f"it is {words}, and AWS refuses signatures of another time", "Set this machine's clock.")
    return ok("Clock", "as the API's, to the second" if abs(skew) < 2 else f"{words}, which is near enough")


def _check_call(api: Transport, status: int) -> Finding:
    if status == 200:
        return ok("API", "it answers, and you may list jobs")
    try:
        api.request("GET", "/v1/jobs", query={"limit": 1})
    except NotAllowedError as error:
        return wrong("API", str(error), "Have your policy allow execute-api:Invoke on its routes (docs/api.md).")
    except ApiError as error:
        return wrong("API", str(error), "Compare the URL with the stack's output ApiUrl; look at the function's log.")
    except TunedropError as error:
        return wrong("API", str(error), "Check the network, and try again.")
    return ok("API", "it answers, at the second try, and you may list jobs")


def _check_version(api: Transport) -> Finding:
    check = "API's version"
    try:
        document = api.request("GET", "/v1/openapi.json").document
    except TunedropError as error:
        return unknown(check, f"cannot be read: {error}")
    info = document.get("info") if isinstance(document, dict) else None
    if not isinstance(info, dict) or info.get("title") != "Tunedrop":
        return wrong(check, "this is another API than Tunedrop's", "Compare the URL with the stack's output ApiUrl.")
    if info.get("version") != KNOWN_VERSION:
        known = f"{info.get('version')}; this program knows {KNOWN_VERSION}"
        return wrong(check, known, "pip install --upgrade tunedrop, or deploy the stack anew.")
    return ok(check, f"{KNOWN_VERSION}, with {len(document.get('paths', {}))} routes")
