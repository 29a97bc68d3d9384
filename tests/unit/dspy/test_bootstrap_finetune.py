"""DSPy's optimizer over our jobs: what it submits, what its programs call afterwards, and what fails."""

from __future__ import annotations

import copy
from typing import Any

import dspy as plain_dspy
import pytest
from dspy.teleprompt import BootstrapFinetune
from dspy.utils import DummyLM

import tunedrop.dspy as dspy
from tests.unit.dspy.fakes import FakeTunedrop
from tunedrop.client.errors import JobFailedError

KWARGS = {
    "s3_path": "s3://bucket/data/",
    "aws_profile": "default",
    "hyperparameters": {"epochCount": 3, "batchSize": 4, "learningRate": 1e-5},
}
DOORS = [
    plain_dspy.Example(question=f"Door {number}?", answer=str(number * 7)).with_inputs("question")
    for number in range(6)
]


class Doors(plain_dspy.Module):  # type: ignore[misc]
    """One predictor, or a second that makes something of what the first found."""

    def __init__(self, *, predictors: int = 1) -> None:
        super().__init__()
        self.find = plain_dspy.Predict("question -> answer")
        self.check = plain_dspy.Predict("question, answer -> verdict") if predictors == 2 else None

    def forward(self, question: str) -> Any:
        found = self.find(question=question)
        if self.check is not None:
            self.check(question=question, answer=found.answer)
        return found


def knowing_teacher(predictors: int = 1) -> Doors:
    """It knows what is on every door."""
    teacher = Doors(predictors=predictors)
    teacher.set_lm(
        DummyLM({door.question: {"answer": door.answer, "verdict": f"{door.answer} is right"} for door in DOORS})
    )
    return teacher


def is_right(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


@pytest.fixture
def compiled(stack: FakeTunedrop) -> Any:
    """A program with Nova as its student, compiled by a teacher that knows the answers."""
    stack.outcome = "bedrock/converse/arn:{}"

    def compile_(predictors: int = 1, **options: Any) -> Any:
        student = Doors(predictors=predictors)
        student.set_lm(dspy.LM("bedrock/amazon.nova-lite-v1"))
        optimizer = BootstrapFinetune(**{"metric": is_right, "train_kwargs": KWARGS, "num_threads": 2, **options})
        return optimizer.compile(student=student, trainset=DOORS, teacher=knowing_teacher(predictors))

    return compile_


def answers(job: dict[str, Any]) -> list[str]:
    return [row["messages"][-1]["content"] for row in job["train_data"]]


def test_a_teachers_right_answers_train_the_students_model(stack: FakeTunedrop, compiled: Any) -> None:
    program = compiled()

    [job] = stack.submitted
    assert (job["model"], job["train_data_format"]) == ("bedrock/amazon.nova-lite-v1", "chat")
    assert len(job["train_data"]) == len(DOORS)
    assert all(any(f"\n{door.answer}\n" in answer for answer in answers(job)) for door in DOORS)
    assert [predictor.lm.model for predictor in program.predictors()] == ["bedrock/converse/arn:1"]


def test_predictors_with_one_lm_share_a_job(stack: FakeTunedrop, compiled: Any) -> None:
    program = compiled(predictors=2)

    [job] = stack.submitted
    assert len(job["train_data"]) == 2 * len(DOORS)
    assert [predictor.lm.model for predictor in program.predictors()] == ["bedrock/converse/arn:1"] * 2


def test_each_predictor_has_its_own_job_without_multitask_from_one_dict_of_kwargs(
    stack: FakeTunedrop, compiled: Any
) -> None:
    kwargs = copy.deepcopy(KWARGS)

    program = compiled(predictors=2, multitask=False, train_kwargs=kwargs)

    first, second = stack.submitted
    assert first["train_kwargs"] == second["train_kwargs"] == KWARGS
    assert kwargs == KWARGS
    assert all("verdict" not in answer for answer in answers(first))
    assert all("verdict" in answer for answer in answers(second))
    models = [predictor.lm.model for predictor in program.predictors()]
    assert models == ["bedrock/converse/arn:1", "bedrock/converse/arn:2"]


def test_the_lms_own_kwargs_are_used_where_the_optimizer_has_none(stack: FakeTunedrop) -> None:
    stack.outcome = "bedrock/converse/arn:{}"
    student = Doors()
    student.set_lm(dspy.LM("bedrock/amazon.nova-lite-v1", train_kwargs=KWARGS))

    BootstrapFinetune(num_threads=1).compile(student=student, trainset=DOORS, teacher=knowing_teacher())

    assert stack.submitted[0]["train_kwargs"] == KWARGS


def test_a_failed_job_ends_the_compilation_with_the_providers_words_and_the_process_goes_on(
    stack: FakeTunedrop, compiled: Any
) -> None:
    stack.failure = "Nova found a reserved word in row 3."
    with pytest.raises(JobFailedError, match="reserved word in row 3"):
        compiled()

    stack.failure = None
    assert compiled().find.lm.model == "bedrock/converse/arn:2"
