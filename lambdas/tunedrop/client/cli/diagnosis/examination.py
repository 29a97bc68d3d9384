"""All checks in their order: what a later one needs is found by an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from tunedrop.client.cli.diagnosis.account import check_credentials, check_region, check_url
from tunedrop.client.cli.diagnosis.finding import Finding, unknown
from tunedrop.client.cli.diagnosis.machine import check_extras, check_python, check_tunedrop
from tunedrop.client.cli.diagnosis.providers import check_bedrock, check_databricks, check_openai
from tunedrop.client.cli.diagnosis.secret import SecretFields, SecretProvider, check_secret
from tunedrop.client.cli.diagnosis.stack import CHECKS, check_stack

if TYPE_CHECKING:
    from tunedrop.client.connection import Connection
    from tunedrop.client.tunedrop import Tunedrop

PROVIDERS = ("openai", "bedrock", "databricks")
_BY_SECRET: dict[SecretProvider, Callable[[SecretFields | None], Finding]] = {
    "openai": check_openai,
    "databricks": check_databricks,
}


def examine(
    url: str | None,
    profile: str | None,
    region: str | None,
    *,
    used: Collection[str] = (),
    connect: Callable[[str, str | None, str | None], Tunedrop],
) -> Iterator[Finding]:
    """Each finding as soon as it is made. `used`: the providers that are used; all are looked at where none is named,
    and then an empty secret is no mistake."""
    yield check_python()
    yield check_tunedrop()
    found_url, usable_url = check_url(url)
    yield found_url
    found_region, connection = check_region(usable_url, profile, region)
    yield found_region
    found_credentials, signed_in = check_credentials(connection)
    yield found_credentials
    if usable_url is None or connection is None or not signed_in:
        reason = "needs the URL" if usable_url is None else "needs credentials that AWS takes"
        yield from (unknown(check, reason) for check in (*CHECKS, *_provider_checks(used)))
    else:
        with connect(usable_url, profile, region) as tunedrop:
            yield from check_stack(tunedrop.api)
            yield from _check_providers(connection, used)
    yield from check_extras()


def _provider_checks(used: Collection[str]) -> Iterator[str]:
    names = {"openai": ("Secret openai", "OpenAI"), "databricks": ("Secret databricks", "Databricks")}
    for provider in used or PROVIDERS:
        yield from names.get(provider, ("Amazon Bedrock",))


def _check_providers(connection: Connection, used: Collection[str]) -> Iterator[Finding]:
    for provider in used or PROVIDERS:
        if provider == "bedrock":
            yield check_bedrock(connection)
            continue
        name: SecretProvider = "openai" if provider == "openai" else "databricks"
        finding, fields = check_secret(connection, name, used=bool(used))
        yield finding
        yield _BY_SECRET[name](fields)
