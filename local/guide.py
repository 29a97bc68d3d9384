"""`make guide`: every Python block of docs/guide.md is run for OpenAI, Bedrock and Databricks, on this machine."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.commands import CommandError
from local.deployment import ROOT
from local.emulator.process import EmulatorError
from local.folder_lock import FolderTakenError, take
from local.guide_blocks import PAGE, PROVIDERS
from local.guide_process import reading
from local.interrupts import interruptible
from local.running_stack import RunningStack, running_stack

FOLDER = ROOT / "build" / "guide"
READ_SECONDS = 480.0
LOOK_SECONDS = 0.2


class GuideError(Exception):
    """A block did not do what the page says; the message names provider, block, line and reason."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.guide", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for logs; one of its own for each run at a time")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page; docs/guide.md unless given")
    options = parser.parse_args(arguments)
    folder: Path = options.folder.resolve()
    console = Console(highlight=False, soft_wrap=True)
    console.print("Tunedrop guide: the providers are simulated, everything runs on this machine, nothing is billed.")
    begun = time.monotonic()

    def say(line: str) -> None:
        console.print(f"  {time.monotonic() - begun:5.1f} s  {line}", markup=False)

    try:
        take(folder)
        with interruptible(), running_stack(folder, say=say) as stack:
            say("Deployed")
            run(stack, folder, say, page=options.page, providers=PROVIDERS)
    except KeyboardInterrupt:
        console.print("guide: interrupted; everything it started has been stopped")
        return 130
    except (CommandError, EmulatorError, FolderTakenError, GuideError, ClientError, BotoCoreError) as error:
        console.print(f"guide failed: {error}", style="red", markup=False)
        console.print(f"The logs are in {folder}.", markup=False)
        return 1
    console.print(f"guide: every block ran for {', '.join(PROVIDERS)} in {time.monotonic() - begun:.0f} s")
    return 0


def run(
    stack: RunningStack,
    folder: Path,
    say: Callable[[str], None],
    *,
    page: Path = PAGE,
    providers: Sequence[str] = PROVIDERS,
) -> None:
    """Runs the page's blocks on a stack that runs, in a process a provider, side by side.

    `say` is told each line that they print; the logs are in `folder`. Raises GuideError once all have ended.
    """
    page = page.resolve()
    with ExitStack() as running:
        readers = [running.enter_context(reading(stack, each, page=page, folder=folder)) for each in providers]
        deadline = time.monotonic() + READ_SECONDS
        while True:
            over = [reader.over(say) for reader in readers]  # all of them, as each says what is new
            if all(over):
                break
            if time.monotonic() > deadline:
                raise GuideError(f"not every block has run within {READ_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        failures = [f"{reader.provider}: {reader.failure}" for reader in readers if reader.failure is not None]
    if failures:
        raise GuideError("; ".join(failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
