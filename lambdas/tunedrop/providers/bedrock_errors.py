"""Every failure of a boto3 call to Bedrock, as one of our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import ConnectionError as UnreachableError
from botocore.parsers import ResponseParserError

from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    SubmissionUncertainError,
    TransientError,
    TunedropError,
)

QUOTA_WAIT_SECONDS = 300.0
"""The quota of customization jobs in progress frees up when one ends, which takes minutes to hours."""


class Kind(StrEnum):
    THROTTLED = "throttled"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    CREDENTIALS = "credentials"
    REJECTED = "rejected"


KINDS: Mapping[str, Kind] = {
    "ThrottlingException": Kind.THROTTLED,
    "Throttling": Kind.THROTTLED,
    "TooManyRequestsException": Kind.THROTTLED,
    "RequestLimitExceeded": Kind.THROTTLED,
    "ServiceQuotaExceededException": Kind.QUOTA,
    "InternalServerException": Kind.UNAVAILABLE,
    "InternalFailure": Kind.UNAVAILABLE,
    "ServiceUnavailableException": Kind.UNAVAILABLE,
    "ServiceUnavailable": Kind.UNAVAILABLE,
    # The role's session ran out between two refreshes; the next attempt has a new one.
    "ExpiredTokenException": Kind.UNAVAILABLE,
    "RequestExpired": Kind.UNAVAILABLE,
    "UnrecognizedClientException": Kind.CREDENTIALS,
    "InvalidClientTokenId": Kind.CREDENTIALS,
    "InvalidSignatureException": Kind.CREDENTIALS,
    "IncompleteSignatureException": Kind.CREDENTIALS,
    "IncompleteSignature": Kind.CREDENTIALS,
    "MissingAuthenticationTokenException": Kind.CREDENTIALS,
    "MissingAuthenticationToken": Kind.CREDENTIALS,
    "OptInRequired": Kind.CREDENTIALS,
    # Not retried: the stack makes both roles well before its first job, so a refusal is no matter of IAM's delay.
    "AccessDeniedException": Kind.REJECTED,
    "ValidationException": Kind.REJECTED,
    "ConflictException": Kind.REJECTED,
    "ResourceNotFoundException": Kind.REJECTED,
    "TooManyTagsException": Kind.REJECTED,
    "SerializationException": Kind.REJECTED,
    "UnknownOperationException": Kind.REJECTED,
}

# Raised by the SDK alone, in the order in which they are tried; any other of its errors is a wrong call.
_SDK_KINDS: tuple[tuple[tuple[type[Exception], ...], Kind], ...] = (
    (
        (UnreachableError, HTTPClientError, IncompleteReadError, ResponseParserError, MetadataRetrievalError),
        Kind.UNAVAILABLE,
    ),
    # Fetching the role's credentials failed; having none at all is another matter.
    ((CredentialRetrievalError, TokenRetrievalError), Kind.UNAVAILABLE),
    ((NoCredentialsError, PartialCredentialsError, UnauthorizedSSOTokenError), Kind.CREDENTIALS),
)


@contextmanager
def translated(*, creates: bool = False, quota_frees_itself: bool = True) -> Iterator[None]:
    """Raises our errors for the SDK's.

    `creates`: what is created may exist when the reply to the call within is lost. `quota_frees_itself`: whether a
    quota that is used up is worth waiting for.
    """
    try:
        yield
    except ClientError as error:
        raise from_client_error(error, creates=creates, quota_frees_itself=quota_frees_itself) from error
    except (BotoCoreError, ResponseParserError) as error:
        kind = next((kind for classes, kind in _SDK_KINDS if isinstance(error, classes)), Kind.REJECTED)
        raise _error(kind, f"{type(error).__name__}: {error}", type(error).__name__, creates=creates) from error


def from_client_error(error: ClientError, *, creates: bool = False, quota_frees_itself: bool = True) -> TunedropError:
    """An unknown code is judged by its status, as AWS adds codes."""
    code, message = code_of(error), message_of(error)
    http: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    kind = KINDS.get(code) or _kind_of_status(int(http.get("HTTPStatusCode", 400)))
    text = f"Bedrock answered {code}: {message}"
    if kind is Kind.QUOTA and not quota_frees_itself:
        kind, text = Kind.REJECTED, f"{text} Ask AWS for a higher quota, or delete what uses it up, and start again."
    retry_after = _seconds(http.get("HTTPHeaders", {}).get("retry-after"))
    return _error(kind, text, code, creates=creates, retry_after=retry_after)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def message_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def says_absent(error: ClientError) -> bool:
    """Whether Bedrock knows nothing by the name or ARN that it was asked for."""
    if code_of(error) == "ResourceNotFoundException":
        return True
    message = message_of(error).lower()
    return code_of(error) == "ValidationException" and ("not found" in message or "does not exist" in message)


def _kind_of_status(status: int) -> Kind:
    if status == 429:
        return Kind.THROTTLED
    return Kind.UNAVAILABLE if status >= 500 else Kind.REJECTED


def _error(
    kind: Kind, text: str, code: str, *, creates: bool = False, retry_after: float | None = None
) -> TunedropError:
    if kind is Kind.THROTTLED:
        return ProviderThrottledError(text, retry_after=retry_after)
    if kind is Kind.QUOTA:
        return ProviderThrottledError(text, retry_after=retry_after or QUOTA_WAIT_SECONDS)
    if kind is Kind.UNAVAILABLE:
        unanswered: type[TransientError] = SubmissionUncertainError if creates else ProviderUnavailableError
        return unanswered(text)
    if kind is Kind.CREDENTIALS:
        return CredentialsError(f"{text} Check the credentials of the function that talks to Bedrock.")
    return ProviderRejectedError(text, provider_code=code)


def _seconds(header: str | None) -> float | None:
    try:
        return float(header) if header else None
    except ValueError:  # the header may hold a date
        return None
