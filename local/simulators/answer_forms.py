"""The forms in which DSPy asks, and in which a model has to answer for DSPy to understand it.

DSPy's adapters write the input fields behind markers, `[[ ## question ## ]]`, and end the user's turn by telling which
fields they want, in which order and of which types. ChatAdapter wants them behind markers, JSONAdapter as an object.
The wording is that of dspy/adapters/chat_adapter.py and json_adapter.py, the same in DSPy 3.3 and 3.4.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

_MARKER = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*", re.MULTILINE)
_CHAT_TAIL = "Respond with the corresponding output fields, starting with the field "
_JSON_TAIL = "Respond with a JSON object in the following order of fields: "
_FIELD = re.compile(r"`(?:\[\[ ## )?(\w+)(?: ## \]\])?`(?: \(must be formatted as a valid Python (.*?)\)(?=,|\.$))?")
_COMPLETED = "completed"
_PLAIN_VALUES: Mapping[str, Any] = {"int": 0, "float": 0.0, "bool": False, "list": [], "dict": {}}


class Form(msgspec.Struct, frozen=True):
    """What is asked for: each output field with its Python type, `str` where nothing is said, in order."""

    fields: Mapping[str, str]
    as_json: bool

    def fill(self, value: Callable[[str], str]) -> str:
        """The answer in this form, with the text that `value` gives for each field's name."""
        texts = {name: value(name) for name in self.fields}
        if self.as_json:
            values = {name: text if self.fields[name] == "str" else _from_text(text) for name, text in texts.items()}
            return json.dumps(values, ensure_ascii=False, indent=2)
        parts = [f"[[ ## {name} ## ]]\n{text}\n" for name, text in texts.items()]
        return "\n".join([*parts, f"[[ ## {_COMPLETED} ## ]]"])

    @property
    def last(self) -> str:
        return list(self.fields)[-1]

    def plain_value(self, name: str, text: str) -> str:
        """What somebody without an idea puts into a field: `text`, or what its type takes in place of text."""
        kind = self.fields[name]
        if kind.startswith("Literal["):
            return str(ast.literal_eval(kind.removeprefix("Literal"))[0])
        value = _PLAIN_VALUES.get(kind.partition("[")[0])
        return text if value is None else str(value)


class Asked(msgspec.Struct, frozen=True):
    question: str
    """The user's own words: the values of the input fields, or the whole turn where there are none."""
    form: Form | None
    """None for an answer in free words."""


def asked_in(turn: str) -> Asked:
    """What a turn of the user asks for, and in which form."""
    for tail, as_json in ((_CHAT_TAIL, False), (_JSON_TAIL, True)):
        before, found, listed = turn.rpartition(tail)
        fields = _listed_fields(listed.strip()) if found else {}
        if fields:
            return Asked("\n".join(marked_values(before).values()) or before.strip(), Form(fields, as_json))
    return Asked(turn, None)


def marked_values(text: str) -> dict[str, str]:
    """The values behind markers, by their fields' names; empty for a text without any."""
    parts = _MARKER.split(text)[1:]
    values = {name: value.strip() for name, value in zip(parts[::2], parts[1::2], strict=True)}
    values.pop(_COMPLETED, None)
    return values


def _listed_fields(listed: str) -> dict[str, str]:
    fields = {name: kind or "str" for name, kind in _FIELD.findall(listed)}
    fields.pop(_COMPLETED, None)
    return fields


def _from_text(text: str) -> Any:
    """The value of a field that is no text: in JSON, as DSPy writes it, or in Python's words."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text
