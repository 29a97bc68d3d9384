"""`watch`: a job is followed to its end, on a terminal and in a pipe, and its end is the command's."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.api.account import Account
from tests.api.states import CALL, endpoint, state
from tests.builders import CREATED, job_in
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import Stack
from tunedrop.domain.endpoint import Call, EndpointStatus
from tunedrop.domain.job import JobError, JobStatus, Outcome, Phase, Progress
from tunedrop.domain.transitions import advance, close

LAMBDAS = Path(__file__).resolve().parents[4] / "lambdas"
LOSSES = {4: 2.1, 8: 1.4, 12: 0.9}


def train(account: Account, job_id: str, step: int) -> None:
    """The provider says how far it is."""
    progress = Progress(step=step, total_steps=12, training_loss=LOSSES[step])
    at = CREATED + timedelta(minutes=step)
    account.jobs.change(job_id, lambda job: advance(job, Phase.TRAINING, at=at, progress=progress))


def end(account: Account, job_id: str, status: JobStatus) -> None:
    succeeded, failed = status is JobStatus.SUCCEEDED, status is JobStatus.FAILED
    outcome = Outcome(
        status=status,
        tuned_model="ft:tuned" if succeeded else None,
        error=JobError(code="training_failed", message="the gradient exploded", provider_code="nan")
        if failed
        else None,
    )
    if succeeded:
        call = Call(model_id="ft:tuned", litellm_model="openai/ft:tuned")
        hosted = endpoint(EndpointStatus.READY, provider="openai", kind="hosted", job_id=job_id, call=call)
        assert account.endpoints.create(hosted)
    account.jobs.change(job_id, lambda job: close(job, outcome, at=CREATED + timedelta(hours=1)))


@pytest.fixture
def job_id(aws: Account) -> str:
    return aws.hold(job_in(Phase.QUEUED))


class TestInAPipe:
    def test_every_change_is_a_line_and_the_last_is_the_name_to_call(self, stack: Stack, job_id: str) -> None:
        account = stack.account
        stack.meanwhile = [
            lambda: train(account, job_id, 4),
            lambda: None,
            lambda: train(account, job_id, 12),
            lambda: end(account, job_id, JobStatus.SUCCEEDED),
        ]
        result = run("watch", job_id)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "2026-11-22T09:00:00Z\tpending\tqueued\n"
            "2026-11-22T09:04:00Z\trunning\ttraining\tstep 4 of 12, loss 2.1\n"
            "2026-11-22T09:12:00Z\trunning\ttraining\tstep 12 of 12, loss 0.9\n"
            "2026-11-22T10:00:00Z\tsucceeded\tdone\tstep 12 of 12, loss 0.9\n"
            "2026-11-22T11:00:00Z\tendpoint\tready\n"
            "openai/ft:tuned\n"
        )

    def test_a_failed_job_ends_with_1_and_the_providers_words(self, stack: Stack, job_id: str) -> None:
        stack.meanwhile = [lambda: end(stack.account, job_id, JobStatus.FAILED)]
        result = run("watch", job_id)
        assert (result.exit_code, result.stderr) == (1, "error: the gradient exploded.\n")
        assert result.stdout.splitlines()[-1].split("\t")[1:] == ["failed", "done"]

    def test_a_cancelled_job_ends_with_1(self, stack: Stack, job_id: str) -> None:
        stack.meanwhile = [lambda: end(stack.account, job_id, JobStatus.CANCELLED)]
        result = run("watch", job_id)
        assert result.exit_code == 1
        assert f"Job {job_id} was cancelled" in result.stderr

    def test_the_endpoint_is_waited_for_and_named(self, stack: Stack) -> None:
        job_id = stack.hold("endpoint starting")
        stack.meanwhile = [lambda: _ready(stack.account, job_id)]
        *_, starting, ready, name = run("watch", job_id).stdout.splitlines()
        assert [line.split("\t")[1:] for line in (starting, ready)] == [["endpoint", "starting"], ["endpoint", "ready"]]
        assert name == CALL.litellm_model

    def test_an_end_that_was_before_is_told_at_once(self, stack: Stack) -> None:
        assert run("watch", stack.hold("failed")).exit_code == 1
        assert run("watch", stack.hold("hosted")).exit_code == 0


class TestJson:
    def test_it_is_the_job_as_it_ended_and_nothing_else(self, stack: Stack, job_id: str) -> None:
        stack.meanwhile = [
            lambda: train(stack.account, job_id, 4),
            lambda: end(stack.account, job_id, JobStatus.FAILED),
        ]
        result = run("watch", job_id, "--json")
        assert result.exit_code == 1
        document = json.loads(result.stdout)
        assert (document["job_id"], document["error"]["provider_code"]) == (job_id, "nan")


class TestBeforeTheEnd:
    def test_an_interrupt_leaves_the_job_running_and_says_how_to_go_on(self, stack: Stack, job_id: str) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        stack.meanwhile = [interrupt]
        result = run("watch", job_id)
        assert result.exit_code == 130
        assert result.stderr == f"\nerror: interrupted, but the job goes on: tunedrop watch {job_id}\n"
        assert stack.account.jobs.get(job_id).cancel_requested_at is None

    def test_a_time_out_ends_with_5_and_the_job_goes_on(self, stack: Stack, job_id: str) -> None:
        result = run("watch", job_id, "--timeout", "0")
        assert result.exit_code == 5
        assert f"tunedrop watch {job_id}" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert stack.account.jobs.get(job_id).cancel_requested_at is None

    def test_retry_can_be_watched(self, stack: Stack) -> None:
        old = stack.hold("failed")
        seen: list[str] = []

        def fail_too() -> None:
            seen.extend(job["job_id"]["S"] for job in stack.account.job_records() if job["job_id"]["S"] != old)
            end(stack.account, seen[0], JobStatus.CANCELLED)

        stack.meanwhile = [fail_too]
        result = run("retry", old, "--watch")
        assert result.exit_code == 1
        assert result.stdout.splitlines()[0] == seen[0]


class Terminal:
    """The program on a terminal of 80 columns and 40 lines."""

    def __init__(self, *arguments: str, **more: str) -> None:
        self.shown = ""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(LAMBDAS), "LANG": "C.UTF-8", "TERM": "xterm"}
        environment |= {name: os.environ[name] for name in os.environ if name.startswith("AWS_")} | more
        self._process, self._screen = pty.fork()
        if self._process == 0:  # pragma: no cover - another process
            command = [sys.executable, "-m", "tunedrop", *arguments]
            os.execve(sys.executable, command, environment)  # noqa: S606
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))

    def wait_for(self, text: str) -> None:
        self._read_until(lambda: text in self.shown)

    def interrupt(self) -> None:
        os.write(self._screen, b"\x03")

    def wait(self) -> int:
        """The exit code."""
        self._read_until(lambda: False)
        _, status = os.waitpid(self._process, 0)
        os.close(self._screen)
        self._process = 0
        return os.waitstatus_to_exitcode(status)

    def _read_until(self, seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        with suppress(OSError):  # the end of a terminal is an error
            while not seen():
                assert time.monotonic() < deadline, f"not shown in time; the last: {self.shown[-2000:]!r}"
                if select.select([self._screen], [], [], 1)[0]:
                    chunk = os.read(self._screen, 65536)
                    if not chunk:
                        return
                    self.shown += chunk.decode(errors="replace")

    def close(self) -> None:
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            os.close(self._screen)


@contextmanager
def on_terminal(*arguments: str, **more: str) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, **more)
    try:
        yield terminal
    finally:
        terminal.close()


def _plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "")


class TestOnATerminal:
    def test_progress_and_a_chart_of_the_loss_are_drawn_until_the_end(
        self, aws: Account, served: str, job_id: str
    ) -> None:
        with on_terminal("watch", job_id, TUNEDROP_URL=served) as terminal:
            terminal.wait_for("queued")
            train(aws, job_id, 4)
            terminal.wait_for("step 4 of 12, loss 2.1")
            assert "Training loss by step" not in terminal.shown
            train(aws, job_id, 8)
            terminal.wait_for("Training loss by step")
            train(aws, job_id, 12)
            terminal.wait_for("step 12 of 12, loss 0.9")
            end(aws, job_id, JobStatus.SUCCEEDED)
            assert terminal.wait() == 0
        assert terminal.shown.count("\x1b[?25l") == terminal.shown.count("\x1b[?25h") == 1  # the cursor is back
        last = _plain(terminal.shown).rpartition(job_id)[2]
        assert "succeeded  1 h" in last
        assert any("\u2800" < each <= "\u28ff" for each in last)
        assert last.endswith("Call the model as openai/ft:tuned\n")
        assert max(map(len, last.split("\n"))) <= 80

    def test_the_losses_of_before_are_in_the_chart(self, aws: Account, served: str, job_id: str) -> None:
        for step in LOSSES:
            train(aws, job_id, step)
        end(aws, job_id, JobStatus.FAILED)
        with on_terminal("watch", job_id, TUNEDROP_URL=served) as terminal:
            assert terminal.wait() == 1
        shown = _plain(terminal.shown)
        assert re.search(r"\n +4 +.*12 *\n", shown)
        assert shown.endswith("error: the gradient exploded.\n")

    def test_ctrl_c_leaves_the_job_running(self, aws: Account, served: str, job_id: str) -> None:
        with on_terminal("watch", job_id, TUNEDROP_URL=served) as terminal:
            terminal.wait_for("queued")
            terminal.interrupt()
            assert terminal.wait() == 130
        assert _plain(terminal.shown).endswith(f"error: interrupted, but the job goes on: tunedrop watch {job_id}\n")
        assert "Traceback" not in terminal.shown
        assert "\x1b[?25h" in terminal.shown
        assert aws.jobs.get(job_id).cancel_requested_at is None

    def test_no_color_is_honoured(self, aws: Account, served: str) -> None:
        job_id = aws.hold(*state("hosted"))
        coloured = r"\x1b\[[0-9;]*3[0-9]m"
        with on_terminal("watch", job_id, TUNEDROP_URL=served) as terminal:
            terminal.wait()
        assert re.search(coloured, terminal.shown)
        with on_terminal("watch", job_id, TUNEDROP_URL=served, NO_COLOR="1") as terminal:
            terminal.wait()
        assert not re.search(coloured, terminal.shown)

    def test_a_list_has_headings_and_whole_ids_at_80_columns(self, aws: Account, served: str) -> None:
        long = "databricks/meta-llama/Llama-3.3-70B-Instruct"
        provider, _, model = long.partition("/")
        job_id = aws.hold(job_in(Phase.WAITING_FOR_QUOTA, provider=provider, model=model))
        with on_terminal("list", TUNEDROP_URL=served) as terminal:
            assert terminal.wait() == 0
        lines = _plain(terminal.shown).splitlines()
        assert lines[0].split() == ["JOB", "STATUS", "AGE", "MODEL", "NAME"]
        assert max(map(len, lines)) <= 80
        assert lines[1].startswith(f"{job_id}  pending")
        column = lines[0].index("MODEL")
        assert "".join(line[column : lines[0].index("NAME")].strip() for line in lines[1:]) == long


def _ready(account: Account, job_id: str) -> None:
    ready = endpoint(EndpointStatus.READY, job_id=job_id, version=2)
    account.endpoints.change(job_id, lambda _: msgspec.structs.replace(ready, version=2))
