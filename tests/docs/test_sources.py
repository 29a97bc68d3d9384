"""The files of the project: what is deployed knows no other place than AWS, and no file knows one machine."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import PROJECT

LAMBDAS = PROJECT / "lambdas"
INSTALLED = (LAMBDAS / "tunedrop" / "client", LAMBDAS / "tunedrop" / "dspy")
"""What users run on their own machines, and no function has."""
DEPLOYED = sorted(
    path
    for path in LAMBDAS.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts and not any(map(path.is_relative_to, INSTALLED))
)
HANDLERS = sorted(path.stem for path in LAMBDAS.glob("*.py"))

LOCAL_WORDS = re.compile(
    r"simulat|ministack|localhost|loopback|\b127\.\d|\b0\.0\.0\.0\b|(?<![\w:])::1\b", re.IGNORECASE
)
MACHINE = re.compile(r"/hom[e]/|/User[s]/|/roo[t]/|[A-Z]:\\User[s]")
REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|--(extra-)?index-ur[l]")


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(LAMBDAS)))
def test_what_is_deployed_names_nothing_that_runs_on_this_machine(path: Path) -> None:
    text = path.read_text()
    assert not LOCAL_WORDS.search(text)
    if path.suffix == ".py":
        assert not {"local", "infra", "tests"} & _imported(ast.parse(text))


def _imported(tree: ast.AST) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "text", ["a Simulator", "MiniStack", "http://127.0.0.1:80", "http://LOCALHOST/", "http://[::1]:80", "0.0.0.0:80"]
)
def test_words_that_are_looked_for_would_be_found(text: str) -> None:
    assert LOCAL_WORDS.search(text)


@pytest.mark.parametrize("name", HANDLERS)
def test_every_file_at_the_root_of_the_functions_is_a_handler(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(str(module.__file__)).parent == LAMBDAS
    assert list(inspect.signature(module.handler).parameters) == ["event", "context"]


def _text_files() -> dict[str, str]:
    """The files that are tracked, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (PROJECT / name).is_file()]
    assert "pyproject.toml" in names
    return {name: (PROJECT / name).read_text(errors="replace") for name in names}


def test_no_file_names_a_place_on_one_machine_or_a_registry() -> None:
    own = re.compile(rf"{re.escape(str(PROJECT))}(?![\w-])")
    patterns = {"a path of one machine": MACHINE, "this checkout": own, "a registry": REGISTRY}
    found = [
        f"{name}: {what} ({match[0]})"
        for name, text in _text_files().items()
        for what, pattern in patterns.items()
        if (match := pattern.search(text))
    ]
    assert found == []


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    sections = re.findall(r"^## \[(.+?)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == version


def test_the_licence_is_the_one_that_the_package_names() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    text = (PROJECT / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "The Tunedrop authors" in text
