"""Runs a command to its end, its output in a log file; an interrupt ends the command and all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.interrupts import disturbable, undisturbed

LOG_TAIL = 25
STOP_SECONDS = 5.0


def end_of(log_file: Path) -> str:
    """The last lines of a log, under its name."""
    tail = log_file.read_text(errors="replace").splitlines()[-LOG_TAIL:]
    return "\n".join([f"The end of {log_file}:", *tail])


class CommandError(Exception):
    """A command failed; the message has the end of its output and says where all of it is."""


class Command:
    """A command that was started, in a session of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path, name: str) -> None:
        self._process = process
        self._log_file = log_file
        self._name = name

    @property
    def ended(self) -> bool:
        """Whether its process is over; what it started may not be."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Raises CommandError when the command fails. An interrupt ends the waiting at once."""
        with disturbable():
            status = self._process.wait()
        if status != 0:
            raise CommandError(f"{self._name} failed (status {status}). {end_of(self._log_file)}")

    def end(self) -> None:
        """Ends the command and its whole process group, if any of it is left."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(STOP_SECONDS)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()


@contextmanager
def started(
    arguments: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str], log_file: Path
) -> Iterator[Command]:
    """A command that runs beside the block, and is ended with it. Its name is the first argument's."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    command: Command | None = None
    try:
        with undisturbed(), log_file.open("wb") as log:
            process = subprocess.Popen(
                [str(argument) for argument in arguments],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            command = Command(process, log_file, f"{Path(arguments[0]).name} {arguments[1]}")
        yield command
    finally:
        if command is not None:
            with undisturbed():
                command.end()
