"""The tokens that go from one page of a list to the next: opaque to clients, and good for the list they came from only.

A token holds no secret and gives no right: who may list may see every page anyway. So it is not signed; what it says is
checked when it comes back.
"""

from __future__ import annotations

import base64
import binascii
from typing import Generic, TypeVar

import msgspec

from tunedrop.http.request_errors import PageTokenInvalidError

MAX_TOKEN_CHARACTERS = 1_000

PositionT = TypeVar("PositionT")


class _Token(msgspec.Struct, Generic[PositionT], forbid_unknown_fields=True):
    of: list[str | None]
    """What is listed: the filter's values, or the job's id."""
    at: PositionT


def token_for(position: object | None, *, of: tuple[str | None, ...]) -> str | None:
    """The token of the page behind `position`; None where there is none."""
    if position is None:
        return None
    content = msgspec.json.encode(_Token(of=list(of), at=position))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def position_in(token: str | None, kind: type[PositionT], *, of: tuple[str | None, ...]) -> PositionT | None:
    """What `token_for` was given. Raises PageTokenInvalidError, also for a token of another list."""
    if token is None:
        return None
    try:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("too long")
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        read: _Token[PositionT] = msgspec.json.decode(content, type=_Token[kind])  # type: ignore[valid-type]  # a class, chosen at run time
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError) as error:
        raise PageTokenInvalidError(
            "next_token is none that this API gave out. Leave it out to begin with the first page."
        ) from error
    if read.of != list(of):
        raise PageTokenInvalidError(
            "next_token belongs to a list with another filter. Ask with the filter it came from, or leave it out to "
            "begin with the first page."
        )
    return read.at
