"""What a check found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    """Something has to be mended; the only state that makes the whole fail."""
    UNKNOWN = "unknown"
    """The check could not be made."""
    OFF = "off"
    """Not set up, which is no mistake if it is not used."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    check: str
    state: State
    detail: str
    remedy: str | None = None
    """How to mend it, or to set it up."""


def ok(check: str, detail: str) -> Finding:
    return Finding(check=check, state=State.OK, detail=detail)


def wrong(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check=check, state=State.WRONG, detail=detail, remedy=remedy)


def unknown(check: str, detail: str, remedy: str | None = None) -> Finding:
    return Finding(check=check, state=State.UNKNOWN, detail=detail, remedy=remedy)


def off(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check=check, state=State.OFF, detail=detail, remedy=remedy)
