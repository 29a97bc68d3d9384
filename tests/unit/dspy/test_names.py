"""`import tunedrop.dspy as dspy` is dspy, with what is ours in it."""

from __future__ import annotations

import os
import subprocess
import sys

import dspy as plain_dspy
import pytest

import tunedrop.dspy as dspy

OURS = {"LM", "TunedropJob", "TunedropProvider"}


def test_every_public_name_of_dspy_is_there_and_the_same() -> None:
    public = {name for name in dir(plain_dspy) if not name.startswith("_")}

    for name in public - OURS:
        assert getattr(dspy, name) is getattr(plain_dspy, name), name
    listed = {"Module", "settings", "teleprompt", "configure", "ChainOfThought", "Example", "clients"} | OURS
    assert listed <= set(dspy.__all__)
    assert set(dspy.__all__) <= set(dir(dspy))


def test_what_is_ours_hides_nothing_of_dspy_but_its_lm() -> None:
    own = {name for name in vars(dspy) if not name.startswith("_")} - {"annotations", "Any", "TYPE_CHECKING"}

    assert own & set(dir(plain_dspy)) == {"LM"}


def test_all_of_it_can_be_imported_at_once() -> None:
    names: dict[str, object] = {}

    exec("from tunedrop.dspy import *", names)  # noqa: S102

    assert names["LM"] is dspy.LM
    assert names["Module"] is plain_dspy.Module


def test_a_setting_of_ours_is_dspys() -> None:
    dspy.settings.experimental = True
    try:
        assert plain_dspy.settings.experimental is True
    finally:
        dspy.settings.experimental = False


def test_a_name_that_nobody_has_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match=r"neither tunedrop\.dspy nor dspy has 'Predikt'"):
        _ = dspy.Predikt


def without(module: str) -> subprocess.CompletedProcess[str]:
    """`import tunedrop.dspy` where a module is not installed."""
    program = f"import sys; sys.modules[{module!r}] = None; import tunedrop.dspy"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=240
    )


def test_without_dspy_the_import_says_what_to_install() -> None:
    ended = without("dspy")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: tunedrop.dspy needs DSPy, which is not installed: pip install 'tunedrop[dspy]'"
    )


def test_another_module_that_is_missing_is_not_taken_for_dspy() -> None:
    assert "pydantic" in without("pydantic").stderr.splitlines()[-1]
