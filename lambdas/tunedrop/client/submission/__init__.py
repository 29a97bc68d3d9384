"""Everything between `finetune(…)` and a job that was created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunedrop.client.submission.order import submit

__all__ = ["submit"]


def __getattr__(name: str) -> Any:
    if name == "submit":  # it loads what reads rows, which the names of models do not need
        from tunedrop.client.submission.order import submit

        return submit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
