"""Keeps the stack running for `make up`, in a process of its own, until it is told to stop.

Its folder is locked for as long as it lives. What it prints goes to `supervisor.log` there; once the stack can be used,
`ready.json` says how to reach it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from local.client_environment import client_environment
from local.commands import CommandError
from local.deployment import ROOT, StackOutputs
from local.emulator.process import EmulatorError
from local.folder_lock import FolderTakenError, holder, take
from local.interrupts import interruptible
from local.running_stack import RunningStack, running_stack

FOLDER = ROOT / "build" / "up"
LOOK_SECONDS = 0.5


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a stack that runs."""

    environment: dict[str, str]
    """The variables for the AWS CLI and the SDKs, Tunedrop's client and DSPy: see `client_environment`."""
    outputs: StackOutputs
    providers: dict[str, str]
    """Each simulated provider's own address."""


def log_file(folder: Path) -> Path:
    return folder / "supervisor.log"


def ready_file(folder: Path) -> Path:
    return folder / "ready.json"


def read_ready(folder: Path) -> Ready | None:
    """How to reach the stack; None while there is none, or it is not deployed yet."""
    try:
        return msgspec.json.decode(ready_file(folder).read_bytes(), type=Ready) if holder(folder) else None
    except FileNotFoundError:
        return None


def main(folder: Path) -> int:
    try:
        take(folder)
        ready_file(folder).unlink(missing_ok=True)
        with interruptible(), running_stack(folder, say=_say) as stack:
            _announce(stack, folder)
            _stay(stack)
    except KeyboardInterrupt:
        return 0
    except (CommandError, EmulatorError, FolderTakenError, ClientError, BotoCoreError) as error:
        _say(str(error))
        return 1
    finally:
        ready_file(folder).unlink(missing_ok=True)
    _say("The embedded AWS has ended by itself; its log is emulator.log.")
    return 1


def _announce(stack: RunningStack, folder: Path) -> None:
    ready = Ready(environment=client_environment(stack), outputs=stack.outputs, providers=stack.providers.urls)
    written = ready_file(folder).with_suffix(".new")
    written.write_bytes(msgspec.json.format(msgspec.json.encode(ready)))
    written.rename(ready_file(folder))  # whoever looks sees all of it, or nothing


def _stay(stack: RunningStack) -> None:
    """Until an interrupt, or the end of the embedded AWS."""
    while holder(stack.folder / "aws") is not None:
        time.sleep(LOOK_SECONDS)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
