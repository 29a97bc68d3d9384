"""A block of docs/guide.md that fails says which block it was, on which line of the page, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from dspy.clients.utils_finetune import TrainDataFormat

from local import guide_steps
from local.guide_blocks import PAGE, Block, GuidePageError, read_blocks
from local.guide_reader import BlockError, run, run_block
from local.guide_steps import Reading, StepError
from local.guide_substitutions import Reader

READER = Reader(provider="bedrock", bucket="b", databricks_host="https://h.example", databricks_token="t")


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
        run_alone(block, page, Reading("bedrock", {}))


def test_blocks_share_their_names(tmp_path: Path) -> None:
    reading = Reading("bedrock", {})
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
        run_alone(block, page, Reading("bedrock", {}))


class ShortJob:
    """A job at a provider that is quick: cancelled or not, it ends as was said beforehand."""

    def __init__(self, end: str) -> None:
        self.job_id = f"job-that-is-{end}"
        self.job = self
        self.phase = "training"
        self._end = end

    def refresh(self) -> ShortJob:
        return self

    def status(self) -> str:
        return self._end if self.phase == "done" else "running"

    def cancel(self) -> None:
        self.phase = "done"


class Model:
    def __init__(self, ends: Iterable[str]) -> None:
        self.jobs = [ShortJob(end) for end in ends]
        self.kwargs: list[object] = []

    def finetune(self, *, train_kwargs: object, **_: object) -> ShortJob:
        self.kwargs.append(train_kwargs)
        return self.jobs[len(self.kwargs) - 1]


def cancelling(tmp_path: Path, model: Model) -> Reading:
    reading = Reading("bedrock", {"s3_path": "s3://b/"})
    reading.names |= {"job": "the page's", "lm": model, "train_data": [], "TrainDataFormat": TrainDataFormat}
    run_alone(*block_of(tmp_path, "job.cancel()", heading="Cancelling"), reading)
    return reading


def test_a_job_of_its_own_is_cancelled_and_the_pages_job_is_kept(tmp_path: Path) -> None:
    model = Model(["cancelled"])
    assert cancelling(tmp_path, model).names["job"] == "the page's"
    assert model.kwargs == [{"s3_path": "s3://b/"}]


def test_a_job_that_ends_before_it_is_cancelled_is_followed_by_another(tmp_path: Path) -> None:
    model = Model(["succeeded", "cancelled"])
    cancelling(tmp_path, model)
    assert len(model.kwargs) == 2


@pytest.mark.parametrize("ends", [["failed", "cancelled"], ["succeeded"] * 3])
def test_a_job_that_cannot_be_cancelled_fails_the_block(ends: list[str], tmp_path: Path) -> None:
    with pytest.raises(BlockError, match=rf"^block 1, line 6: StepError: it is {ends[0]}, and not cancelled$"):
        cancelling(tmp_path, Model(ends))


def test_a_page_without_a_block_that_is_looked_at_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text().replace("### Cancelling", "### Stopping"))
    with pytest.raises(GuidePageError, match=r"^the page has no block under Cancelling$"):
        run(READER, page)


def test_what_a_block_prints_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block, page = block_of(tmp_path, "print('Job status: succeeded')")
    run_alone(block, page, Reading("bedrock", {}))
    printed, told = capsys.readouterr().out.splitlines()
    assert printed == "Job status: succeeded"
    assert re.fullmatch(r"block 1 ran in \d\.\d s: line 6, Title", told)
