"""Every page: its links lead somewhere, its examples can be used, its commands exist."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.model import OperationModel

from infra.settings import Settings
from local.deployment import CDK, StackOutputs
from local.simulators.faults import Fault
from tests.docs.pages import DOCS, PAGES, PROJECT, CodeBlock, anchors, code_blocks, commands, links, page_id
from tunedrop.domain.hyperparameters import resolve
from tunedrop.domain.inbox import DatasetDrop, read_key
from tunedrop.domain.manifest import read_manifest
from tunedrop.domain.models import find_model

_FAULTS = "/_control/faults"
"""Where a simulator is told to misbehave."""
_GLOBAL_OPTIONS = {"--max-items", "--cli-binary-format", "--query", "--output", "--region"}
"""Of the AWS command line itself, in place of a member of the operation's input."""


def _blocks(*languages: str) -> list[Any]:
    found = [block for page in PAGES for block in code_blocks(page) if block.language in languages]
    return [pytest.param(block, id=f"{page_id(block.page)}:{block.line}") for block in found]


def _commands(program: str) -> list[Any]:
    found = [(page, command) for page in PAGES for command in commands(page) if _program(command) == program]
    assert found
    return [pytest.param(_arguments(command), id=f"{page_id(page)}:{command[:60]}") for page, command in found]


def _program(command: str) -> str:
    return Path(_arguments(command)[0]).name


def _arguments(command: str) -> list[str]:
    """The command's words, with placeholders such as `<job id>` filled in."""
    return shlex.split(re.sub(r"<[^<>]+>", "1", command))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_within_the_project_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page_id(page)} links to {target}, which does not exist"
        assert not anchor or anchor in anchors(linked), f"{page_id(page)}: {page_id(linked)} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_files_that_a_page_names_exist(page: Path) -> None:
    folders = "lambdas|infra|local|tests|docs|examples|requirements"
    named = re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text())
    for name in named:
        assert "acme" in name or (PROJECT / name).exists(), f"{page_id(page)} names {name}"


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = [(page.parent / target.partition("#")[0]).resolve() for target in links(page) if ":" not in target]
        waiting += [each for each in targets if each.suffix == ".md" and each not in reached]
    assert set(DOCS.rglob("*.md")) <= reached


@pytest.mark.parametrize("block", _blocks("json"))
def test_json_can_be_read(block: CodeBlock) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", _blocks("python"))
def test_python_can_be_parsed(block: CodeBlock) -> None:
    ast.parse(block.text)


def test_no_block_is_of_a_language_that_nothing_here_checks() -> None:
    languages = {block.language for page in PAGES for block in code_blocks(page)}
    assert languages == {"", "console", "json", "mermaid", "python"}


def test_manifests_can_be_used_as_they_stand() -> None:
    manifests = [
        block for page in PAGES for block in code_blocks(page, "json") if "training_file" in json.loads(block.text)
    ]
    assert {page_id(block.page) for block in manifests} >= {"README.md", "docs/inbox.md"}
    for block in manifests:
        request = read_manifest(block.text.encode(), name=f"{page_id(block.page)}:{block.line}")
        resolve(find_model(request.provider, request.model), request.hyperparameters)


def test_the_python_example_of_the_embedded_aws_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [block] = code_blocks(DOCS / "embedded-aws.md", "python")
    exec(compile(block.text, "embedded-aws.md", "exec"), {})  # noqa: S102 - this project's own page
    assert capsys.readouterr().out.endswith("/_control/faults\n")


def test_every_command_is_of_a_program_whose_commands_are_checked() -> None:
    typed = {command for page in PAGES for command in commands(page)}
    # Of the shell itself: what the page on the API sets up once; its test runs that.
    variables = {command for command in typed if re.match(r"\w+\+?=", command)}
    assert variables <= set(commands(DOCS / "api.md"))
    assert {_program(command) for command in typed - variables} == {"make", "cdk", "aws", "curl", "tunedrop"}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_task_that_a_page_names_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    code = " ".join(re.findall(r"`([^`]+)`", page.read_text()))
    named = re.findall(r"\bmake ([a-z-]+)", "\n".join([code, *commands(page)]))
    assert set(named) <= targets


