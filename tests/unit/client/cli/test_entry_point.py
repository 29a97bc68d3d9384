"""The program as the shell starts it: quick, without what it does not need, and well-behaved at its end."""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import resource
import signal
import string
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Literal

import pytest

from tests.unit.client.cli.commands import run, write_rows

PROJECT = Path(__file__).resolve().parents[4]
NOVA = ("-p", "bedrock", "-m", "nova-lite")
HEAVY = {"boto3", "openai", "databricks", "aws_lambda_powertools", "aws_cdk", "moto", "flask", "dspy", "litellm"}
FOR_CALLS = {"botocore", "httpx", "s3transfer", "plotext", "matplotlib"}
"""Installed with the program, or with an extra of it, and loaded by the commands that need it."""
COMMANDS = (
    *("validate", "submit", "list", "show", "watch", "cancel", "retry", "report", "ask", "plot", "api-docs", "doctor"),
    "endpoint",
)


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT / "lambdas"), **more}


def _start(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tunedrop", *map(str, arguments)]
    return subprocess.run(command, env=_environment(**more), capture_output=True, timeout=240, check=False)


def test_the_script_and_the_module_are_the_same_program() -> None:
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"tunedrop": "tunedrop.client.cli.app:main"}
    started = _start("--help")
    assert started.returncode == 0
    assert started.stdout.startswith(b"Usage: tunedrop")
    assert b"validate  Check and price training data, offline." in started.stdout


def test_everything_that_it_imports_is_installed_with_it() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    declared = _names(project["dependencies"])
    extras = _names([each for name in ("plot", "api-docs") for each in project["optional-dependencies"].get(name, [])])
    package = PROJECT / "lambdas" / "tunedrop"
    modules = [path for part in ("client", "domain", "training_data") for path in (package / part).rglob("*.py")]
    imported = {name for path in modules for name in _imported(ast.parse(path.read_text()))}
    foreign = imported - set(sys.stdlib_module_names) - {"tunedrop"}
    packages = packages_distributions()
    needed = {packages[name][0] for name in foreign}
    assert needed - extras == declared


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ ;\[]", requirement)[0] for requirement in requirements}


def _imported(tree: ast.AST) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_neither_help_nor_a_run_loads_an_account(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "train.jsonl")
    program = (
        "import sys\n"
        "from tunedrop.client.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    helps = [[command, "--help"] for command in COMMANDS]
    for arguments in (["--help"], *helps, ["validate", str(good), *NOVA, "--json"]):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=240, check=True)
        loaded = set(done.stderr.split())
        assert "typer" in loaded
        assert not loaded & (HEAVY | FOR_CALLS)


def test_a_call_loads_no_sdk_of_a_provider_and_of_aws_botocore_alone() -> None:
    program = (
        "import sys\n"
        "from tunedrop.client.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 4, end.code\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", program, "list", "--url", "http://127.0.0.1:9/dev", "--region", "us-east-1"]
    secrets = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    done = subprocess.run(command, env=_environment(**secrets), capture_output=True, text=True, timeout=240, check=True)
    loaded = set(done.stdout.split())
    assert {"botocore", "httpx"} <= loaded
    assert not loaded & HEAVY


