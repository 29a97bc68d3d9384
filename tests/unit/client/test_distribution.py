"""What `pip install tunedrop` brings along: what its requirements ask for, and what those ask for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[3]
UNWANTED = {
    "aws-cdk-lib",
    "aws-lambda-powertools",
    "boto3",
    "constructs",
    "databricks-sdk",
    "ministack",
    "openai",
}


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return project


def _brought_by(requirements: Iterable[str]) -> set[str]:
    """The names of all packages that these need on this machine, themselves included."""
    brought: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        requirement = waiting.pop()
        if requirement.name.lower() in brought:
            continue
        brought.add(requirement.name.lower())
        waiting += [needed for each in requires(requirement.name) or () if _holds(needed := Requirement(each))]
    return brought


def _holds(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def test_the_package_brings_botocore_and_no_other_sdk() -> None:
    brought = _brought_by(_project()["dependencies"])
    assert "botocore" in brought
    assert "httpcore" in brought  # what httpx needs: the walk goes on behind the first step
    assert not brought & UNWANTED


@pytest.mark.parametrize(("extra", "package"), [("dspy", "litellm"), ("plot", "matplotlib")])
def test_what_is_large_is_an_extra(extra: str, package: str) -> None:
    project = _project()
    assert package in _brought_by(project["optional-dependencies"][extra])
    assert package not in _brought_by(project["dependencies"])
