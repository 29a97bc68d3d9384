"""What only HTTP can get wrong; everything else is in tunedrop.domain.errors."""

from __future__ import annotations

from tunedrop.domain.errors import PermanentError


class BodyNotJsonError(PermanentError):
    code = "body_not_json"


class BodyTooLargeError(PermanentError):
    code = "body_too_large"


class UnsupportedMediaTypeError(PermanentError):
    code = "unsupported_media_type"


class PageTokenInvalidError(PermanentError):
    code = "page_token_invalid"


class RouteNotFoundError(PermanentError):
    code = "route_not_found"


class MethodNotAllowedError(PermanentError):
    """`allowed` are the path's own methods."""

    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class IdempotencyKeyReusedError(PermanentError):
    code = "idempotency_key_reused"


class IdempotencyInProgressError(PermanentError):
    code = "idempotency_in_progress"
