"""Secrets among a training's kwargs: a Databricks token is used, and is neither shown nor stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECRET_KWARGS = frozenset({"databricks_token"})


class HeldSecret(str):
    """A secret that is sent as the text that it is, and is not shown by `repr`. A pickle of it holds nothing: what is
    loaded from one has None in its place."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _left_behind, ()

    def __copy__(self) -> HeldSecret:
        return self

    def __deepcopy__(self, _memo: object) -> HeldSecret:
        return self


def _left_behind() -> None:
    """What a pickled secret is loaded as."""


def held(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of the kwargs whose secrets are held."""
    return {name: _held(value) if name in SECRET_KWARGS else value for name, value in (kwargs or {}).items()}


def _held(value: object) -> object:
    return HeldSecret(value) if isinstance(value, str) else value


def told(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the kwargs with plain text for what was held."""
    return {name: str(value) if isinstance(value, HeldSecret) else value for name, value in kwargs.items()}


def without_secrets(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name not in SECRET_KWARGS}
