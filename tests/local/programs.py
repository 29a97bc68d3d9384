"""Runs the project's programs as a user does, and looks for what they leave behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from local.deployment import ROOT

_PORT = re.compile(r"(?:--port |127\.0\.0\.1:)(\d+)")


class Process(NamedTuple):
    """An entry of the process table; its start tells it from a later one with the same id."""

    pid: int
    parent: int
    started: str
    command: str


def processes() -> list[Process]:
    """Every process of this machine, zombies aside."""
    columns = ["-o", "pid=,ppid=,stat=,lstart=,args="]
    table = subprocess.run(["ps", "-A", "-ww", *columns], capture_output=True, text=True, check=True).stdout
    found = []
    for line in table.splitlines():
        pid, parent, state, *rest = line.split(None, 8)
        if not state.startswith("Z"):
            found.append(Process(int(pid), int(parent), " ".join(rest[:5]), rest[5] if len(rest) > 5 else ""))
    return found


def is_listening(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """A program that runs in a terminal session of its own."""

    def __init__(self, module: str, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "--folder", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "lambdas:.", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._seen: set[Process] = set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            self._lines.extend(lines)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._lines)

    def wait_for_output(self, pattern: str, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.output):
            if time.monotonic() > deadline or not self._reader.is_alive():
                pytest.fail(f"{pattern!r} was not printed:\n{self.output}")
            time.sleep(0.05)

    def wait_for_child(self, pattern: str, seconds: float = 120) -> None:
        """Until it, or what it has started, has started a command like this."""
        deadline = time.monotonic() + seconds
        while not any(re.search(pattern, process.command) for process in self.descendants()):
            if time.monotonic() > deadline:
                pytest.fail(f"no process like {pattern!r} was started:\n{self.output}")
            time.sleep(0.05)

    def descendants(self) -> set[Process]:
        """What it has started, and what names its folder; remembered for `leftovers`."""
        table = processes()
        found = {process for process in table if str(self.folder) in process.command}
        ids = {self._process.pid, *(process.pid for process in found)}
        while more := {process for process in table if process.parent in ids and process.pid not in ids}:
            found |= more
            ids |= {process.pid for process in more}
        self._seen |= found
        return found

    def press_ctrl_c(self) -> None:
        """As a terminal does: to the whole foreground group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, seconds: float = 240) -> int:
        """Its exit status."""
        status = self._process.wait(seconds)
        self._reader.join()
        return status

    def leftovers(self) -> list[str]:
        """Processes that it had started and that still live, and ports of theirs on which somebody listens."""
        alive = {(process.pid, process.started) for process in processes()}
        left = [process.command for process in self._seen if (process.pid, process.started) in alive]
        left += [process.command for process in processes() if str(self.folder) in process.command]
        return left + [f"port {port}" for port in self.ports if is_listening(port)]

    @property
    def ports(self) -> set[int]:
        """Ports that are named on the command lines of what it has started; the simulators' are handed over there."""
        return {int(port) for process in self._seen for port in _PORT.findall(process.command)}


@contextmanager
def running(module: str, folder: Path) -> Iterator[Program]:
    """`python -m <module> --folder <folder>`, ended at the end of the block at the latest."""
    program = Program(module, folder)
    try:
        yield program
    finally:
        program.end(signal.SIGTERM)
        try:
            program.wait()
        except subprocess.TimeoutExpired:
            program.end()


def run(module: str, folder: Path) -> tuple[int, str]:
    """The exit status and the output of `python -m <module> --folder <folder>`."""
    with running(module, folder) as program:
        return program.wait(), program.output
