"""The README: short, and what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest

from local.demo import FOLDER
from local.folder_lock import holder
from tests.docs.pages import PROJECT, README, code_blocks, commands, table
from tunedrop.domain.job import Phase

DEMO_SECONDS = 480
_LINK = re.compile(r"\[(?P<test>test_\w+)\]\((?P<file>[\w./]+)\)")


def test_it_can_be_read_in_a_few_minutes() -> None:
    assert 500 <= len(README.read_text().split()) <= 700


def test_it_says_what_is_needed_and_what_is_not_there_yet() -> None:
    text = " ".join(README.read_text().split())
    assert "Python 3.11+, Node 20+ and make" in text
    assert "Not yet: " in text
    assert "provided that its list shows a new job" in text
    assert "your own training job" in text


def test_every_promise_names_a_test_that_exists() -> None:
    rows = table(README, "Promise")
    assert len(rows) >= 5
    for _, proof in rows:
        link = _LINK.fullmatch(proof)
        assert link, proof
        assert re.search(rf"^ *def {link['test']}\(", (PROJECT / link["file"]).read_text(), re.MULTILINE), proof


def _make(task: str) -> subprocess.CompletedProcess[str]:
    # Without what a `make test` around this test would tell its sub-makes.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["make", task],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


def _wait_for_folder() -> None:
    """Somebody may be looking at a demo in this checkout: `make demo` would refuse to disturb it."""
    deadline = time.monotonic() + DEMO_SECONDS
    while holder(FOLDER) is not None and time.monotonic() < deadline:
        time.sleep(0.5)


@pytest.fixture(scope="module")
def demo() -> list[str]:
    """The lines that `make demo` prints, once everything is set up."""
    assert _make("setup").returncode == 0
    _wait_for_folder()
    done = _make("demo")
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def _quoted() -> list[str]:
    """What the README shows of `make demo`, without the marks of omission."""
    [block] = [each for each in code_blocks(README, "console") if "make demo" in each.text]
    shown = block.text.partition("$ make demo\n")[2].partition("$ make test\n")[0].splitlines()
    return [line for line in shown if line != "…"]


def _timeless(line: str) -> str:
    """Without what differs from run to run: ids, times, and how far a job was at each look before its end. On a busy
    machine it may go through a phase between two looks."""
    line = re.sub(r"\s+(step \S+\s+)?loss \S+$", "", line)
    line = re.sub(rf"(?<= )({'|'.join(Phase)})$", "<phase>", line)
    line = re.sub(r"\b[a-z2-7]{26}\b", "<id>", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "#", line)).strip()


def test_the_demo_says_first_that_the_providers_are_simulated(demo: list[str]) -> None:
    assert demo[0] == _quoted()[0]
    assert "the providers are simulated" in demo[0]


def test_the_demo_ends_as_the_readme_says(demo: list[str]) -> None:
    assert re.fullmatch(r"demo: 3 jobs succeeded \(openai, bedrock, databricks\) in \d+ s", demo[-1])
    assert _timeless(_quoted()[-1]) == _timeless(demo[-1])


def test_the_demo_prints_the_lines_that_the_readme_quotes_in_their_order(demo: list[str]) -> None:
    printed = iter(_timeless(line) for line in demo)
    for line in _quoted():
        assert _timeless(line) in printed, f"{line!r} is missing or in another place:\n" + "\n".join(demo)


def test_the_demo_leaves_its_logs_where_the_documentation_says(demo: list[str]) -> None:
    assert FOLDER == PROJECT / "build" / "demo"
    assert list(FOLDER.glob("*.log"))


def test_a_file_is_checked_as_it_shows() -> None:
    shown = [command.split() for command in commands(README) if command.startswith("tunedrop ")]
    assert shown
    for _, *arguments in shown:
        finished = subprocess.run(
            [sys.executable, "-m", "tunedrop", *arguments],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "lambdas")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        assert "OK: this can be trained on." in finished.stdout
