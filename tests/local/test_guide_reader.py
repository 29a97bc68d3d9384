"""A block of docs/guide.md that fails says which block it was, on which line of the page, and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dspy.clients.utils_finetune import TrainDataFormat

from local import guide_steps
from local.guide_blocks import PAGE, Block, GuidePageError, read_blocks
from local.guide_reader import BlockError, run, run_block
from local.guide_steps import Reading, StepError
from local.guide_substitutions import Reader
from local.simulators.openai.simulator import OpenAISimulator
from local.simulators.serving import serving

NOBODY = "http://127.0.0.1:9"
READER = Reader(
    provider="bedrock", bucket="b", databricks_host="https://h.example", databricks_token="t", simulator=NOBODY
)


def block_of(tmp_path: Path, code: str, heading: str = "Title") -> tuple[Block, Path]:
    page = tmp_path / "page.md"
    page.write_text(f"# {heading}\n\nWords.\n\n```python\n{code}\n```\n")
    [block] = read_blocks(page)
    return block, page


def run_alone(block: Block, page: Path, reading: Reading) -> None:
    run_block(block, block.tree(), reading, page)


@pytest.mark.parametrize(
    ("code", "line", "reason"),
    [
        ("x = 1\ny = x / 0", 7, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise KeyError('lost')\n\nf()", 7, "KeyError: 'lost'"),
        ("import json\njson.loads('{')", 7, "JSONDecodeError: Expecting property name"),
    ],
)
def test_an_exception_names_the_block_the_line_of_the_page_and_the_reason(
    code: str, line: int, reason: str, tmp_path: Path
) -> None:
    block, page = block_of(tmp_path, code)
    with pytest.raises(BlockError, match=rf"^block 1, line {line}: {reason}"):
        run_alone(block, page, Reading("bedrock", {}, simulator=NOBODY))


def test_blocks_share_their_names(tmp_path: Path) -> None:
    reading = Reading("bedrock", {}, simulator=NOBODY)
    for code in ("x = 20", "class Doubling:\n    def __call__(self):\n        return x * 2", "y = Doubling()() + 2"):
        run_alone(*block_of(tmp_path, code), reading)
    assert reading.names["y"] == 42


def test_a_block_that_did_not_do_what_the_page_says_names_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unhappy(_: Reading, code: Callable[[], None]) -> None:
        code()
        raise StepError("the model answers nothing")

    monkeypatch.setattr(guide_steps, "STEPS", {"Title": unhappy})
    block, page = block_of(tmp_path, "x = 1")
    with pytest.raises(BlockError, match=r"^block 1, line 6: StepError: the model answers nothing$"):
        run_alone(block, page, Reading("bedrock", {}, simulator=NOBODY))


class JobAtProvider:
    """One that the provider has; cancelled or not, it ends as was said beforehand."""

    job_id = "job-at-provider"
    phase = "training"

    def __init__(self, end: str) -> None:
        self.job = self
        self._end = end

    def refresh(self) -> JobAtProvider:
        return self

    def status(self) -> str:
        return self._end if self.phase == "done" else "running"

    def cancel(self) -> None:
        self.phase = "done"


class Model:
    """Its jobs train at a simulator, of which it notes how long a training takes there."""

    def __init__(self, simulator: OpenAISimulator, *, end: str) -> None:
        self.kwargs: list[object] = []
        self.training_seconds: list[float] = []
        self._simulator = simulator
        self._end = end

    def finetune(self, *, train_kwargs: object, **_: object) -> JobAtProvider:
        self.kwargs.append(train_kwargs)
        self.training_seconds.append(self._simulator.pace.training)
        return JobAtProvider(self._end)


def cancelling(tmp_path: Path, simulator: OpenAISimulator, model: Model) -> Reading:
    with serving(simulator.app) as address:
        reading = Reading("openai", {"n_epochs": 3}, simulator=address)
        reading.names |= {"job": "the page's", "lm": model, "train_data": [], "TrainDataFormat": TrainDataFormat}
        run_alone(*block_of(tmp_path, "job.cancel()", heading="Cancelling"), reading)
    return reading


def test_a_job_of_its_own_trains_long_enough_to_be_cancelled_and_the_pages_job_is_kept(tmp_path: Path) -> None:
    simulator = OpenAISimulator(api_key="made-up")
    model = Model(simulator, end="cancelled")
    usual = simulator.pace
    assert cancelling(tmp_path, simulator, model).names["job"] == "the page's"
    assert model.kwargs == [{"n_epochs": 3}]
    assert model.training_seconds[0] > 60
    assert simulator.pace == usual


@pytest.mark.parametrize("end", ["failed", "succeeded"])
def test_a_job_that_is_not_cancelled_fails_the_block(end: str, tmp_path: Path) -> None:
    simulator = OpenAISimulator(api_key="made-up")
    with pytest.raises(BlockError, match=rf"^block 1, line 6: StepError: it is {end}, and not cancelled$"):
        cancelling(tmp_path, simulator, Model(simulator, end=end))


def test_a_page_without_a_block_that_is_looked_at_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text().replace("### Cancelling", "### Stopping"))
    with pytest.raises(GuidePageError, match=r"^the page has no block under Cancelling$"):
        run(READER, page)


def test_what_a_block_prints_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block, page = block_of(tmp_path, "print('Job status: succeeded')")
    run_alone(block, page, Reading("bedrock", {}, simulator=NOBODY))
    printed, told = capsys.readouterr().out.splitlines()
    assert printed == "Job status: succeeded"
    assert re.fullmatch(r"block 1 ran in \d\.\d s: line 6, Title", told)
