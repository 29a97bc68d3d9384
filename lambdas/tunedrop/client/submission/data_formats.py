"""How rows are written, as DSPy and the API call it."""

from __future__ import annotations

from typing import cast, get_args

from tunedrop.client.errors import TrainKwargsError
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.suggestions import did_you_mean

FORMATS: tuple[str, ...] = get_args(DataFormatName)


def read_format(given: object, provider: str) -> DataFormatName | None:
    """None where it is taken from the rows. DSPy's TrainDataFormat is a text that compares as its value.

    Raises TrainKwargsError.
    """
    if given is None:
        return None
    name = getattr(given, "value", given)
    if isinstance(name, str) and name.casefold() in FORMATS:
        return cast(DataFormatName, name.casefold())
    shown = repr(name)[:80] if isinstance(name, str) else f"a {type(given).__name__}"
    reason = " Reinforcement learning is not among what it does." if str(name).startswith("grpo") else ""
    near = did_you_mean(name, FORMATS) if isinstance(name, str) and not reason else ""
    raise TrainKwargsError(
        f"train_data_format is {shown}, but {provider} takes {', '.join(FORMATS)}, or None: the rows "
        f"tell.{reason}{near}"
    )
