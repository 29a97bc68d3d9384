"""A connection to a Databricks workspace, from what the job's secret holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import Clock
from databricks.sdk.config import Config

from tunedrop.domain.errors import CredentialsError
from tunedrop.providers.databricks_errors import WouldWaitError, translated

_FORM = "It must hold {host, client_id, client_secret} or {host, token}."
_SMALLEST_PART_BYTES = 10 * 1024 * 1024


class _NoWaiting(Clock):
    """The SDK retries by itself, POST included, and waits as long as a Retry-After says. The state machine can wait
    for nothing; a function cannot."""

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        raise WouldWaitError(f"wait of {seconds:.0f} s before a retry")


def checked(secret: Mapping[str, str]) -> dict[str, str]:
    """The Config arguments in the secret. OAuth wins where both kinds are given. Raises CredentialsError."""
    host = secret.get("host", "").strip()
    if not host:
        raise CredentialsError(f"The Databricks secret has no host. {_FORM}")
    parts = urlsplit(host if "://" in host else f"https://{host}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise CredentialsError(
            f"The host in the Databricks secret is {host!r}; it must be the workspace's address alone, such as "
            "https://dbc-a1b2c3d4-e5f6.cloud.databricks.com."
        )
    if secret.get("client_id") and secret.get("client_secret"):
        auth_type = "oauth-m2m"
    elif secret.get("client_id") or secret.get("client_secret"):
        lacking = "client_secret" if secret.get("client_id") else "client_id"
        raise CredentialsError(f"The Databricks secret has no {lacking}. {_FORM}")
    elif secret.get("token"):
        auth_type = "pat"
    else:
        raise CredentialsError(f"The Databricks secret has neither a client_id nor a token. {_FORM}")
    names = ("token",) if auth_type == "pat" else ("client_id", "client_secret")
    return {"host": host, "auth_type": auth_type} | {name: secret[name].strip() for name in names}


def connect(credentials: Mapping[str, str], *, http_timeout_seconds: float) -> WorkspaceClient:
    """Reads the workspace's metadata and, with OAuth, where its tokens come from; no call of the API yet."""
    with translated(f"connecting to {credentials['host']}"):
        config = Config(
            host=credentials["host"],
            auth_type=credentials["auth_type"],
            client_id=credentials.get("client_id"),
            client_secret=credentials.get("client_secret"),
            token=credentials.get("token"),
            http_timeout_seconds=http_timeout_seconds,
            # Only the reading of the metadata still waits by itself; see _NoWaiting.
            retry_timeout_seconds=1,
            clock=_NoWaiting(),
            # A thread that refreshes a token would freeze with the function.
            disable_async_token_refresh=True,
            product="tunedrop",
        )
        # The least that an upload keeps in memory; larger files go in parts of this size.
        config.files_ext_multipart_upload_min_stream_size = _SMALLEST_PART_BYTES
        return WorkspaceClient(config=config)


def read_document(workspace: WorkspaceClient, path: str, query: Mapping[str, str] | None = None) -> Any:
    """The JSON behind a path of the API, as it came. Not through the SDK's own methods: they replace a status that they
    do not know by None, and its name could not be logged."""
    workspace_id = workspace.config.workspace_id
    return workspace.api_client.do(
        "GET",
        path,
        query=dict(query or {}),
        headers={"X-Databricks-Workspace-Id": workspace_id} if workspace_id else None,
    )


def address(credentials: Mapping[str, str]) -> str:
    """The workspace's own, with its scheme and without a trailing slash."""
    host = credentials["host"].rstrip("/")
    return host if "://" in host else f"https://{host}"
