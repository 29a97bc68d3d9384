"""What is on this machine: Python, Tunedrop and its extras."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from tunedrop.client.cli.diagnosis.finding import Finding, off, ok, unknown, wrong

OLDEST_PYTHON = (3, 11)
EXTRAS: Mapping[str, tuple[str, str, str]] = {
    "dspy": ("dspy", "dspy", "tunedrop.dspy"),
    "plot": ("matplotlib", "matplotlib", "tunedrop plot"),
    "api-docs": ("flask_swagger_ui", "flask-swagger-ui", "tunedrop api-docs"),
}
"""By extra: what is imported, the distribution that brings it, and what needs it."""


def check_python(running: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    shown = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return wrong("Python", f"{shown} is too old", f"Install Python {oldest} or newer, and Tunedrop in it.")
    return ok("Python", shown)


def check_tunedrop() -> Finding:
    try:
        return ok("Tunedrop", version("tunedrop"))
    except PackageNotFoundError:
        return unknown("Tunedrop", "it runs from its source, and is not installed")


def check_extras() -> Iterator[Finding]:
    for extra, (module, distribution, used_by) in EXTRAS.items():
        if find_spec(module) is None:
            yield off(f"Extra {extra}", f"not installed; {used_by} needs it", f"pip install 'tunedrop[{extra}]'")
        else:
            yield ok(f"Extra {extra}", f"{distribution} {_version(distribution)}")


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of an unknown version"
