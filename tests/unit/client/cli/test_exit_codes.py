"""How commands on a stack end where something is in the way: one line on stderr, and a code that says what to mend."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.unit.client.cli.commands import run, write_rows
from tests.unit.client.cli.conftest import Stack
from tunedrop.client import errors
from tunedrop.client import tunedrop as client
from tunedrop.client.cli.failures import ExitCode, exit_code_of

JOB = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.TrainingDataError("bad rows"), 1),
        (errors.JobFailedError("it failed"), 1),
        (errors.JobCancelledError("it was cancelled"), 1),
        (errors.EndpointFailedError("no capacity"), 1),
        (errors.TrainKwargsError("no such model"), 2),
        (errors.NotFoundError("no such job", status=404), 3),
        (errors.ConflictError("it has ended", status=409), 3),
        (errors.RequestRefusedError("no such field", status=422), 3),
        (errors.NotAllowedError("not for you", status=403), 3),
        (errors.UnavailableError("later", status=503), 4),
        (errors.ConfigurationError("no URL"), 4),
        (errors.ConnectionFailedError("no network"), 4),
        (errors.SubmissionInDoubtError("no answer", job_id="j"), 4),
        (errors.UploadError("it broke off"), 4),
        (errors.WaitTimeoutError("too long"), 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_of_the_client_has_a_code_and_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: errors.TunedropError, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(client, "Tunedrop", refuse)
    result = run("list", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"error: {error}\n")


def test_no_error_of_the_client_is_taken_for_a_defect() -> None:
    for name in vars(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.TunedropError):
            error = kind.__new__(kind, "words")
            assert exit_code_of(error) in set(ExitCode) - {ExitCode.OK, ExitCode.DEFECT, ExitCode.INTERRUPTED}


def test_an_error_of_several_lines_from_a_stack_is_one_line_without_control_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise errors.RequestRefusedError("a\x1b[31m\nb", status=422, errors=[{"pointer": "/x", "detail": "c"}])

    monkeypatch.setattr(client, "Tunedrop", refuse)
    assert run("list").stderr == "error: a\\x1b[31m b - /x: c\n"


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("show", JOB),
        ("watch", JOB),
        ("cancel", JOB),
        ("retry", JOB),
        ("report", JOB),
        ("endpoint", "start", JOB),
        ("endpoint", "stop", JOB),
        ("endpoint", "show", JOB),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_an_address_every_command_says_how_to_give_one(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], more: tuple[str, ...]
) -> None:
    monkeypatch.delenv("TUNEDROP_URL", raising=False)
    result = run(*command, *more)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "TUNEDROP_URL" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [("show", JOB), ("watch", JOB), ("cancel", JOB), ("retry", JOB), ("report", JOB), ("endpoint", "start", JOB)],
    ids=" ".join,
)
def test_a_job_that_nobody_knows_ends_with_3(stack: Stack, command: tuple[str, ...]) -> None:
    result = run(*command, "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", f"error: There is no job {JOB}.\n")


def test_a_profile_that_nobody_has_ends_with_4(stack: Stack) -> None:
    result = run("list", "--profile", "nobody")
    assert result.exit_code == 4
    assert "nobody" in result.stderr


def test_a_stack_that_answers_nothing_ends_with_4(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    def tunedrop(*_: object, **__: object) -> client.Tunedrop:
        made = real("http://127.0.0.1:9/dev", region="us-east-1", transport=httpx.MockTransport(unreachable))
        made.api._sleep = lambda _: None
        return made

    real = client.Tunedrop
    monkeypatch.setattr(client, "Tunedrop", tunedrop)
    for command in (("list",), ("submit", write_rows(tmp_path / "train.jsonl", 60), "-m", "nova-lite")):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (4, "")
        assert "no connection" in result.stderr
