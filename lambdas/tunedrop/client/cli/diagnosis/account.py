"""Where the stack is and who calls it: URL, region, credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tunedrop.client.cli.diagnosis.finding import Finding, ok, unknown, wrong
from tunedrop.client.errors import ConfigurationError

if TYPE_CHECKING:
    from tunedrop.client.connection import Connection

SECONDS = 10.0
_SIGN_IN = "Sign in (aws sso login, aws configure), or set AWS_PROFILE or other credentials."
_SOMEWHERE = "https://none.execute-api.{region}.amazonaws.com/none"
"""Stands for a URL that is missing, where only the credentials are looked at."""


def check_url(url: str | None) -> tuple[Finding, str | None]:
    """The URL is returned where it can be used."""
    from tunedrop.client.connection import URL_VARIABLE, Connection

    try:
        # With a region, if it does not tell one itself: then nothing but the URL can be wrong.
        connection = _connection(Connection, url)
        stage = connection.stage
    except ConfigurationError as error:
        return wrong("URL", str(error), f"export {URL_VARIABLE}=…, the stack's output ApiUrl"), None
    source = "--url" if url else URL_VARIABLE
    return ok("URL", f"{connection.url} (from {source}; stage {stage})"), connection.url


def _connection(kind: type[Connection], url: str | None) -> Connection:
    try:
        return kind(url)
    except ConfigurationError:
        return kind(url, region="us-east-1")


def check_region(url: str | None, profile: str | None, region: str | None) -> tuple[Finding, Connection | None]:
    """The connection is returned where profile and region can be used; without a URL, it is good for AWS only."""
    from tunedrop.client.connection import Connection

    asked = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        connection = Connection(url or _SOMEWHERE.format(region=asked or "us-east-1"), profile=profile, region=region)
    except ConfigurationError as error:
        return wrong("Region", str(error), "Correct --region, --profile, or the AWS configuration."), None
    if url is None:
        return unknown("Region", "cannot be told without the URL"), connection
    return ok("Region", connection.region), connection


def check_credentials(connection: Connection | None) -> tuple[Finding, bool]:
    """Whether there are credentials that AWS takes is returned, too; True where AWS could not be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    check = "Credentials"
    if connection is None:
        return unknown(check, "cannot be looked at with this profile or region"), False
    try:
        found = connection.credentials
        identity = connection.client("sts", timeout=SECONDS, attempts=2).get_caller_identity()
    except ConfigurationError as error:
        return wrong(check, str(error), _SIGN_IN), False
    except ClientError as error:
        words = error.response.get("Error", {})
        return wrong(check, f"AWS refuses them ({words.get('Code')}): {words.get('Message')}", _SIGN_IN), False
    except BotoCoreError as error:
        if _is_of_credentials(error):
            return wrong(check, f"they cannot be used: {error}", _SIGN_IN), False
        return unknown(check, f"there are some, but AWS STS gave no answer: {error}"), True
    source = f", found by {found.method}" if getattr(found, "method", None) else ""
    return ok(check, f"{identity['Arn']} in account {identity['Account']}{source}"), True


def _is_of_credentials(error: Exception) -> bool:
    from botocore import exceptions

    kinds = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
    return isinstance(error, kinds)
