"""`tunedrop doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.choices import providers
from tunedrop.client.cli.connecting import AsJson, Profile, Region, Url, connect
from tunedrop.client.cli.failures import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from tunedrop.client.cli.diagnosis.finding import Finding


def doctor(
    provider: Annotated[
        list[str] | None,
        typer.Option(
            "--provider",
            "-p",
            metavar="PROVIDER",
            help="A provider that you use: its empty secret is then a mistake. Repeat it for more; by default all are "
            "looked at.",
            autocompletion=providers,
        ),
    ] = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Check what Tunedrop needs, one thing after the other, and say how to mend what is wrong.

    Python, URL, credentials, region, clock, the API, the providers' secrets, the providers, and the optional extras.
    Nothing is changed, and no secret is shown. The exit code is 0 only if nothing is wrong; what cannot be checked
    from here, or is not set up, is no failure.
    """
    from tunedrop.client.cli.diagnosis.examination import examine
    from tunedrop.client.cli.diagnosis.finding import State

    used = _known(provider or ())
    findings = examine(url, profile, region, used=used, connect=connect)
    found = list(findings) if as_json else list(_printed(findings))
    if as_json:
        _print_json(found)
    else:
        _print_summary(found)
    if any(finding.state is State.WRONG for finding in found):
        raise typer.Exit(ExitCode.UNUSABLE)


def _known(given: Sequence[str]) -> tuple[str, ...]:
    for each in given:
        if each not in providers():
            raise UsageError(f"--provider takes {', '.join(providers())}, but got {each!r}.")
    return tuple(dict.fromkeys(given))


def _printed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Each is printed as soon as it is there."""
    from tunedrop.client.cli.output import console
    from tunedrop.client.cli.waiting_line import waiting_line

    out = console()
    while True:
        with waiting_line("Checking"):
            finding = next(findings, None)
        if finding is None:
            return
        out.print(_lines(finding), crop=False, soft_wrap=True)
        yield finding


def _lines(finding: Finding) -> Text:
    from rich.text import Text

    from tunedrop.client.cli.printable import printable

    style = {"ok": "green", "wrong": "bold red", "unknown": "yellow", "off": "dim"}[finding.state]
    text = Text.assemble((f"{finding.state:<8}", style), f"{finding.check}: {printable(finding.detail)}")
    if finding.remedy is not None:
        text.append(f"\n{'':<8}-> {printable(finding.remedy)}")
    return text


def _print_summary(found: list[Finding]) -> None:
    from tunedrop.client.cli.output import print_line

    wrong = [finding.check for finding in found if finding.state == "wrong"]
    print_line("")
    if wrong:
        print_line(f"{len(wrong)} of {len(found)} checks found something wrong: {', '.join(wrong)}.")
    else:
        print_line("Nothing is wrong.")


def _print_json(found: list[Finding]) -> None:
    from tunedrop.client.cli.output import as_document, print_json

    print_json({"ok": all(finding.state != "wrong" for finding in found), "checks": [*map(as_document, found)]})
