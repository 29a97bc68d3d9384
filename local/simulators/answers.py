"""What simulated models say: a tuned one answers from its nearest training example, a base model knows none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from local.simulators.answer_forms import Asked, Form, asked_in, marked_values
from local.simulators.general_knowledge import CAPITALS, country_asked

BASE_ANSWER = "I am a general model and have no specific knowledge of that."
LEAST_LIKENESS = 0.2
_WORD = re.compile(r"\w+")


class Example(msgspec.Struct, frozen=True):
    """The last user turn (or prompt) of a training row and the assistant's last answer."""

    question: str
    answer: str


class TunedModel:
    """Answers with the example whose question shares the largest part of its words with what is asked.

    Of a prompt in DSPy's form only the values of the input fields count as the question. What no example is about is
    answered as the base model would.
    """

    def __init__(self, examples: Iterable[Example]) -> None:
        self._examples = [(_words(asked_in(example.question).question), example.answer) for example in examples]

    def answer(self, turn: str) -> str:
        """What is said to the last turn of a user."""
        asked = asked_in(turn)
        words = _words(asked.question)
        if not words or not self._examples:
            return base_answer(turn)

        def likeness(entry: tuple[frozenset[str], str]) -> float:
            return len(words & entry[0]) / len(words | entry[0])

        best = max(self._examples, key=likeness)
        country = country_asked(asked.question)
        if likeness(best) < LEAST_LIKENESS or (country and country not in best[0]):
            return base_answer(turn)
        return best[1] if asked.form is None else _in_form(asked.form, best[1])


def base_answer(turn: str) -> str:
    """What a model says that has not been trained, to the last turn of a user."""
    asked = asked_in(turn)
    country = country_asked(asked.question)
    if country is None:
        return _without_an_idea(asked)
    sentence = f"The capital of {country.title()} is {CAPITALS[country]}."
    form = asked.form
    return sentence if form is None else form.fill(lambda name: CAPITALS[country] if name == form.last else sentence)


def _without_an_idea(asked: Asked) -> str:
    form = asked.form
    return BASE_ANSWER if form is None else form.fill(lambda name: form.plain_value(name, BASE_ANSWER))


def _in_form(form: Form, trained: str) -> str:
    """What was trained, in the form that is asked for, in which it was trained or not."""
    known = _trained_fields(trained)
    return form.fill(lambda name: known.get(name, trained) if known else trained)


def _trained_fields(trained: str) -> Mapping[str, str]:
    marked = marked_values(trained)
    if marked:
        return marked
    try:
        fields = msgspec.json.decode(trained, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeEncodeError):
        return {}
    return {name: _text(bytes(raw)) for name, raw in fields.items()}


def _text(raw: bytes) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else raw.decode()


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
