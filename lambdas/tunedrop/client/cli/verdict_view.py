"""A verdict as people read it, and as JSON."""

from __future__ import annotations

import json

import msgspec
from rich.console import Console
from rich.text import Text

from tunedrop.client.cli.printable import printable
from tunedrop.client.cli.report_view import ReportView
from tunedrop.client.cli.validation import Verdict
from tunedrop.training_data.report import DatasetReport, FileProblems


def print_json(verdict: Verdict) -> None:
    """`ok`, `error` where it is not, and beside them the fields of the report. In ASCII: a terminal's encoding, and
    control characters in it, cannot break it."""
    document: dict[str, object] = {"ok": verdict.error is None}
    if verdict.error is not None:
        document["error"] = {"code": verdict.error.code, "message": str(verdict.error)}
    document |= msgspec.to_builtins(verdict.report)
    print(json.dumps(document, indent=2))


def print_report(verdict: Verdict) -> None:
    """To standard output: everything that can be said, of good files and bad ones."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(ReportView(verdict.report), crop=False)
    if verdict.error is None:
        console.print(Text("OK: this can be trained on.", style="bold green"))


def print_trouble(verdict: Verdict) -> None:
    """To standard error, as compilers do: a line for each problem, never broken, then what it comes to."""
    if verdict.error is None:
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    unusable = _unusable(verdict.report)
    for found in unusable:
        for problem in found.problems:
            place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
            line = Text.assemble((place, "bold"), ": ", printable(problem.message))
            console.print(line, soft_wrap=True)
        hidden = found.problems_total - len(found.problems)
        if hidden:
            console.print(f"{found.file}: … and {hidden:,} more", soft_wrap=True)
    summary = str(verdict.error)
    if unusable:
        summary = " and ".join(
            f"{found.file} has {found.problems_total:,} problem{'s' if found.problems_total != 1 else ''}"
            for found in unusable
        )
    console.print(Text.assemble(("error", "bold red"), ": ", printable(summary)), soft_wrap=True)


def _unusable(report: DatasetReport) -> list[FileProblems]:
    return [found for found in (report.training, report.validation) if isinstance(found, FileProblems)]
