"""`tunedrop api-docs`: the API's documentation as a page that can call it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.connecting import AsJson, Profile, Region, Url, connect
from tunedrop.client.cli.failures import UsageError

if TYPE_CHECKING:
    from tunedrop.client.cli.docs_server import DocsServer
    from tunedrop.client.tunedrop import Tunedrop


def api_docs(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="Of this machine. By default a free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser, which is usual, or not.")
    ] = True,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show the API's documentation in the browser, where every call can be tried: it is signed with your credentials.

    The page is Swagger UI, served on this machine only until Ctrl-C, at an address that nobody can guess. Whoever has
    the address can call the API as you. It needs an extra: pip install 'tunedrop[api-docs]'.
    """
    with connect(url, profile, region) as tunedrop, _server(tunedrop, port) as server:
        _tell(server.url, as_json=as_json)
        if browser:
            _open(server.url)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _server(tunedrop: Tunedrop, port: int) -> DocsServer:
    """Raises UsageError, and whatever the API answers to the question for its document."""
    import msgspec

    from tunedrop.client.cli.docs_page import local_document, page_files
    from tunedrop.client.cli.docs_server import DocsServer

    files = page_files()
    if files is None:
        raise UsageError("The page needs Swagger UI: pip install 'tunedrop[api-docs]'")
    document = tunedrop.api.request("GET", "/v1/openapi.json").document
    try:
        server = DocsServer(port, files=files, forward=tunedrop.api.forward)
    except OSError as error:
        raise UsageError(f"cannot serve on port {port}: {error.strerror or error} (leave --port out)") from None
    server.document = msgspec.json.encode(local_document(document, server.base))
    return server


def _tell(url: str, *, as_json: bool) -> None:
    import json

    # At once, and on one line: whoever reads this waits for it, and it does not end.
    print(json.dumps({"url": url}) if as_json else f"{url}\nCtrl-C ends it.", flush=True)


def _open(url: str) -> None:
    import webbrowser

    with suppress(webbrowser.Error):
        webbrowser.open(url)
