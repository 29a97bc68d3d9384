"""The page on the command line: every command, option, field and exit code, and what it shows is what is printed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
import typer
from typer.core import TyperGroup

from tests.docs.pages import DOCS, PAGES, PROJECT, code_blocks, commands, page_id, table, words_in_code
from tests.unit.client.cli.commands import run
from tunedrop.client.cli.app import app
from tunedrop.client.cli.failures import ExitCode
from tunedrop.client.cli.output import print_table
from tunedrop.training_data.report import DatasetReport, FileProblems, FileReport

PAGE = DOCS / "cli.md"
PROGRAM = typer.main.get_command(app)
assert isinstance(PROGRAM, TyperGroup)


def _commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, Any]]:
    """By the words that are typed; those of a group have its name before them."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(_commands(PROGRAM))
OFFLINE = {"validate"}
SHARED = ("--url", "--profile", "--region", "--json")
"""Described once, for all commands on a stack."""


def _typed() -> list[Any]:
    found = [(page, line) for page in PAGES for line in commands(page) if line.startswith("tunedrop ")]
    return [pytest.param(shlex.split(line)[1:], id=f"{page_id(page)}:{line[:60]}") for page, line in found]


def test_every_command_has_a_section_and_no_other() -> None:
    assert sorted(re.findall(r"^## `tunedrop ([\w -]+)`$", PAGE.read_text(), re.MULTILINE)) == sorted(COMMANDS)


def test_every_option_of_the_program_itself_is_named() -> None:
    options = {name for parameter in PROGRAM.params for name in parameter.opts if name.startswith("--")}
    assert options == set(re.findall(r"`tunedrop (--[\w-]+)`", PAGE.read_text()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_in_the_words_of_its_help_and_no_other(command: str) -> None:
    section = PAGE.read_text().partition(f"## `tunedrop {command}`\n")[2].partition("\n## ")[0]
    options = section.partition("| Argument or option | Meaning |\n")[2].partition("\n\n")[0].splitlines()[1:]
    documented = [tuple(line.strip("| ").split(" | ")) for line in options]
    rows = [_row(parameter) for parameter in COMMANDS[command].params]
    assert documented == (rows if command in OFFLINE else [row for row in rows if row not in _shared()])


@pytest.mark.parametrize("command", sorted({*COMMANDS} - OFFLINE))
def test_every_command_on_a_stack_has_the_options_that_all_have(command: str) -> None:
    rows = [_row(parameter) for parameter in COMMANDS[command].params]
    assert [row for row in rows if row in _shared()] == _shared()


def test_the_options_that_all_have_are_documented_once() -> None:
    documented = [tuple(row) for row in table(PAGE, "Option of every other command")]
    assert documented == _shared()


def _shared() -> list[tuple[str, str]]:
    """As `show` has them; a test holds the other commands to the same."""
    return [_row(parameter) for parameter in COMMANDS["show"].params if parameter.opts[0] in SHARED]


def _row(parameter: Any) -> tuple[str, str]:
    names = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
    words = [", ".join(f"`{name}`" for name in names), f"`{parameter.metavar}`" if parameter.metavar else ""]
    return " ".join(word for word in words if word), parameter.help


@pytest.mark.parametrize("arguments", _typed())
def test_commands_that_are_shown_can_be_parsed(arguments: list[str]) -> None:
    arguments = arguments[: arguments.index("|")] if "|" in arguments else arguments
    words = 2 if arguments[0] == "endpoint" else 1
    command = " ".join(arguments[:words])
    COMMANDS[command].make_context(command, arguments[words:])


def test_the_table_of_jobs_is_printed_as_the_page_shows(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    [block] = [block for block in code_blocks(PAGE, "console") if block.text.startswith("$ tunedrop list --limit")]
    headings, *rows = block.text.splitlines()[1:]
    columns = [headings.index(name) for name in headings.split()]
    places = list(zip(columns, [*columns[1:], None], strict=True))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("tunedrop.client.cli.output.on_terminal", lambda: True)
    print_table(headings.split(), [[row[begin:end].strip() for begin, end in places] for row in rows], whole=3)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [headings, *rows]


def test_the_example_prints_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block for block in code_blocks(PAGE, "console") if "validate examples/" in block.text]
    typed, _, shown = block.text.partition("\n")
    monkeypatch.chdir(PROJECT)
    result = run(*shlex.split(typed.removeprefix("$ tunedrop ")))
    assert result.exit_code == 0
    assert _timeless(shown) == _timeless(result.stdout)


def _timeless(text: str) -> str:
    """Without figures, which change with the examples and with the tokenizer."""
    text = re.sub(r"counted with \S+\)", "counted with #)", re.sub(r"\b[0-9a-f]{64}\b", "#", text))
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "#", text)).strip()


@pytest.fixture
def bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`train.jsonl`, with what the page says is wrong in it."""
    monkeypatch.chdir(tmp_path)
    rows: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "Yes."}]}
        for n in range(12)
    ]
    rows[2]["messages"][0]["role"] = "robot"
    rows[6]["messages"].pop()
    path = Path("train.jsonl")
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_problems_are_printed_as_the_page_shows(bad_file: Path) -> None:
    [block] = [block for block in code_blocks(PAGE, "console") if f"validate {bad_file}" in block.text]
    typed, _, shown = block.text.partition("\n")
    result = run(*shlex.split(typed.removeprefix("$ tunedrop ")))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", shown)


def test_the_json_is_the_one_that_the_page_shows(bad_file: Path) -> None:
    [block] = code_blocks(PAGE, "json")
    result = run("validate", bad_file, "--model", "nova-lite", "--json")
    assert block.text == result.stdout
    assert result.stderr == ""


def test_every_field_of_the_report_is_documented_and_no_other() -> None:
    documented = [name for row in table(PAGE, "Field") for name in words_in_code(row[0])]
    fields = {"ok", "error.code", "error.message"} | set(_fields(DatasetReport))
    assert sorted(documented) == sorted(fields)


def test_every_field_of_a_file_is_documented_and_no_other() -> None:
    documented = [name for row in table(PAGE, "Field of a file") for name in words_in_code(row[0])]
    fields = {"verdict"} | set(_fields(FileReport)) | set(_fields(FileProblems))
    assert sorted(documented) == sorted(fields)


def _fields(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The paths of all values, through structs and sequences of them; the two files have a table of their own."""
    for name, hint in get_type_hints(kind).items():
        if name.startswith("__"):
            continue
        nested = [each for each in _parts(hint) if isinstance(each, type) and issubclass(each, msgspec.Struct)]
        inner = [
            path for each in nested if each not in (FileReport, FileProblems) for path in _fields(each, f"{name}.")
        ]
        yield from (f"{prefix}{path}" for path in inner or [name])
        if get_origin(hint) is tuple and inner:
            yield f"{prefix}{name}"


def _parts(hint: Any) -> Iterator[Any]:
    if isinstance(hint, UnionType) or get_origin(hint) is tuple:
        yield from (part for each in get_args(hint) if each not in (NoneType, ...) for part in _parts(each))
    else:
        yield hint


def test_every_exit_code_is_documented_and_no_other() -> None:
    assert [int(row[0]) for row in table(PAGE, "Code")] == list(ExitCode)
