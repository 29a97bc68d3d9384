"""What is done around some blocks of docs/guide.md: getting ready for them, and looking at what they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from local.guide_blocks import Block
from local.simulators.control import training_for
from tunedrop.client import ConflictError, Tunedrop

LOOK_SECONDS = 0.3
WAIT_SECONDS = 120.0
LONG_SECONDS = 600.0
"""Of the training that is to be cancelled. The usual one is over in seconds, and an end wins over a cancel."""
TRAINED = ("What is the capital of Hungary?", "The capital of Hungary is Budapest.")
"""It is in the page's rows, and the simulated base models do not know it."""
CAN_BE_CANCELLED = frozenset({"queued", "training"})
"""Phases in which the provider has the job."""
ENDS = frozenset({"succeeded", "failed", "cancelled"})


class StepError(Exception):
    """A block ran, and did not do what the page says."""


class Reading:
    """One provider's reader on the way through the page: their names, and the kwargs of their provider's section."""

    def __init__(self, provider: str, kwargs: Mapping[str, Any], *, simulator: str) -> None:
        """`simulator` is the address of the one that the reader's jobs train at."""
        self.provider = provider
        self.kwargs = kwargs
        self.simulator = simulator
        self.names: dict[str, Any] = {"__name__": "__main__"}
        """What the blocks define, and what they find defined."""

    def run(self, block: Block, code: Callable[[], None]) -> None:
        """Runs the block's `code`, with what is done around it. Raises StepError, and what the code raises."""
        if block.provider is not None:
            OWN_STEPS[block.provider](self, code)
        elif block.ours or block.section not in STEPS:
            code()
        else:
            STEPS[block.section](self, code)

    def start_another_job(self) -> Any:
        """As the page's first one, with the kwargs of the provider's section."""
        return self.names["lm"].finetune(
            train_data=self.names["train_data"],
            train_data_format=self.names["TrainDataFormat"].CHAT,
            train_kwargs=dict(self.kwargs),
        )

    def tell(self, job: Any, words: str = "") -> None:
        """Prints where a job is, of `tunedrop.dspy` or of the client."""
        print(f"job {job.job_id} at {self.provider}: {_word(job.status())}{words}")

    def tell_model(self, job: Any, model: str, answer: str) -> None:
        self.tell(job)
        print(f"  model   {model}")
        print(f"  answer  {answer}")


Step = Callable[[Reading, Callable[[], None]], None]
"""Runs the code of a block that it is given, and does what belongs before and after it."""


def _first_model(reading: Reading, code: Callable[[], None]) -> None:
    code()
    tuned = reading.names["finetuned_lm"]
    reading.tell_model(reading.names["job"], tuned.model, reading.names["response"][0])
    _expect_trained(tuned)


def _own_job(name: str) -> Step:
    def step(reading: Reading, code: Callable[[], None]) -> None:
        code()
        job = reading.names[name]
        tuned = job.result()
        reading.tell_model(job, tuned.model, tuned(TRAINED[0])[0])
        _expect_trained(tuned)

    return step


def _expect_trained(tuned: Any) -> None:
    question, trained = TRAINED
    [answer] = tuned(question)
    if answer != trained:
        raise StepError(f"the tuned model {tuned.model} answers {answer!r}, though its rows say {trained!r}")


def _status(reading: Reading, code: Callable[[], None]) -> None:
    code()
    _expect(reading.names["status"], "succeeded")


def _cancelling(reading: Reading, code: Callable[[], None]) -> None:
    """The page's job has ended long before: another one takes its name, so that there is something to cancel."""
    finished = reading.names["job"]
    with training_for(reading.simulator, LONG_SECONDS):
        job = reading.names["job"] = reading.start_another_job()
        _wait_for(lambda: job.job.refresh().phase, CAN_BE_CANCELLED | {"done"})
    reading.tell(job, ", to be cancelled")
    code()
    end = _wait_for(job.status, ENDS)
    reading.tell(job)
    _expect(end, "cancelled")
    reading.names["job"] = finished


def _endpoints(reading: Reading, code: Callable[[], None]) -> None:
    job = reading.names["job"]
    if reading.provider == "openai":
        _refused_endpoint(job, code)
        return
    job.stop_endpoint()  # it came up with the model: without it, the block has something to start
    code()
    status = _word(job.job.endpoint().status)
    print(f"the endpoint of {job.job_id} was started and stopped: {status}")
    _expect(status, "stopped")


def _refused_endpoint(job: Any, code: Callable[[], None]) -> None:
    try:
        code()
    except ConflictError as refused:
        if refused.code != "endpoint_hosted":  # that one is what OpenAI's users are to read
            raise
        print(f"the endpoint of {job.job_id} is not stopped: {refused}")
    else:
        raise StepError("an endpoint was stopped at OpenAI, which has none to stop")


def _program(reading: Reading, code: Callable[[], None]) -> None:
    code()
    tuned, answer = reading.names["optimized_program"].predictors()[0].lm.model, reading.names["result"].answer
    with Tunedrop() as tunedrop:
        job = next(tunedrop.jobs(provider=reading.provider, limit=1))  # the optimizer keeps its jobs to itself
        reading.tell_model(job, tuned, answer)
        if job.result() != tuned:
            raise StepError(f"the program uses {tuned}, but the last job made {job.result()}")
    if not answer:
        raise StepError("the program's answer is empty")


STEPS: Mapping[str, Step] = {
    "The whole of it": _first_model,
    "Its status": _status,
    "Cancelling": _cancelling,
    "Endpoints": _endpoints,
    "A whole program: BootstrapFinetune": _program,
}
"""By the section of the page; each of these has one block of the guide."""
OWN_STEPS: Mapping[str, Step] = {
    "openai": _own_job("openai_job"),
    "databricks": _own_job("llama_job"),
}
"""By the provider that a block of ours is about."""


def _word(status: Any) -> str:
    return str(getattr(status, "value", status))


def _expect(status: Any, expected: str) -> None:
    if _word(status) != expected:
        raise StepError(f"it is {_word(status)}, and not {expected}")


def _wait_for(look: Callable[[], Any], expected: frozenset[str]) -> str:
    """The first of these words that comes. Raises StepError when none comes in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (word := _word(look())) not in expected:
        if time.monotonic() > deadline:
            raise StepError(f"the job is still {word} after {WAIT_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
    return word
