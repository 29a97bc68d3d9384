"""The page of `tunedrop api-docs`: Swagger UI, from the files of a package that is installed, and what it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "flask_swagger_ui"
"""Only its files are used, none of its code: they are Swagger UI's own distribution."""

SECURITY_HEADERS: Mapping[str, str] = {
    # Nothing from elsewhere, nothing to elsewhere, in nobody's frame. Swagger UI writes styles into its elements.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tunedrop API</title>
<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript.</noscript>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
"""

_START = b"""SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""

_FILES: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}


class Content(NamedTuple):
    kind: str
    """As in the header Content-Type."""
    body: bytes


def page_files() -> dict[str, Content] | None:
    """Everything that the page is made of, by name; the page itself is `""`. None where Swagger UI is not installed."""
    folder = _distribution()
    if folder is None:
        return None
    files = {name: Content(kind, (folder / name).read_bytes()) for name, kind in _FILES.items()}
    return files | {
        "": Content("text/html; charset=utf-8", _PAGE),
        "start.js": Content("text/javascript; charset=utf-8", _START),
    }


def _distribution() -> Path | None:
    """Where Swagger UI's files lie; looked for without importing the package, which would load Flask."""
    spec = find_spec(PACKAGE)
    folders = [Path(place) / "dist" for place in (spec.submodule_search_locations or ())] if spec else []
    return next((folder for folder in folders if all((folder / name).is_file() for name in _FILES)), None)


def local_document(document: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The stack's OpenAPI document as it holds here: the calls go to `base`, and need no signature of the page."""
    components = {name: value for name, value in document.get("components", {}).items() if name != "securitySchemes"}
    kept = {name: value for name, value in document.items() if name not in ("security", "components")}
    servers = [{"url": base, "description": "Signs with your credentials and forwards to the stack"}]
    return {**kept, "components": components, "servers": servers}
