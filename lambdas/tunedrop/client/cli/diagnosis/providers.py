"""Whether the providers answer, and take the keys in the secrets: each key is sent to its own host only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunedrop.client.asking_http import OPENAI_URL
from tunedrop.client.cli.diagnosis.finding import Finding, ok, unknown, wrong
from tunedrop.client.cli.diagnosis.secret import SecretFields
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError
from tunedrop.client.keyed_http import KeyedHost, call, keyed_host, words_of

if TYPE_CHECKING:
    from tunedrop.client.connection import Connection

SECONDS = 10.0
"""An answer takes a fraction of one."""
_TOKEN_REQUEST = b"grant_type=client_credentials&scope=all-apis"
_NOT_READ = "its secret is not filled, or you may not read it"
_NETWORK = "Check the address in the secret, and this machine's network and proxy."


def check_bedrock(connection: Connection) -> Finding:
    from botocore.exceptions import BotoCoreError, ClientError

    check, region = "Amazon Bedrock", connection.region
    try:
        connection.client("bedrock", timeout=SECONDS, attempts=2).list_custom_models(maxResults=1)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ("AccessDeniedException", "AccessDenied"):
            return unknown(check, f"it answers in {region}; you may not list its models (bedrock:ListCustomModels)")
        return wrong(check, f"it refuses in {region}: {error}", "Check that the account may use it in this region.")
    except BotoCoreError as error:
        return wrong(
            check,
            f"it does not answer in {region}: {error}",
            "Check the region, which must have Amazon Bedrock, and this machine's network.",
        )
    return ok(check, f"it answers in {region}")


def check_openai(secret: SecretFields | None) -> Finding:
    check = "OpenAI"
    if secret is None:
        return unknown(check, _NOT_READ)
    url = secret.values.get("base_url", "").strip() or OPENAI_URL
    try:
        host = keyed_host(check, url=url, url_name="the secret's base_url", key=secret.values["api_key"].strip())
    except ConfigurationError as error:
        return wrong(check, str(error), "Correct base_url in the secret, or leave it out for OpenAI itself.")
    return _ask(check, host, "GET", f"{host.url}/models", "Store another api_key in the secret.")


def check_databricks(secret: SecretFields | None) -> Finding:
    check = "Databricks"
    if secret is None:
        return unknown(check, _NOT_READ)
    values = {name: value.strip() for name, value in secret.values.items()}
    principal = bool(values.get("client_id") and values.get("client_secret"))  # which wins where a token is there too
    try:
        host = keyed_host(
            check,
            url=values["host"],
            url_name="the secret's host",
            key=values["client_secret"] if principal else values["token"],
            key_id=values["client_id"] if principal else None,
        )
    except ConfigurationError as error:
        return wrong(check, str(error), "Correct host in the secret.")
    if principal:
        remedy = "Store another client_secret, or a token, in the secret."
        return _ask(check, host, "POST", f"{host.url}/oidc/v1/token", remedy, form=_TOKEN_REQUEST)
    return _ask(check, host, "GET", f"{host.url}/api/2.0/serving-endpoints", "Store another token in the secret.")


def _ask(check: str, host: KeyedHost, method: str, url: str, remedy: str, *, form: bytes | None = None) -> Finding:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else None
    try:
        response = call(host, method, url, timeout=SECONDS, headers=headers, content=form)
    except ConnectionFailedError as error:
        return wrong(check, str(error), _NETWORK)
    if response.is_success:
        return ok(check, f"{host.url} answers, and takes the key in the secret")
    words = host.without_key(words_of(response))
    if host.provider == "OpenAI" and response.status_code == 403:  # a key may be kept from everything but its work
        return ok(check, f"{host.url} answers, and knows the key in the secret, which may not list models")
    if response.status_code in (400, 401, 403):
        return wrong(check, f"{host.url} refuses the key in the secret ({response.status_code}): {words}", remedy)
    if response.status_code == 429 or response.status_code >= 500:
        return unknown(check, f"{host.url} is in trouble ({response.status_code}): {words}")
    return wrong(check, f"{host.url} answers {response.status_code}: {words}", "Check the address in the secret.")
