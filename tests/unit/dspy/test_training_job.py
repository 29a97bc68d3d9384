"""What `lm.finetune(…)` gives: a job of the stack that DSPy takes for its own."""

from __future__ import annotations

import threading
import time
from concurrent import futures
from typing import Any

import pytest
from dspy.clients.utils_finetune import TrainDataFormat, TrainingStatus

import tunedrop.dspy as dspy
from tests.unit.dspy.fakes import FakeTunedrop
from tunedrop.client.errors import EndpointFailedError, JobFailedError, TrainKwargsError
from tunedrop.domain.job import JobStatus, Phase

ROWS = [
    {"messages": [{"role": "user", "content": f"Door {number}?"}, {"role": "assistant", "content": f"{number * 7}."}]}
    for number in range(3)
]
DEPLOYED = "bedrock/converse/arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc"
ENDED_WITHIN = 5.0


def training(lm: Any, **kwargs: Any) -> Any:
    return lm.finetune(train_data=ROWS, train_data_format=TrainDataFormat.CHAT, train_kwargs=kwargs)


def nova() -> Any:
    return dspy.LM("bedrock/amazon.nova-lite-v1")


def test_a_job_is_there_as_soon_as_finetune_returns_and_trains_what_the_user_named(stack: FakeTunedrop) -> None:
    job = training(nova(), s3_path="s3://bucket/data/", hyperparameters={"epochCount": 3})

    assert job.job_id == stack.jobs[0].job_id
    assert stack.submitted == [
        {
            "model": "bedrock/amazon.nova-lite-v1",
            "train_data": ROWS,
            "train_data_format": "chat",
            "train_kwargs": {"s3_path": "s3://bucket/data/", "hyperparameters": {"epochCount": 3}},
        }
    ]


def test_what_is_wrong_with_the_kwargs_is_raised_by_finetune_itself(stack: FakeTunedrop) -> None:
    stack.refusal = TrainKwargsError("'epochs' is no kwarg of bedrock.")
    running = threading.active_count()

    with pytest.raises(TrainKwargsError, match="'epochs' is no kwarg"):
        training(nova(), epochs=3)

    assert threading.active_count() == running


def test_the_result_is_an_lm_that_calls_the_tuned_model_with_the_bases_settings(stack: FakeTunedrop) -> None:
    job = training(dspy.LM("bedrock/amazon.nova-lite-v1", temperature=0.3))
    stack.jobs[0].succeed(DEPLOYED)

    tuned = job.result(timeout=ENDED_WITHIN)

    assert (tuned.model, tuned.kwargs["temperature"]) == (DEPLOYED, 0.3)
    assert isinstance(tuned, dspy.LM)
    assert stack.jobs[0].asked_for_progress == [False], "two bars at once would break a terminal"


def test_an_lm_trained_further_starts_from_the_tuned_model_and_not_from_its_base(stack: FakeTunedrop) -> None:
    tuned_name = "openai/ft:gpt-4o-mini-2024-07-18:maria::abc"
    job = training(dspy.LM("openai/gpt-4o-mini", finetuning_model="openai/gpt-4o-mini-2024-07-18"))
    stack.jobs[0].succeed(tuned_name)

    training(job.result(timeout=ENDED_WITHIN))

    assert [each["model"] for each in stack.submitted] == ["openai/gpt-4o-mini-2024-07-18", tuned_name]


def test_a_job_without_an_endpoint_results_in_an_lm_named_by_provider_and_model(stack: FakeTunedrop) -> None:
    job = training(dspy.LM("openai/gpt-4o-mini"), start_endpoint=False)
    stack.jobs[0].succeed("ft:gpt-4o-mini-2024-07-18:maria::abc")

    assert job.result(timeout=ENDED_WITHIN).model == "openai/ft:gpt-4o-mini-2024-07-18:maria::abc"


def test_a_failed_job_raises_the_providers_words_each_time_and_not_only_once(stack: FakeTunedrop) -> None:
    job = training(nova())
    stack.jobs[0].fail("Row 3 holds a reserved word.")

    for _ in range(2):
        with pytest.raises(JobFailedError, match="Row 3 holds a reserved word"):
            job.result(timeout=ENDED_WITHIN)
    assert isinstance(job.exception(), JobFailedError)
    assert job.status() is TrainingStatus.failed


def test_waiting_shorter_than_the_job_takes_ends_the_waiting_and_not_the_job(stack: FakeTunedrop) -> None:
    job = training(nova())

    with pytest.raises(TimeoutError):
        job.result(timeout=0.01)

    stack.jobs[0].succeed(DEPLOYED)
    assert job.result(timeout=ENDED_WITHIN).model == DEPLOYED


@pytest.mark.parametrize("phase", list(Phase))
def test_the_status_is_dspys_in_every_phase(stack: FakeTunedrop, phase: Phase) -> None:
    job = training(nova())
    for status in JobStatus:
        stack.jobs[0].now(status, phase)

        assert job.status() is TrainingStatus(status.value)


