"""The providers' secrets in Secrets Manager: whether they are filled. Their values are shown nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tunedrop.client.cli.diagnosis.finding import Finding, off, ok, unknown, wrong

if TYPE_CHECKING:
    from tunedrop.client.connection import Connection

SecretProvider = Literal["openai", "databricks"]
SECONDS = 10.0
NAME = "default"
"""The credentials of a job that names none."""


class SecretFields(msgspec.Struct, frozen=True):
    """What a caller who may read it knows of a secret. Never printed."""

    provider: SecretProvider
    values: dict[str, str]

    def __repr__(self) -> str:
        return f"SecretFields({self.provider!r})"


def check_secret(
    connection: Connection, provider: SecretProvider, *, used: bool
) -> tuple[Finding, SecretFields | None]:
    """`used`: whether the reader says that this provider is used, so that an empty secret is a mistake.

    The fields are returned where they can be used.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    check, name = f"Secret {provider}", f"tunedrop/{connection.stage}/{provider}/{NAME}"
    try:
        answer = connection.client("secretsmanager", timeout=SECONDS, attempts=2).get_secret_value(SecretId=name)
    except ClientError as error:
        return _unread(connection, check, name, str(error.response.get("Error", {}).get("Code", ""))), None
    except BotoCoreError as error:
        return unknown(check, f"Secrets Manager gave no answer: {error}"), None
    fields = _fields(answer)
    problem = "is not a JSON object of strings" if fields is None else _problem(provider, fields)
    if problem is None and fields is not None:
        return ok(check, f"{name} is filled"), SecretFields(provider, fields)
    remedy = (
        f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://secret.json "
        f"(docs/credentials.md lists its fields)"
    )
    if fields == {} and not used:
        return off(check, f"{name} is still empty; jobs at {provider} would fail", remedy), None
    return wrong(check, f"{name} {problem}", remedy), None


def _fields(answer: dict[str, Any]) -> dict[str, str] | None:
    try:
        return msgspec.json.decode(answer.get("SecretString", ""), type=dict[str, str])
    except msgspec.DecodeError:  # its message could quote the secret
        return None


def _problem(provider: SecretProvider, fields: dict[str, str]) -> str | None:
    """By the rules of docs/credentials.md."""
    filled = {name for name, value in fields.items() if value.strip()}
    if not fields:
        return "is still empty, as the stack made it"
    if provider == "openai":
        return None if "api_key" in filled else "has no api_key"
    if "host" not in filled:
        return "has no host"
    if "token" in filled or {"client_id", "client_secret"} <= filled:
        return None
    return "has neither a token nor client_id and client_secret"


def _unread(connection: Connection, check: str, name: str, code: str) -> Finding:
    if code == "ResourceNotFoundException":
        return wrong(
            check,
            f"{name} does not exist",
            f"Check the stage in the URL, or create it: aws secretsmanager create-secret --name {name} --secret-string "
            "file://secret.json",
        )
    if code.startswith("AccessDenied") and _exists(connection, name):
        return unknown(check, f"{name} exists; you may not read it, which is as it should be")
    return unknown(check, f"{name} cannot be looked at ({code or 'refused'})")


def _exists(connection: Connection, name: str) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        connection.client("secretsmanager", timeout=SECONDS, attempts=2).describe_secret(SecretId=name)
    except (ClientError, BotoCoreError):
        return False
    return True
