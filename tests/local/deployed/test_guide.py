"""Every Python block of docs/guide.md runs at every provider; one that cannot says which, where and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local import guide
from local.guide_blocks import PAGE, PROVIDERS, read_blocks
from local.running_stack import RunningStack
from tests.local.deployed.account import Account
from tunedrop.domain.job import JobStatus

_TOLD = re.compile(r"(?P<provider>\w+) +job (?P<job_id>[a-z2-7]{26}) at (?P=provider): (?P<status>\w+)$")


@pytest.fixture
def guide_on_account(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make guide` finds the stack of the session running, and starts no other."""

    @contextmanager
    def running(folder: Path, **_: Any) -> Iterator[RunningStack]:
        yield account.stack

    monkeypatch.setattr(guide, "running_stack", running)


@pytest.mark.usefixtures("guide_on_account")
def test_every_block_runs_at_every_provider_and_each_job_is_told(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(records(account))
    status = guide.main(["--folder", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert status == 0, "\n".join(lines)
    assert "the providers are simulated" in lines[0]
    assert re.fullmatch(r"guide: every block ran for openai, bedrock, databricks in \d+ s", lines[-1])
    for provider in PROVIDERS:
        ran = [block.number for block in read_blocks() if block.runs_for(provider)]
        said = [line.split() for line in lines]
        assert [int(words[4]) for words in said if words[2:4] == [provider, "block"] and words[5] == "ran"] == ran
    made = {job_id: record for job_id, record in records(account).items() if job_id not in before}
    last_words = {told["job_id"]: told["status"] for line in lines if (told := _TOLD.search(line))}
    assert last_words == {job_id: record["status"]["S"] for job_id, record in made.items()}
    for provider in PROVIDERS:
        ends = [record["status"]["S"] for record in made.values() if record["provider"]["S"] == provider]
        own = sum(1 for block in read_blocks() if block.provider == provider)
        assert sorted(set(ends)) == [JobStatus.CANCELLED, JobStatus.SUCCEEDED]
        assert ends.count(JobStatus.CANCELLED) == 1
        assert ends.count(JobStatus.SUCCEEDED) == 2 + own


def records(account: Account) -> dict[str, dict[str, Any]]:
    return {record["job_id"]["S"]: record for record in account.records()}


@pytest.mark.usefixtures("guide_on_account")
def test_a_block_that_fails_ends_the_guide_with_the_block_its_line_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "guide.md"
    page.write_text(PAGE.read_text().replace('            "epochCount": 3,', '            "epochCount": 99,', 1))
    line = page.read_text().splitlines().index("job = lm.finetune(") + 1
    monkeypatch.setattr(guide, "PROVIDERS", ("bedrock",))
    status = guide.main(["--folder", str(tmp_path / "logs"), "--page", str(page)])
    said = capsys.readouterr().out.splitlines()
    assert status == 1
    assert re.search(rf"^guide failed: bedrock: block 2, line {line}: TrainKwargsError: .*epochCount", said[-2])
    assert said[-1] == f"The logs are in {(tmp_path / 'logs').resolve()}."
