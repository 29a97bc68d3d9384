"""Folders in Unity Catalog volumes, by which Databricks names where training files lie."""

from __future__ import annotations

import re

FORM = "/Volumes/<catalog>/<schema>/<volume>"
_FOLDER = re.compile(r"/Volumes(/(?!\.\.?(?:/|$))[^/\s]+){3,}/?")


def is_volume_path(text: str) -> bool:
    """Whether it is a volume, or a folder in one, without steps up or beside: `FORM`, and any folders behind it."""
    return _FOLDER.fullmatch(text) is not None
