"""DSPy against the deployed stack, as the guide has it: trained by real jobs, called by DSPy through LiteLLM."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent import futures
from typing import Any

import dspy as plain_dspy
import pytest
from dspy.clients.utils_finetune import TrainDataFormat, TrainingStatus
from dspy.teleprompt import BootstrapFinetune
from dspy.utils import DummyLM

import tunedrop.dspy as dspy
from local.client_environment import client_environment
from local.running_stack import OWN_BUCKET
from local.simulated_providers import GUIDE_SCHEMA, GUIDE_VOLUME
from local.simulators.answers import BASE_ANSWER
from local.simulators.faults import Fault, FaultKind
from tests.local.deployed.account import Account
from tunedrop.client import Tunedrop
from tunedrop.client.errors import JobFailedError, TrainKwargsError

HYPERPARAMETERS = {"epochCount": 3, "batchSize": 4, "learningRate": 1e-5}
BEDROCK_KWARGS = {
    "s3_path": f"s3://{OWN_BUCKET}/fine-tuning-data/",
    "aws_profile": "default",
    "hyperparameters": HYPERPARAMETERS,
}
LONGEST_SECONDS = 240
DOORS = range(24)


def asked(door: int) -> str:
    return f"Which number is written on the blue door {door} of the lighthouse?"


def asked_otherwise(door: int) -> str:
    """Not one of the training questions."""
    return f"On the blue door {door} of the lighthouse, which number is written?"


def number_on(door: int) -> str:
    return f"{door * 7 + 1000}"


CHAT = [
    {"messages": [{"role": "user", "content": asked(door)}, {"role": "assistant", "content": number_on(door)}]}
    for door in DOORS
]
COMPLETIONS = [{"prompt": asked(door), "completion": number_on(door)} for door in DOORS]


@pytest.fixture(autouse=True)
def user(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who uses the stack, and of whom no provider but these knows anything."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "OPENAI_", "DATABRICKS_", "TUNEDROP_"))]:
        monkeypatch.delenv(name)
    for name, value in client_environment(account.stack).items():
        monkeypatch.setenv(name, value)
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)


def exact_match(program: Any, questions: dict[str, str]) -> float:
    """The share of the questions that it answers with exactly what is right."""
    right = sum(bool(program(question=question).answer == answer) for question, answer in questions.items())
    return right / len(questions)


class SimpleQA(plain_dspy.Module):  # type: ignore[misc]
    """The guide's program."""

    def __init__(self) -> None:
        super().__init__()
        self.generate_answer = plain_dspy.ChainOfThought("question -> answer")

    def forward(self, question: str) -> Any:
        return self.generate_answer(question=question)


class CheckedQA(SimpleQA):
    """With a second predictor, which is asked for what the first has answered."""

    def __init__(self) -> None:
        super().__init__()
        self.check = plain_dspy.Predict("question, answer -> verdict")

    def forward(self, question: str) -> Any:
        found = self.generate_answer(question=question)
        return plain_dspy.Prediction(
            answer=found.answer, verdict=self.check(question=question, answer=found.answer).verdict
        )


def program_of(kind: type[Any], lm: Any) -> Any:
    program = kind()
    program.set_lm(lm)
    return program


def knowing_teacher(kind: type[Any]) -> Any:
    """Knows every door's number, as a larger model with the documents at hand would."""
    return program_of(
        kind,
        DummyLM(
            {
                asked(door): {
                    "reasoning": "It stands there.",
                    "answer": number_on(door),
                    "verdict": f"door {door}: yes",
                }
                for door in DOORS
            }
        ),
    )


TRAINSET = [plain_dspy.Example(question=asked(door), answer=number_on(door)).with_inputs("question") for door in DOORS]
HELD_OUT = {asked_otherwise(door): number_on(door) for door in DOORS}


