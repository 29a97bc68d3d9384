"""What OpenAI tells by webhook: its signature and age are checked by the SDK, over the body exactly as it came."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated

import msgspec
import openai

from tunedrop.domain.errors import CredentialsError, PermanentError
from tunedrop.domain.ports import Secrets
from tunedrop.providers.openai_connection import signing_secret

JOB_EVENTS = frozenset({"fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"})
"""The only ones of a fine-tuning job: none tells that it was created, runs or is paused."""

WEBHOOK_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookRefusedError(PermanentError):
    """The request is not OpenAI's, or not as OpenAI sent it, or is too old. The message holds nothing of it."""

    code = "webhook_refused"


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says. It is never more than a reason to ask the API."""

    webhook_id: str
    """The same for every delivery of one event."""
    type: str
    provider_job_id: str | None
    """None for an event of another type than JOB_EVENTS."""


class _Data(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Event(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw()


class OpenAIWebhooks:
    def __init__(self, *, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, body: bytes, headers: Mapping[str, str], *, credentials: str) -> WebhookEvent:
        """`headers` are found whatever their case.

        Raises WebhookRefusedError; CredentialsError where the secret has no usable `webhook_secret`, with the way to
        store it; StoreUnavailableError.
        """
        webhook_id = _header(headers, "webhook-id")
        for name in WEBHOOK_HEADERS:
            if not _header(headers, name):
                raise WebhookRefusedError(f"The header {name} is missing.")
        secret = signing_secret(self._secrets.read("openai", credentials))
        if secret is None:
            raise CredentialsError(
                f"A webhook of OpenAI came for the credentials {credentials!r}, whose secret has no usable "
                "webhook_secret. Store the endpoint's signing secret, which begins with whsec_, beside the api_key: "
                f"aws secretsmanager put-secret-value --secret-id tunedrop/<stage>/openai/{credentials} "
                "--secret-string file://secret.json (docs/credentials.md)."
            )
        _verify(body, headers, secret)
        return _event(webhook_id, body)


def _verify(body: bytes, headers: Mapping[str, str], secret: str) -> None:
    try:
        _sdk().webhooks.verify_signature(body, dict(headers), secret=secret)
    except openai.InvalidWebhookSignatureError as error:
        # The SDK's own words: the signature does not match, or the timestamp is no number, too old or too new.
        raise WebhookRefusedError(f"{error}.") from None
    except (ValueError, TypeError):
        # A body that is not UTF-8, or a signature that is not ASCII: neither can be OpenAI's.
        raise WebhookRefusedError("The given webhook cannot be read.") from None


def _event(webhook_id: str, body: bytes) -> WebhookEvent:
    # Not the SDK's `unwrap`: it makes an object of another class of a type that it does not know.
    try:
        event = msgspec.json.decode(body, type=_Event)
        known = event.type in JOB_EVENTS
        job_id = msgspec.json.decode(event.data, type=_Data).id if known else None
    except (msgspec.DecodeError, RecursionError):
        raise WebhookRefusedError("The body is not an event as OpenAI documents it.") from None
    return WebhookEvent(webhook_id=webhook_id, type=event.type, provider_job_id=job_id)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for given, value in headers.items() if given.lower() == name), "")


@cache
def _sdk() -> openai.OpenAI:
    """The SDK's checks are methods of a client; this one never calls anybody."""
    return openai.OpenAI(api_key="unused")
