"""The project's Markdown pages, and what is in them: tables, code blocks, commands, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
README = PROJECT / "README.md"
PAGES = sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md"), *(PROJECT / "examples").rglob("*.md")])

_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class CodeBlock:
    page: Path
    line: int
    language: str
    text: str


def page_id(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def _tokens(page: Path) -> list[Token]:
    return _PARSER.parse(page.read_text())


def code_blocks(page: Path, language: str | None = None) -> list[CodeBlock]:
    """The fenced blocks of a page, of one language where it is given: the first word behind the fence."""
    found = [
        CodeBlock(page, token.map[0] + 1 if token.map else 0, token.info.partition(" ")[0], token.content)
        for token in _tokens(page)
        if token.type == "fence"
    ]
    return [block for block in found if language in (None, block.language)]


def commands(page: Path) -> list[str]:
    """What a reader is told to type: the lines after `$ ` in the page's console blocks."""
    lines = [line for block in code_blocks(page, "console") for line in block.text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def table(page: Path, first: str, *, last: str | None = None) -> list[list[str]]:
    """The rows of the table whose first heading (and last one, where it is given) is this, as Markdown."""
    for rows in _tables(page):
        if rows[0][0] == first and last in (None, rows[0][-1]):
            assert len(rows) > 1, f"{page_id(page)}: the table {first!r} is empty"
            return rows[1:]
    raise AssertionError(f"{page_id(page)} has no table that begins with {first!r}")


def _tables(page: Path) -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for before, token in zip([None, *_tokens(page)], _tokens(page), strict=False):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and before is not None and before.type in ("th_open", "td_open"):
            rows[-1].append(token.content)
        elif token.type == "table_close":
            yield rows


def words_in_code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def links(page: Path) -> list[str]:
    """The targets of a page's links, in order."""
    return [
        str(child.attrs["href"])
        for token in _tokens(page)
        for child in token.children or ()
        if child.type == "link_open"
    ]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub makes anchors of them."""
    tokens = _tokens(page)
    titles = [inline.content for opening, inline in pairwise(tokens) if opening.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
