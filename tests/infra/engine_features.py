"""What AWS, MiniStack and moto's engine all run, so that one definition serves all three."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

TASK = {"Resource", "Parameters", "ResultPath", "OutputPath", "TimeoutSeconds", "TimeoutSecondsPath"}
FIELDS: dict[str, set[str]] = {
    "Task": {*TASK, "Retry", "Catch", "Next"},
    "Wait": {"Seconds", "SecondsPath", "Next"},
    "Choice": {"Choices", "Default"},
    "Succeed": set(),
    "Fail": {"ErrorPath", "CausePath"},
}
COMPARED = frozenset({"Variable", "StringEquals", "Next"})
PRESENT = frozenset({"Variable", "IsPresent", "Next"})


def check_features(machine: dict[str, Any], *, rules: Collection[frozenset[str]]) -> None:
    """Fails where the definition has a field that is not known here, or a choice by another of the `rules`."""
    assert machine.keys() == {"Comment", "StartAt", "TimeoutSeconds", "States"}
    for name, state in machine["States"].items():
        assert state.keys() - {"Type", "Comment"} <= FIELDS[state["Type"]], name
        for choice in state.get("Choices", []):
            assert choice.keys() in rules, name
