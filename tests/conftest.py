"""For every test: no real account, no real region, no way out of this machine."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_FAKE_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "POWERTOOLS_SERVICE_NAME": "function",
    "POWERTOOLS_METRICS_NAMESPACE": "Tunedrop",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


# Powertools reads its variables when a function is first imported, which may be before any test runs.
os.environ.update({name: value for name, value in _FAKE_ACCOUNT.items() if name.startswith("POWERTOOLS_")})


# How long an example takes says something of the machine: no property of ours is about time.
settings.register_profile("any-machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def made_up_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "OPENAI_API_KEY", "DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in _FAKE_ACCOUNT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Connections go to this machine, or fail with a word that says why."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host not in {"", "127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"A test tried to reach {address}.")
        connect(self, address)

    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture
def function_log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the functions log while the test runs, a JSON object a line."""
    from tunedrop.observability import logger

    log = io.StringIO()
    handler = logger.registered_handler
    monkeypatch.setattr(handler, "stream", log)
    return log
