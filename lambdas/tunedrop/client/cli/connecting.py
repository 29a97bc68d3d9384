"""The options that every command on a stack has, and the way from them to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tunedrop.client.tunedrop import Tunedrop

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The API's address, the stack's output ApiUrl; else TUNEDROP_URL."),
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="The AWS profile whose credentials are used.")
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="The API's AWS region, where its address does not tell."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def connect(url: str | None, profile: str | None, region: str | None) -> Tunedrop:
    """To be closed: it is a context manager. Raises ConfigurationError, which says what is missing."""
    from tunedrop.client.tunedrop import Tunedrop

    return Tunedrop(url, profile=profile, region=region)