def test_placeholders_of_commands_are_outputs_of_the_stack() -> None:
    outputs = {field.encode_name for field in msgspec.structs.fields(StackOutputs)}
    named = {name for page in PAGES for line in commands(page) for name in re.findall(r"<([A-Z]\w+)>", line)}
    assert named
    assert named <= outputs


@pytest.mark.parametrize("arguments", _commands("cdk"))
def test_commands_of_the_cdk_have_options_and_settings_that_exist(arguments: list[str]) -> None:
    assert PROJECT / arguments[0] == CDK
    _, command, *rest = arguments
    options = [word for word in rest if word.startswith("-")]
    known = _cdk_help(command)
    for option in options:
        assert re.search(rf"(^|[\s,]){re.escape(option)}[\s,]", known), f"cdk {command} has no {option}"
    context = dict(value.split("=", 1) for option, value in pairwise(rest) if option == "-c")
    Settings.from_context(context)


@cache
def _cdk_help(command: str) -> str:
    done = subprocess.run([CDK, command, "--help"], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert f"cdk {command}" in done.stdout
    return done.stdout


@pytest.mark.parametrize("arguments", _commands("aws"))
def test_commands_of_the_aws_cli_have_operations_and_options_that_exist(arguments: list[str]) -> None:
    _, service, operation, *rest = arguments
    if (service, operation) == ("s3", "cp"):
        _check_copy(*rest)
        return
    model = _operation(service, operation)
    members = model.input_shape.members if model.input_shape else {}
    known = {_dashed(name): shape for name, shape in members.items()}
    for option, value in zip(rest, [*rest[1:], ""], strict=True):
        name = option.removeprefix("--").removeprefix("no-")
        if not option.startswith("--") or option in _GLOBAL_OPTIONS:
            continue
        assert name in known, f"aws {service} {operation} has no {option}"
        if known[name].type_name in ("map", "structure"):
            json.loads(value)
    required = {_dashed(name) for name in (model.input_shape.required_members if model.input_shape else [])}
    assert required <= {option.removeprefix("--") for option in rest if option.startswith("--")}


def _operation(service: str, operation: str) -> OperationModel:
    model = botocore.session.get_session().get_service_model(service)
    names = {_dashed(name): name for name in model.operation_names}
    assert operation in names, f"aws {service} has no {operation}"
    found: OperationModel = model.operation_model(names[operation])
    return found


def _dashed(name: str) -> str:
    return str(botocore.xform_name(name, "-"))


def _check_copy(source: str, target: str) -> None:
    [uri] = [place for place in (source, target) if place.startswith("s3://")]
    key = uri.removeprefix("s3://").partition("/")[2]
    assert key
    if uri is target:
        assert (PROJECT / source).is_file()
        drop = read_key(key)
        assert isinstance(drop, DatasetDrop)
        find_model(drop.provider, drop.model)


def test_every_curl_asks_for_a_fault_or_is_on_the_page_of_the_api() -> None:
    """The test of that page looks at those on it."""
    others = {
        page for page in PAGES for command in commands(page) if _program(command) == "curl" and _FAULTS not in command
    }
    assert others == {DOCS / "api.md"}


def _faults() -> list[Any]:
    found = [each for each in _commands("curl") if any(word.endswith(_FAULTS) for word in each.values[0])]
    assert found
    return found


@pytest.mark.parametrize("arguments", _faults())
def test_a_fault_that_is_asked_for_is_one(arguments: list[str]) -> None:
    content = arguments[arguments.index("--data") + 1]
    msgspec.json.decode(content, type=Fault)