def test_the_thread_only_waits_and_keeps_no_process_alive(stack: FakeTunedrop) -> None:
    job = training(nova())

    assert job.thread.daemon
    stack.jobs[0].succeed(DEPLOYED)
    job.thread.join(ENDED_WITHIN)
    assert not job.thread.is_alive()


@pytest.fixture
def thread_errors(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every exception that ends a thread while the test runs."""
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    return seen


def test_a_cancelled_job_ends_everybodys_waiting_at_once_and_no_thread_dies_of_it(
    stack: FakeTunedrop, thread_errors: list[object]
) -> None:
    job = training(nova())
    waiting = futures.ThreadPoolExecutor(1)
    waiter = waiting.submit(lambda: futures.wait([job], timeout=ENDED_WITHIN))

    assert job.cancel() is True

    assert job.cancelled()
    assert waiter.result().done == {job}
    with pytest.raises(futures.CancelledError):
        job.result(timeout=ENDED_WITHIN)
    assert job.status() is TrainingStatus.running, "the provider is still stopping it"
    stack.jobs[0].cancelled()
    job.thread.join(ENDED_WITHIN)
    assert job.status() is TrainingStatus.cancelled
    assert job.cancel() is True, "cancelling again says the same"
    assert thread_errors == []
    waiting.shutdown()


@pytest.mark.parametrize("end", ["succeed", "fail"])
def test_a_job_that_ends_while_it_is_being_cancelled_kills_no_thread(
    stack: FakeTunedrop, thread_errors: list[object], end: str
) -> None:
    job = training(nova())
    job.cancel()

    getattr(stack.jobs[0], end)(DEPLOYED)
    job.thread.join(ENDED_WITHIN)

    assert thread_errors == []
    assert job.cancelled()


def test_a_job_cancelled_by_somebody_else_ends_as_cancelled_without_an_error_in_the_log(
    stack: FakeTunedrop, thread_errors: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    job = training(nova())
    stack.jobs[0].cancelled()

    with pytest.raises(futures.CancelledError):
        job.result(timeout=ENDED_WITHIN)
    job.thread.join(ENDED_WITHIN)

    assert job.cancelled()
    assert thread_errors == []
    assert not caplog.records


def test_a_job_that_has_ended_cannot_be_cancelled_and_keeps_its_result(stack: FakeTunedrop) -> None:
    job = training(nova())
    stack.jobs[0].succeed(DEPLOYED)
    job.result(timeout=ENDED_WITHIN)

    assert job.cancel() is False
    assert job.result().model == DEPLOYED


def test_an_endpoint_started_again_is_what_a_program_compiled_before_calls(stack: FakeTunedrop) -> None:
    job = training(nova())
    stack.jobs[0].succeed(DEPLOYED)
    program = dspy.Predict("question -> answer")
    program.lm = job.result(timeout=ENDED_WITHIN)

    assert job.stop_endpoint().status == "stopped"
    assert job.start_endpoint(ttl_hours=2).status == "ready"

    assert program.lm.model == "bedrock/converse/arn:two"
    assert job.result() is program.lm
    assert stack.jobs[0].endpoint_calls == ["stop {}", "start {'ttl_hours': 2}"]


def test_an_endpoint_that_is_not_waited_for_leaves_the_lm_as_it_is(stack: FakeTunedrop) -> None:
    job = training(nova())
    stack.jobs[0].succeed(DEPLOYED)
    job.result(timeout=ENDED_WITHIN)

    assert job.start_endpoint(wait=False).status == "starting"

    assert job.result().model == DEPLOYED


def test_a_model_whose_endpoint_did_not_come_up_is_had_by_starting_it_again(stack: FakeTunedrop) -> None:
    job = training(nova())
    stack.jobs[0].lose_endpoint(EndpointFailedError("No capacity; call start_endpoint() again."))
    with pytest.raises(EndpointFailedError, match="start_endpoint"):
        job.result(timeout=ENDED_WITHIN)

    job.start_endpoint()

    assert job.result().model == "bedrock/converse/arn:two"


def test_a_job_says_which_it_is(stack: FakeTunedrop) -> None:
    job = training(nova(), databricks_token="dapi-very-secret")

    assert repr(job) == f"TunedropJob(Job({job.job_id!r}, running))"
    assert "dapi-very-secret" not in repr(vars(job))


def test_many_jobs_may_be_cancelled_and_end_at_the_same_time(stack: FakeTunedrop, thread_errors: list[object]) -> None:
    for _ in range(50):
        job = training(nova())
        fake = stack.jobs[-1]
        ending = threading.Timer(0.001, fake.succeed, [DEPLOYED])
        ending.start()
        time.sleep(0.001)
        job.cancel()
        ending.join()
        job.thread.join(ENDED_WITHIN)
        assert job.done()
    assert thread_errors == []
