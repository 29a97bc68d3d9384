"""What docs/guide.md says of plain DSPy is what the installed DSPy does."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy.clients.databricks import DatabricksProvider
from dspy.clients.openai import OpenAIProvider, TrainingJobOpenAI
from dspy.clients.utils_finetune import TrainDataFormat, TrainingStatus
from dspy.utils.exceptions import LMUnsupportedFeatureError

from tests.docs.pages import DOCS

WORDS = " ".join((DOCS / "guide.md").read_text().split())


class Failing(dspy.Provider):  # type: ignore[misc]  # DSPy has no types
    def __init__(self) -> None:
        super().__init__()
        self.finetunable = True

    @staticmethod
    def finetune(**_: Any) -> str:
        raise ValueError("no quota")


@pytest.fixture
def failed_job() -> Any:
    job = dspy.LM("x/y", provider=Failing()).finetune(train_data=[], train_data_format=TrainDataFormat.CHAT)
    job.thread.join()
    return job


def test_the_result_of_a_job_that_failed_is_its_exception(failed_job: Any) -> None:
    assert "`result()` *returns* the exception of a job that failed" in WORDS
    assert isinstance(failed_job.result(), ValueError)


def test_a_thread_keeps_the_process_alive(failed_job: Any) -> None:
    assert "a thread keeps the process alive until the job ends" in WORDS
    assert failed_job.thread.daemon is False


def test_an_lm_is_no_model_of_another() -> None:
    assert "`dspy.LM(model=finetuned_model)` raises" in WORDS
    with pytest.raises((TypeError, ValueError)):
        dspy.LM(model=dspy.LM("openai/gpt-4o-mini"))


def test_there_is_nothing_for_bedrock() -> None:
    assert (
        "DSPy has nothing for Bedrock. `lm.finetune` of a `bedrock/…` model raises `LMUnsupportedFeatureError`" in WORDS
    )
    with pytest.raises(LMUnsupportedFeatureError):
        dspy.LM("bedrock/amazon.nova-lite-v1").finetune(train_data=[], train_data_format=TrainDataFormat.CHAT)


def test_there_are_no_calls_for_endpoints() -> None:
    assert "it has no such calls" in WORDS
    for job in (dspy.TrainingJob, TrainingJobOpenAI, DatabricksProvider.TrainingJob):
        assert not hasattr(job, "start_endpoint")
        assert not hasattr(job, "stop_endpoint")


def test_a_job_that_was_cancelled_at_openai_says_that_it_never_began(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a job that you cancel says `not_started`" in WORDS
    openai = _OpenAI(status="running")
    monkeypatch.setattr("dspy.clients.openai.openai", openai)
    job = TrainingJobOpenAI()
    job.provider_job_id = "ftjob-1"
    job.cancel()
    assert openai.cancelled == ["ftjob-1"]
    assert job.status() is TrainingStatus.not_started


def test_every_kwarg_goes_to_openai_as_a_hyperparameter_and_rows_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "sends every kwarg as a hyperparameter, whatever its name" in WORDS
    openai = _OpenAI(status="failed")
    monkeypatch.setattr("dspy.clients.openai.openai", openai)
    monkeypatch.setattr("dspy.clients.utils_finetune.DSPY_CACHEDIR", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)
    rows = [{"prompt": "Capital of Peru?", "completion": "Lima."}]
    with pytest.raises(Exception, match="Must be") as failure:
        OpenAIProvider.finetune(
            TrainingJobOpenAI(), "openai/gpt-4o-mini", rows, TrainDataFormat.COMPLETION, {"s3_path": "s3://b/"}
        )
    assert openai.hyperparameters == {"s3_path": "s3://b/"}
    assert json.loads(openai.uploaded) == rows[0]
    assert openai.reason not in str(failure.value)


class _OpenAI:
    """As much of OpenAI's module as DSPy asks of it: a job that is what `status` says."""

    reason = "the file has too few rows"

    def __init__(self, *, status: str) -> None:
        self.status = status
        self.cancelled: list[str] = []
        self.hyperparameters: dict[str, Any] = {}
        self.uploaded = b""
        self.fine_tuning = self.jobs = self.files = self
        self.id = "ftjob-1"
        self.estimated_finish = None
        self.fine_tuned_model = None
        self.error = self.reason
        self.data: list[Any] = []

    def create(self, *, file: Any = None, hyperparameters: dict[str, Any] | None = None, **_: Any) -> _OpenAI:
        if file is not None:
            with file:
                self.uploaded = file.read()
        self.hyperparameters = hyperparameters or {}
        return self

    def retrieve(self, _: str) -> _OpenAI:
        return self

    def list_events(self, **_: Any) -> _OpenAI:
        return self

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)


def test_databricks_is_asked_for_what_it_has_ended_and_the_dict_is_emptied() -> None:
    """By its source: the package that it imports there is not installed, and could not be called."""
    assert "DSPy's provider calls Foundation Model Fine-tuning" in WORDS
    source = inspect.getsource(DatabricksProvider.finetune)
    assert "from databricks.model_training import foundation_model" in source
    assert 'train_kwargs.pop("databricks_token"' in source
    assert '"Stopped"' not in source