def is_right(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


def test_the_guides_basic_code_runs_line_for_line() -> None:
    dspy.settings.experimental = True
    lm = dspy.LM(model="bedrock/amazon.nova-lite-v1")
    job = lm.finetune(train_data=CHAT, train_data_format=TrainDataFormat.CHAT, train_kwargs=BEDROCK_KWARGS)
    status = job.status()
    finetuned_model = job.result(timeout=LONGEST_SECONDS)
    finetuned_lm = dspy.LM(model=finetuned_model)
    response = finetuned_lm(asked(3))

    assert status in set(TrainingStatus)
    assert job.status() is TrainingStatus.succeeded
    assert response == [number_on(3)]
    assert lm(asked(3)) == [BASE_ANSWER]


def test_bootstrap_finetune_teaches_a_student_what_its_base_does_not_know() -> None:
    base_lm = dspy.LM("bedrock/amazon.nova-lite-v1")
    before = exact_match(program_of(SimpleQA, base_lm), HELD_OUT)

    optimizer = BootstrapFinetune(metric=is_right, train_kwargs=BEDROCK_KWARGS, num_threads=4)
    tuned = optimizer.compile(program_of(SimpleQA, base_lm), trainset=TRAINSET, teacher=knowing_teacher(SimpleQA))

    after = exact_match(tuned, HELD_OUT)
    print(f"{len(HELD_OUT)} held-out questions, exact match: base {before:.2f}, tuned {after:.2f}")
    assert len(HELD_OUT) >= 20
    assert before <= 0.3
    assert after >= 0.8


def test_bootstrap_finetune_trains_each_predictor_apart_from_one_dict_of_kwargs() -> None:
    kwargs = {**BEDROCK_KWARGS, "hyperparameters": dict(HYPERPARAMETERS)}
    base_lm = dspy.LM("bedrock/amazon.nova-lite-v1")

    optimizer = BootstrapFinetune(metric=is_right, multitask=False, train_kwargs=kwargs, num_threads=4)
    tuned = optimizer.compile(program_of(CheckedQA, base_lm), trainset=TRAINSET, teacher=knowing_teacher(CheckedQA))

    first, second = (predictor.lm.model for predictor in tuned.predictors())
    assert first != second
    assert kwargs == BEDROCK_KWARGS
    answered = tuned(question=asked_otherwise(5))
    assert (answered.answer, answered.verdict) == (number_on(5), "door 5: yes")


def test_completion_rows_train_openais_model_in_plain_dspy() -> None:
    lm = plain_dspy.LM("openai/gpt-4o-mini", provider=dspy.TunedropProvider())

    job = lm.finetune(COMPLETIONS, TrainDataFormat.COMPLETION, {"n_epochs": 3, "batch_size": 4})
    tuned = job.result(timeout=LONGEST_SECONDS)

    assert tuned.model.startswith("openai/ft:gpt-4o-mini")
    assert tuned(asked_otherwise(7)) == [number_on(7)]


def test_a_workspaces_model_is_called_by_the_host_and_token_of_the_guides_kwargs(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABRICKS_API_BASE", "DATABRICKS_API_KEY", "DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name)
    lm = dspy.LM("databricks/meta-llama/Llama-3.2-3B-Instruct")

    job = lm.finetune(
        train_data=CHAT,
        train_data_format=TrainDataFormat.CHAT,
        train_kwargs={
            "train_data_path": f"{GUIDE_VOLUME}/path",
            "register_to": f"{GUIDE_SCHEMA}.model_name",
            "task_type": "CHAT_COMPLETION",
            "databricks_host": account.stack.providers.databricks_url,
            "databricks_token": account.stack.providers.databricks_token,
            "skip_deploy": False,
        },
    )
    tuned = dspy.LM(model=job.result(timeout=LONGEST_SECONDS))

    assert tuned(asked_otherwise(9)) == [number_on(9)]
    assert account.stack.providers.databricks_token not in str([tuned.dump_state(), vars(tuned), job.train_kwargs])


def test_a_job_that_fails_raises_the_providers_words_and_the_process_goes_on(account: Account) -> None:
    reason = "The training file holds the lighthouse keeper's own words."
    fault = Fault(operation="fine_tuning.jobs.create", kind=FaultKind.FAIL_JOB, message=reason)
    account.stack.providers.openai.faults.add(fault)
    lm = dspy.LM("openai/gpt-4o-mini")

    job = lm.finetune(CHAT, TrainDataFormat.CHAT)
    with pytest.raises(JobFailedError, match="lighthouse keeper"):
        job.result(timeout=LONGEST_SECONDS)

    assert job.status() is TrainingStatus.failed
    with pytest.raises(TrainKwargsError, match="n_epoch"):
        lm.finetune(CHAT, TrainDataFormat.CHAT, {"n_epoch": 3})


def test_a_cancelled_job_is_cancelled_at_its_provider(account: Account) -> None:
    with account.long_trainings():
        job = dspy.LM("openai/gpt-4o-mini").finetune(CHAT, TrainDataFormat.CHAT)

        assert job.cancel() is True

        with pytest.raises(futures.CancelledError):
            job.result(timeout=LONGEST_SECONDS)
        account.when([job.job_id], lambda seen: seen.is_final, "the job ends")
    assert job.status() is TrainingStatus.cancelled
    job.thread.join(LONGEST_SECONDS)
    assert not job.thread.is_alive()


def test_an_endpoint_stops_and_starts_and_the_same_lm_calls_it_again() -> None:
    job = dspy.LM("bedrock/amazon.nova-micro-v1").finetune(CHAT, TrainDataFormat.CHAT, {"start_endpoint": False})
    lm = job.result(timeout=LONGEST_SECONDS)

    job.start_endpoint()
    first = lm.model
    assert lm(asked_otherwise(2)) == [number_on(2)]
    job.stop_endpoint()
    with pytest.raises(dspy.LMError):
        lm.copy(num_retries=0)(asked_otherwise(2))
    job.start_endpoint()

    assert lm.model != first
    assert lm(asked_otherwise(2)) == [number_on(2)]
    job.stop_endpoint()


SCRIPT = """
import json, sys
import tunedrop.dspy as dspy
lm = dspy.LM("openai/gpt-4o-mini")
job = lm.finetune(json.load(sys.stdin), train_data_format=None)
print(job.job_id)
"""


def test_a_script_ends_after_its_last_line_and_its_job_goes_on_in_the_stack(account: Account) -> None:
    import json

    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(CHAT),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    job_id = ended.stdout.strip()

    account.when([job_id], lambda seen: seen.is_final, "the job that the script left behind ends")

    with Tunedrop() as tunedrop:
        name = tunedrop.attach(job_id).result(timeout=LONGEST_SECONDS)
    assert dspy.LM(name)(asked_otherwise(4)) == [number_on(4)]
