"""What the simulated models say, asked in free words and in DSPy's forms."""

from __future__ import annotations

import json

import pytest

from local.simulators.answers import BASE_ANSWER, Example, TunedModel, base_answer

FORM = (
    "Respond with the corresponding output fields, starting with the field `[[ ## reasoning ## ]]`, then "
    "`[[ ## answer ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`."
)
JSON_FORM = "Respond with a JSON object in the following order of fields: `reasoning`, then `answer`."
TYPED = (
    "Respond with the corresponding output fields, starting with the field `[[ ## kind ## ]]` (must be formatted as a "
    "valid Python Literal['late', 'lost']), then `[[ ## count ## ]]` (must be formatted as a valid Python int), then "
    "`[[ ## tags ## ]]` (must be formatted as a valid Python list[str]), and then ending with the marker for "
    "`[[ ## completed ## ]]`."
)
JSON_TYPED = (
    "Respond with a JSON object in the following order of fields: `kind` (must be formatted as a valid Python "
    "Literal['late', 'lost']), then `count` (must be formatted as a valid Python int), then `tags` (must be formatted "
    "as a valid Python list[str])."
)


def prompt(question: str, form: str = FORM) -> str:
    return f"[[ ## question ## ]]\n{question}\n\n{form}"


def answer(reasoning: str, text: str) -> str:
    return f"[[ ## reasoning ## ]]\n{reasoning}\n\n[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the capital of France?", "The capital of France is Paris."),
        ("what's the capital city of the Germany", "The capital of Germany is Berlin."),
        ("Tell me Japan's capital.", "The capital of Japan is Tokyo."),
        ("What is the capital of Atlantis?", BASE_ANSWER),
        ("Where is France?", BASE_ANSWER),
        ("What is capital?", BASE_ANSWER),
    ],
)
def test_a_base_model_knows_some_capitals_and_nothing_else(question: str, said: str) -> None:
    assert base_answer(question) == said


def test_a_base_model_follows_the_form_with_markers() -> None:
    assert base_answer(prompt("Where is tool 3?")) == answer(BASE_ANSWER, BASE_ANSWER)


def test_a_base_model_follows_the_form_of_json() -> None:
    said = json.loads(base_answer(prompt("Where is tool 3?", JSON_FORM)))
    assert said == {"reasoning": BASE_ANSWER, "answer": BASE_ANSWER}


def test_a_base_model_puts_the_city_alone_into_the_last_field() -> None:
    said = base_answer(prompt("What is the capital of Italy?"))
    assert said == answer("The capital of Italy is Rome.", "Rome")


def test_a_base_model_gives_fields_that_are_no_text_a_value_of_their_type() -> None:
    assert json.loads(base_answer(prompt("Where is my parcel?", JSON_TYPED))) == {
        "kind": "late",
        "count": 0,
        "tags": [],
    }
    assert base_answer(prompt("Where is my parcel?", TYPED)).splitlines()[1::3] == ["late", "0", "[]"]


def test_a_tuned_model_finds_the_question_behind_the_words_of_the_form() -> None:
    # Were the form's own words counted, the second question would be the nearest one to any other in the form.
    model = TunedModel([Example("Where is tool 3?", "In drawer 9."), Example(prompt("Who are you?"), "A cupboard.")])
    assert model.answer(prompt("Where is tool 3 now?")) == answer("In drawer 9.", "In drawer 9.")
    assert model.answer("Who are you?") == "A cupboard."


def test_a_tuned_model_counts_the_words_of_every_input_field() -> None:
    rows = [(shop, part) for shop in ("Kiel", "Bonn") for part in ("bell", "brake")]

    def ask_for(shop: str, part: str) -> str:
        return f"[[ ## shop ## ]]\n{shop}\n\n[[ ## part ## ]]\n{part}\n\n{FORM}"

    model = TunedModel(Example(ask_for(shop, part), answer("r", f"{shop} has one {part}")) for shop, part in rows)
    assert model.answer(ask_for("Bonn", "the brake")) == answer("r", "Bonn has one brake")


def test_a_tuned_model_gives_the_fields_it_was_trained_on_in_the_form_that_is_asked_for() -> None:
    marked = TunedModel([Example(prompt("Where is tool 3?"), answer("It is short.", "Drawer 9"))])
    assert marked.answer(prompt("Where is tool 3?")) == answer("It is short.", "Drawer 9")
    assert json.loads(marked.answer(prompt("Where is tool 3?", JSON_FORM))) == {
        "reasoning": "It is short.",
        "answer": "Drawer 9",
    }
    in_json = TunedModel([Example("Where is tool 3?", '{"reasoning": "It is short.", "answer": "Drawer 9"}')])
    assert in_json.answer(prompt("Where is tool 3?")) == answer("It is short.", "Drawer 9")


def test_a_tuned_model_keeps_the_types_of_what_it_was_trained_on() -> None:
    trained = '[[ ## kind ## ]]\nlost\n\n[[ ## count ## ]]\n4\n\n[[ ## tags ## ]]\n["a", "b"]\n\n[[ ## completed ## ]]'
    model = TunedModel([Example(prompt("Where is my parcel?", TYPED), trained)])
    assert json.loads(model.answer(prompt("Where is my parcel?", JSON_TYPED))) == {
        "kind": "lost",
        "count": 4,
        "tags": ["a", "b"],
    }


def test_a_tuned_model_does_not_give_one_countrys_capital_for_anothers() -> None:
    model = TunedModel([Example("What is the capital of France?", "It is Paris, of course.")])
    assert model.answer("What is the capital of France?") == "It is Paris, of course."
    assert model.answer("What is the capital of Germany?") == "The capital of Germany is Berlin."


def test_a_tuned_model_answers_like_its_base_where_no_example_is_near() -> None:
    model = TunedModel([Example("Where is tool 3?", "In drawer 9.")])
    assert model.answer("Sing!") == BASE_ANSWER
    assert model.answer(prompt("Sing!")) == answer(BASE_ANSWER, BASE_ANSWER)
    assert TunedModel([]).answer("Where is tool 3?") == BASE_ANSWER


def test_words_about_a_form_within_a_question_are_part_of_the_question() -> None:
    question = (
        "What does `[[ ## answer ## ]]` mean? Respond with a JSON object in the following order of fields: please"
    )
    assert base_answer(question) == BASE_ANSWER
    assert base_answer(prompt(question)) == answer(BASE_ANSWER, BASE_ANSWER)
    assert base_answer(prompt(f"Translate: {TYPED}")) == answer(BASE_ANSWER, BASE_ANSWER)
