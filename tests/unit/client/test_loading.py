"""The client is there at once, and what takes long to load is loaded when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tunedrop.client
from tunedrop.client import errors

LIBRARY = Path(__file__).resolve().parents[3] / "lambdas"
SLOW = ("httpx", "botocore", "s3transfer", "rich", "typer")


def loaded_by(program: str) -> set[str]:
    """The slow packages that a new process has loaded after `program`."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(SLOW) & set(shown.split())


@pytest.mark.parametrize(
    "program",
    [
        "import tunedrop.client",
        "from tunedrop.client import TunedropError, ConnectionFailedError",
        "import tunedrop.client.records, tunedrop.client.job_words, tunedrop.client.following",
    ],
)
def test_nothing_slow_is_loaded_before_it_is_used(program: str) -> None:
    assert loaded_by(program) == set()


def test_the_client_itself_loads_what_it_calls_with_and_not_what_uploads() -> None:
    loaded = loaded_by("from tunedrop.client import Tunedrop, Job")
    assert loaded >= {"httpx", "botocore"}  # and Rich, which httpx brings
    assert not loaded & {"s3transfer", "typer"}


def test_every_error_and_no_more_is_handed_out_by_name() -> None:
    own = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)}
    assert set(tunedrop.client.__all__) == {"Tunedrop", "Job", *own}
    for name in tunedrop.client.__all__:
        assert getattr(tunedrop.client, name).__name__ == name
        assert name in dir(tunedrop.client)
    with pytest.raises(AttributeError, match="'Tunedrap'"):
        _ = tunedrop.client.Tunedrap
