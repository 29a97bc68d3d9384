"""DSPy for these tests: nothing on the disk of whoever runs them, and no price list from the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.dspy.fakes import FakeTunedrop

# LiteLLM reads it when it is first imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


@pytest.fixture(autouse=True)
def no_answers_from_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dspy

    for name in ("DATABRICKS_API_BASE", "DATABRICKS_API_KEY", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> FakeTunedrop:
    """What `Tunedrop()` is while the test runs."""
    import tunedrop.client

    fake = FakeTunedrop()
    monkeypatch.setitem(vars(tunedrop.client), "Tunedrop", fake.connect)
    return fake
