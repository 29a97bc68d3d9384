"""What a function makes once a cold start is made anew: a test's clients belong to its own account."""

from __future__ import annotations

import importlib
import pkgutil

from tunedrop import wiring
from tunedrop.aws import clients


def forget_wiring() -> None:
    """The next use of a function starts cold."""
    parts = (
        importlib.import_module(f"{wiring.__name__}.{part.name}") for part in pkgutil.iter_modules(wiring.__path__)
    )
    for module in (clients, *parts):
        for made in vars(module).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()
