"""The connection to OpenAI, or to a host that is compatible with it, from the secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

import openai

from tunedrop.domain.errors import CredentialsError
from tunedrop.providers.openai_errors import STORE_KEY

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_TIMEOUT = openai.Timeout(20.0, connect=5.0)
_SIGNING_PREFIX = "whsec_"
_FEWEST_KEY_BYTES = 16
"""Standard Webhooks asks for 24 to 64. What is all but empty could be guessed by anybody."""


def connect(secret: Mapping[str, str]) -> openai.OpenAI:
    """A client that never repeats a call by itself, since OpenAI has no idempotency tokens.

    `secret` holds `api_key`, and `base_url` for another host. Raises CredentialsError for a secret that cannot be used;
    its message holds nothing of the secret.
    """
    return openai.OpenAI(api_key=_api_key(secret), base_url=_base_url(secret), timeout=_TIMEOUT, max_retries=0)


def _api_key(secret: Mapping[str, str]) -> str:
    key = secret.get("api_key", "").strip()
    if not key:
        raise CredentialsError(f"The secret has no api_key. {STORE_KEY}")
    if not key.isascii() or any(character.isspace() for character in key):
        raise CredentialsError(f"The secret's api_key holds a space or a character that no key has. {STORE_KEY}")
    return key


def _base_url(secret: Mapping[str, str]) -> str:
    url = secret.get("base_url", "").strip() or DEFAULT_BASE_URL
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise CredentialsError(
            f"The secret's base_url is not the URL of an API. One looks like {DEFAULT_BASE_URL}; leave it out for "
            f"OpenAI itself. {STORE_KEY}"
        )
    return url


def signing_secret(secret: Mapping[str, str]) -> str | None:
    """The `webhook_secret` of a provider's secret; None where there is none, or one that cannot be a signing secret."""
    value = secret.get("webhook_secret", "").strip()
    if not value.startswith(_SIGNING_PREFIX):
        return None
    try:
        key = base64.b64decode(value.removeprefix(_SIGNING_PREFIX), validate=True)
    except ValueError:
        return None
    return value if len(key) >= _FEWEST_KEY_BYTES else None
