"""A Databricks token on its way into Secrets Manager: only the secret's name goes any further."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tunedrop.client.connection import Connection
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError, TrainKwargsError

_LONGEST_NAME = 63
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LOGGERS = ("botocore.endpoint", "botocore.parsers")
"""They write requests and answers as they are into a log that is kept at DEBUG."""


@dataclass(frozen=True)
class Workspace:
    """A workspace, and the token for it; None: the one that was stored before."""

    host: str
    token: str | None = field(repr=False)

    @property
    def credentials(self) -> str:
        """The last segment of the secret's name: one secret a host."""
        address = self.host.partition("://")[2]
        slug = re.sub(r"[^a-z0-9]+", "-", address).strip("-")
        if len(slug) <= _LONGEST_NAME:
            return slug
        digest = hashlib.sha256(address.encode()).hexdigest()[:8]
        return f"{slug[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"


def read_host(host: str) -> str | None:
    """The workspace's address in one spelling; None where it is no https address alone (http on this machine only)."""
    try:
        parts = urlsplit(host.strip())
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or not _HOST.fullmatch(name):
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(name)):
        return None
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, 443) else "")


def _is_this_machine(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def store(workspace: Workspace, connection: Connection) -> None:
    """Creates the secret of the workspace, or gives it a new value where the token is another one.

    Without a token, the secret must be there. Raises TrainKwargsError where it is not, or is another host's;
    ConfigurationError, ConnectionFailedError.
    """
    name = f"tunedrop/{connection.stage}/databricks/{workspace.credentials}"
    client = connection.client("secretsmanager")
    with _in_our_words(name), _unlogged():
        held = _held(client, name)
        if held is not None and held.get("host") != workspace.host:
            raise TrainKwargsError(
                f"The secret {name} is not of the workspace {workspace.host}. Store the token under another name, and "
                "give that name as train_kwargs['credentials'], without 'databricks_host' and 'databricks_token'."
            )
        if workspace.token is None:
            if held is None or not held.get("token"):
                raise TrainKwargsError(
                    f"train_kwargs['databricks_token'] is missing: no token of {workspace.host} was stored before as "
                    f"{name}. databricks takes an access token of the workspace, or 'credentials' instead of both."
                )
        elif held is None:
            _create(client, name, workspace)
        elif held.get("token") != workspace.token:
            client.put_secret_value(SecretId=name, SecretString=_value(workspace))


def _create(client: Any, name: str, workspace: Workspace) -> None:
    try:
        client.create_secret(
            Name=name, SecretString=_value(workspace), Description=f"Tunedrop: the token for {workspace.host}"
        )
    except client.exceptions.ResourceExistsException:  # made in this very moment by another submission
        client.put_secret_value(SecretId=name, SecretString=_value(workspace))


def _value(workspace: Workspace) -> str:
    return json.dumps({"host": workspace.host, "token": workspace.token})


def _held(client: Any, name: str) -> dict[str, Any] | None:
    """What the secret holds; None where there is none."""
    try:
        text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except client.exceptions.ResourceNotFoundException:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


@contextmanager
def _in_our_words(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        way_out = {
            "AccessDeniedException": "It takes the permissions secretsmanager:GetSecretValue, CreateSecret and "
            "PutSecretValue; or name a secret that an administrator stored with 'credentials', instead of the token.",
            "InvalidRequestException": "Perhaps it is being deleted: "
            f"aws secretsmanager restore-secret --secret-id {name}",
        }.get(code, "Try again in a moment.")
        raise ConfigurationError(f"The secret {name} could not be read or stored ({code}). {way_out}") from None
    except BotoCoreError as error:
        raise ConnectionFailedError(
            f"Secrets Manager did not answer about {name} ({type(error).__name__}). Nothing was uploaded: try again."
        ) from None


@contextmanager
def _unlogged() -> Iterator[None]:
    def is_plain(record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(is_plain)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_plain)
