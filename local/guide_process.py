"""The process that reads docs/guide.md for one provider: what it is told, and its lines as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from local.client_environment import client_environment
from local.commands import Command, CommandError, started
from local.deployment import ROOT
from local.emulator.connection import CREDENTIALS, REGION
from local.guide_reader import FAILED, Order
from local.guide_substitutions import Reader
from local.running_stack import OWN_BUCKET, RunningStack

_PROFILE = f"""[default]
region = {REGION}
aws_access_key_id = {CREDENTIALS["AWS_ACCESS_KEY_ID"]}
aws_secret_access_key = {CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
"""
"""The page names the profile `default`, which a reader has: as a configuration and as credentials, the same will do."""


class ReaderProcess:
    """A process that runs."""

    def __init__(self, provider: str, command: Command, lines: TextIO) -> None:
        self.provider = provider
        self._command = command
        self._lines = lines
        self._refused: str | None = None

    def over(self, say: Callable[[str], None]) -> bool:
        """Says what is new, under the provider's name; whether the process has ended."""
        ended = self._command.ended  # asked first: what it wrote before its end is read below
        for line in self._lines:
            if line.strip() and "\r" not in line:  # a progress bar returns to draw over itself
                say(f"{self.provider:<10}  {line.rstrip()}")
            if line.startswith(FAILED):
                self._refused = line.removeprefix(FAILED).strip()
        return ended

    @property
    def failure(self) -> str | None:
        """Why it did not come to the end of the page, once it is over; None when it did."""
        try:
            self._command.wait()
        except CommandError as error:
            return self._refused or str(error)
        return None


@contextmanager
def reading(stack: RunningStack, provider: str, *, page: Path, folder: Path) -> Iterator[ReaderProcess]:
    """Starts the process of one provider's reader, and ends it with the block. Its files are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / f"{provider}.json"
    errors = folder / f"{provider}-errors.log"
    order.write_bytes(msgspec.json.encode(Order(reader=_reader(stack, provider), page=str(page), errors=str(errors))))
    errors.unlink(missing_ok=True)
    log = folder / f"{provider}.log"
    with (
        started(
            [sys.executable, "-m", "local.guide_reader", order],
            cwd=ROOT,
            environment=_environment(stack, provider, folder),
            log_file=log,
        ) as command,
        log.open(newline="\n") as lines,
    ):
        yield ReaderProcess(provider, command, lines)


def _reader(stack: RunningStack, provider: str) -> Reader:
    return Reader(
        provider=provider,
        bucket=OWN_BUCKET,
        databricks_host=stack.providers.databricks_url,
        databricks_token=stack.providers.databricks_token,
        simulator=stack.providers.urls[provider],
    )


def _environment(stack: RunningStack, provider: str, folder: Path) -> Mapping[str, str]:
    profile = folder / "aws-profile"
    profile.write_text(_PROFILE)
    return {
        **stack.aws.command_environment(),
        **client_environment(stack),
        "AWS_CONFIG_FILE": str(profile),
        "AWS_SHARED_CREDENTIALS_FILE": str(profile),
        "DSPY_CACHEDIR": str(folder / f"{provider}-dspy"),  # nobody's old answers, and nothing left in the home folder
        "PYTHONPATH": f"{ROOT / 'lambdas'}:{ROOT}",
    }
