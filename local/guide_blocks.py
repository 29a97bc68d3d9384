"""The Python blocks of docs/guide.md, in order, with their lines on the page.

The word `tunedrop` behind `python` marks a block that is ours, and not one of the guide that the page follows. A
provider's name behind it says that the block is about that provider only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from local.deployment import ROOT

PAGE = ROOT / "docs" / "guide.md"
PROVIDERS = ("openai", "bedrock", "databricks")
OURS = "tunedrop"


class GuidePageError(Exception):
    """The page is not written as the runner reads it; the message has the line."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One Python block of the page."""

    number: int
    """Among all Python blocks of the page, from 1."""
    line: int
    """Of its first line of code, on the page."""
    section: str
    """The heading that it stands under."""
    ours: bool
    provider: str | None
    """The one that it is about; None for all."""
    text: str

    def runs_for(self, provider: str) -> bool:
        return self.provider in (None, provider)

    def tree(self) -> ast.Module:
        """Its code; line numbers are those of the page. Raises GuidePageError."""
        try:
            tree = ast.parse(self.text)
        except SyntaxError as error:
            line = self.line + (error.lineno or 1) - 1
            raise GuidePageError(f"line {line} is not Python: {error.msg}") from error
        return ast.increment_lineno(tree, self.line - 1)


def read_blocks(page: Path = PAGE) -> list[Block]:
    """The Python blocks of a page. Raises GuidePageError for a mark that is not known."""
    return [
        Block(number=number, line=line, section=section, ours=ours, provider=provider, text=text)
        for number, (line, section, (ours, provider), text) in enumerate(_fences(page), start=1)
    ]


def _fences(page: Path) -> Iterator[tuple[int, str, tuple[bool, str | None], str]]:
    section, in_heading = "", False
    for token in MarkdownIt("commonmark").parse(page.read_text()):
        if in_heading:
            section = token.content
        in_heading = token.type == "heading_open"
        language, *marks = token.info.split() or [""]
        if token.type == "fence" and language == "python":
            line = token.map[0] + 2 if token.map else 0
            yield line, section, _meaning(marks, line - 1), token.content


def _meaning(marks: list[str], line: int) -> tuple[bool, str | None]:
    """Whether a block is ours, and the provider that it is about."""
    match marks:
        case []:
            return False, None
        case ["tunedrop"]:
            return True, None
        case ["tunedrop", provider] if provider in PROVIDERS:
            return True, provider
    known = ", ".join(f"'{OURS} {provider}'" for provider in PROVIDERS)
    raise GuidePageError(f"line {line}: '{' '.join(marks)}' is no mark of a Python block; known are '{OURS}', {known}")