def test_help_takes_less_than_half_a_second() -> None:
    """The best of five, and of the processor's time: other work on the machine does not count."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert _start("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.5


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tunedrop en", {"endpoint"}),
        ("tunedrop endpoint st", {"start", "stop"}),
        ("tunedrop submit --provider b", {"bedrock"}),
        ("tunedrop submit --provider bedrock --model nova-m", {"nova-micro"}),
        ("tunedrop list --status c", {"cancelled"}),
        ("tunedrop list --provider ", {"openai", "bedrock", "databricks"}),
    ],
)
def test_a_shell_completes_commands_providers_models_and_statuses(typed: str, offered: set[str]) -> None:
    words = typed.split(" ")
    asked = {"_TUNEDROP_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    done = _start(**asked)
    assert (done.returncode, set(done.stdout.decode().split())) == (0, offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed_for_a_shell(shell: str, tmp_path: Path) -> None:
    done = _start("--install-completion", shell, HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    assert any("_TUNEDROP_COMPLETE" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_help_does_not_load_the_checks() -> None:
    program = "import sys, tunedrop.client.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=_environment(), capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith(("tunedrop.training_data", "rich.progress", "msgspec"))]


def test_a_terminal_that_cannot_show_a_name_gets_an_escape(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "größe.jsonl")
    done = _start("validate", good, *NOVA, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert rb"gr\xf6\xdfe.jsonl" in done.stdout
    done = _start("validate", good, *NOVA, "--json", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert json.loads(done.stdout)["training"]["file"] == str(good)


def test_bytes_of_a_name_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    Path(os.fsdecode(path)).write_bytes(write_rows(tmp_path / "good.jsonl").read_bytes())
    done = _start("validate", os.fsdecode(path), *NOVA, "--json", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    assert rb"caf\\udce9.jsonl" in done.stdout


def test_no_command_shows_the_commands() -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (2, "")
    assert "validate" in result.stdout


def test_errors_of_the_command_line_read_like_all_others() -> None:
    assert run("validate", "x.jsonl").stderr == (
        "error: Missing option '--model' / '-m' (see tunedrop validate --help)\n"
    )
    assert run("validat").stderr.startswith("error: No such command 'validat'")


def test_a_defect_is_told_without_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(text)

    text = "a row's " + "words"
    monkeypatch.setattr("tunedrop.client.cli.validation.validate_files", broken)
    result = run("validate", write_rows(tmp_path / "train.jsonl"), *NOVA)
    assert result.exit_code == 70
    assert "in broken" in result.stderr
    assert "a defect in Tunedrop (KeyError)" in result.stderr
    assert text not in result.output


def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "rows"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "tunedrop", "validate", str(fifo), *NOVA]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        rows = _wait_for_reader(fifo, process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=240)
    os.close(rows)
    assert (process.returncode, stdout, stderr) == (130, b"", b"\nerror: interrupted\n")


def _wait_for_reader(fifo: Path, process: subprocess.Popen[bytes]) -> int:
    """The end to write to, open once the program has opened the other."""
    deadline = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):  # nobody reads yet
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    process.kill()
    raise AssertionError("the program did not open the file")


def _shown_on_a_terminal(*arguments: str | Path, stream: Literal["stdout", "stderr"], code: int) -> str:
    """What the program writes to the terminal that one of its streams is; the other leads nowhere."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tunedrop", *map(str, arguments)]
    stdout, stderr = (theirs if name == stream else subprocess.DEVNULL for name in ("stdout", "stderr"))
    environment = _environment(TERM="xterm", COLUMNS="80")
    with subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr) as process:
        os.close(theirs)
        shown = bytearray()
        with suppress(OSError):  # the end of a terminal is an error
            while chunk := os.read(ours, 4096):
                shown += chunk
        assert process.wait(timeout=240) == code
    os.close(ours)
    return shown.decode()


def test_help_is_plain_in_a_pipe_and_framed_on_a_terminal() -> None:
    assert "╭" in _shown_on_a_terminal("validate", "--help", stream="stdout", code=0)
    plain = _start("validate", "--help").stdout.decode()
    assert set(plain) <= set(string.printable)
    assert max(map(len, plain.splitlines())) <= 80


def test_a_report_has_colours_on_a_terminal(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "train.jsonl")
    assert "\x1b[1mTraining file" in _shown_on_a_terminal("validate", good, *NOVA, stream="stdout", code=0)


def test_a_large_file_has_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    large = tmp_path / "large.jsonl"
    with large.open("wb") as stream:
        stream.write(b"\n" * (1024 * 1024))
        stream.truncate(21 * 1024 * 1024)
    assert "MB" in _shown_on_a_terminal("validate", large, *NOVA, stream="stderr", code=1)
    assert "MB" not in _shown_on_a_terminal("validate", large, *NOVA, "--quiet", stream="stderr", code=1)
    assert b"MB" not in _start("validate", large, *NOVA, FORCE_COLOR="1").stderr
