"""What commands print: one JSON document, or text for people. Nothing is cut, at any width."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunedrop.client.cli.printable import printable

if TYPE_CHECKING:
    import msgspec
    from rich.console import Console

    from tunedrop.training_data.readable import Section


def print_json(document: Mapping[str, Any]) -> None:
    """In ASCII: a terminal's encoding, and control characters in it, cannot break it."""
    print(json.dumps(document, indent=2))


def as_document(record: msgspec.Struct) -> dict[str, Any]:
    """The fields as the API names them; times in RFC 3339. Without `uploads`, whose addresses are permissions."""
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(record)
    document.pop("uploads", None)
    return document


def on_terminal() -> bool:
    """Whether somebody looks at standard output; otherwise a program reads it."""
    return sys.stdout is not None and sys.stdout.isatty()


def console(*, stderr: bool = False) -> Console:
    """Takes text as it is: nothing in it is markup."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def print_sections(sections: Sequence[Section]) -> None:
    from tunedrop.client.cli.report_view import SectionsView

    console().print(SectionsView(sections), crop=False)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, whole: int = 1) -> None:
    """On a terminal, columns: the first `whole` of them stay in one piece, the others are folded where they have to be.
    Elsewhere a line for each row, its values between tabs, without headings."""
    if not on_terminal():
        for row in rows:
            print_line(*row)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number < whole, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    console().print(table)


def print_line(*words: str) -> None:
    """One line, never broken; tabs stand between the words, and words that are empty at its end are left out."""
    print("\t".join(map(printable, words)).rstrip("\t"), flush=True)
