"""All of DSPy, with an LM that trains in a Tunedrop stack: `import tunedrop.dspy as dspy`.

Every name that is not here is DSPy's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import dspy as _dspy
except ModuleNotFoundError as missing:
    if missing.name != "dspy":
        raise
    raise ModuleNotFoundError(
        "tunedrop.dspy needs DSPy, which is not installed: pip install 'tunedrop[dspy]'", name="dspy"
    ) from None

from tunedrop.dspy.lm import LM as LM
from tunedrop.dspy.provider import TunedropProvider as TunedropProvider
from tunedrop.dspy.training_job import TunedropJob as TunedropJob

if TYPE_CHECKING:
    from dspy import *  # noqa: F403

_OURS = ("LM", "TunedropJob", "TunedropProvider")

__all__ = sorted({*(name for name in dir(_dspy) if not name.startswith("_")), *_OURS})


def __getattr__(name: str) -> Any:
    """Asked of DSPy each time: `cache`, for one, is made when it is first read, and may be replaced."""
    try:
        return getattr(_dspy, name)
    except AttributeError:
        raise AttributeError(f"neither tunedrop.dspy nor dspy has {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_dspy)})
