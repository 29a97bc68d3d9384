"""`submit`: from a file to a job, and what is in the way."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import msgspec
import pytest

from tests.unit.client.cli.commands import run, write_rows
from tests.unit.client.cli.conftest import Stack
from tunedrop.client.cli.warning_lines import warnings_shown
from tunedrop.domain.job import Job, JobStatus, Outcome, now_utc
from tunedrop.domain.transitions import close

NOVA = ("--provider", "bedrock", "--model", "nova-lite")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl", 60)


def _only_job(stack: Stack) -> Job:
    [record] = stack.account.job_records()
    return stack.account.jobs.get(record["job_id"]["S"])


def _uploaded(uri: str) -> bytes:
    import boto3

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def test_a_file_becomes_a_job_whose_id_is_printed(stack: Stack, good: Path) -> None:
    result = run("submit", good, *NOVA)
    assert result.exit_code == 0, result.stderr
    job = _only_job(stack)
    assert result.stdout == f"{job.job_id}\n"
    assert job.request is not None
    assert _uploaded(job.request.training_file.partition("?")[0]) == good.read_bytes()


def test_options_become_the_fields_of_the_request(stack: Stack, good: Path) -> None:
    validation = write_rows(good.with_name("validation.jsonl"), 20)
    options = ("-H", "epochs=2", "--job-name", "support", "--max-cost-usd", "50", "--deadline-hours", "12")
    more = ("--format", "chat", "--no-start-endpoint", "--credentials", "team", "--validation-file", str(validation))
    result = run("submit", good, "-m", "gpt-4.1-mini", *options, *more)
    assert result.exit_code == 0, result.stderr
    request = _only_job(stack).request
    assert request is not None
    assert int(request.hyperparameters.get("n_epochs") or request.hyperparameters["epochs"]) == 2
    assert (request.provider, request.job_name, request.max_cost_usd) == ("openai", "support", 50)
    assert (request.deadline_hours, request.format, request.start_endpoint) == (12, "chat", False)
    assert request.credentials == "team"
    assert request.validation_file is not None
    assert _uploaded(request.validation_file.partition("?")[0]) == validation.read_bytes()


def test_databricks_needs_no_option_where_the_stack_has_settings(stack: Stack, good: Path) -> None:
    result = run("submit", good, "-m", "llama-3.2-1b")
    assert result.exit_code == 0, result.stderr
    assert _only_job(stack).provider == "databricks"


def test_json_is_the_job_without_the_permission_to_upload(stack: Stack, good: Path) -> None:
    result = run("submit", good, *NOVA, "--json")
    document = json.loads(result.stdout)
    assert document["job_id"] == _only_job(stack).job_id
    assert "X-Amz-" not in result.output
    assert "uploads" not in document


def test_a_file_in_s3_is_named_and_not_sent(stack: Stack, good: Path) -> None:
    stack.account.put("s3://datasets/train.jsonl", good.read_bytes())
    result = run("submit", "s3://datasets/train.jsonl", *NOVA)
    assert result.exit_code == 0, result.stderr
    request = _only_job(stack).request
    assert request is not None
    assert request.training_file.startswith("s3://datasets/train.jsonl")


def test_bad_rows_are_lines_on_stderr_and_no_job_is_made(stack: Stack, tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "train.jsonl", bad_lines=(3, 7))
    result = run("submit", bad, *NOVA)
    assert (result.exit_code, result.stdout) == (1, "")
    first, second, summary = result.stderr.splitlines()
    assert ":3: " in first
    assert ":7: " in second
    assert summary.startswith("error: ")
    assert stack.account.job_records() == []
    assert stack.gateway.events == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-m", "gpt-9"), "gpt-9"),
        ((*NOVA, "-H", "epochs"), "NAME=VALUE"),
        ((*NOVA, "-H", "epochs=99"), "from 1 to 5"),
        ((*NOVA, "--task-type", "CHAT_COMPLETION"), "task_type"),
        ((*NOVA, "--deadline-hours", "400"), "deadline_hours"),
    ],
)
def test_what_cannot_work_is_wrong_usage(stack: Stack, good: Path, options: tuple[str, ...], words: str) -> None:
    result = run("submit", good, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert stack.account.job_records() == []


def test_a_bucket_that_the_stack_may_not_read_is_refused_before_anything_is_sent(stack: Stack, good: Path) -> None:
    result = run("submit", good, *NOVA, "--s3-path", "s3://artifacts/mine/")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "artifacts" in result.stderr
    assert stack.account.job_records() == []


def test_warnings_are_lines_on_stderr_and_leave_json_alone(stack: Stack, tmp_path: Path) -> None:
    few = write_rows(tmp_path / "train.jsonl", 12)
    result = run("submit", few, *NOVA, "--json")
    assert result.exit_code == 0, result.stderr
    json.loads(result.stdout)
    assert result.stderr.startswith("warning: train.jsonl holds 12 rows")


def test_control_characters_in_a_warning_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("tunedrop.client.submission")
    with warnings_shown():
        logger.warning("%s is odd", "a\x1b[31m\nb")
    logger.warning("nobody listens")
    assert capsys.readouterr().err.splitlines()[0] == r"warning: a\x1b[31m b is odd"


def test_watch_follows_the_new_job_to_its_end(stack: Stack, good: Path) -> None:
    def cancelled() -> None:
        at = now_utc()
        job_id = _only_job(stack).job_id
        stack.account.jobs.change(job_id, lambda job: close(job, Outcome(status=JobStatus.CANCELLED), at=at))

    stack.meanwhile = [cancelled]
    result = run("submit", good, *NOVA, "--watch")
    assert result.exit_code == 1
    job_id, *lines = result.stdout.splitlines()
    assert job_id == _only_job(stack).job_id
    assert lines[-1].split("\t")[1:] == ["cancelled", "done"]


def test_an_interrupt_after_the_job_was_made_leaves_its_id(stack: Stack, good: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stack.meanwhile = [interrupt]
    result = run("submit", good, *NOVA, "--watch")
    assert result.exit_code == 130
    job = _only_job(stack)
    assert result.stdout.splitlines()[0] == job.job_id
    assert f"tunedrop watch {job.job_id}" in result.stderr
    assert msgspec.structs.asdict(job)["cancel_requested_at"] is None
