"""Text of unknown origin, such as the name of a file, made safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Shows what cannot be printed (control characters, marks that turn the direction of text, bytes of a file's name
    that are no UTF-8) as an escape such as `\\x1b`: nothing in it moves a cursor or pretends to be another name."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text.replace("\n", " ")
    )
