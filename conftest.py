"""What `pytest -n` may run apart: a folder whose tests share something costly stays together, as does any module."""

from __future__ import annotations

import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/infra/", "tests/workflow/", "tests/local/emulator/", "tests/local/deployed/")
"""They share a synthesis, an emulator or a deployed stack, which take seconds to make."""


class ByPlace(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        module: str = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if module.startswith(folder)), module)


def pytest_configure() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and every process of a test would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByPlace:
    return ByPlace(config, log)
