"""Starts and stops the embedded AWS.

    with embedded_aws(state_dir=Path("build/aws")) as aws:
        aws.client("s3").list_buckets()

The emulator is a process of its own in a session of its own: Ctrl-C in the terminal reaches this program, which then
takes the emulator down in order. It also ends by itself when the program that runs it is gone, however that ended.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypedDict, Unpack, cast

from local.emulator.connection import EmbeddedAws, endpoint_variables
from local.emulator.service_events import ServiceEvents
from local.folder_lock import FolderTakenError, holder

ROOT = Path(__file__).parents[2]
INTERPRETER = ROOT / ".venv-local" / "bin" / "python"
START_LIMIT = 60.0
"""Seconds until the emulator must answer; it takes about one."""
STOP_LIMIT = 10.0
"""Seconds for an orderly stop, before it is killed."""
LOG_TAIL = 30
ASYNC_RETRY_SECONDS = 0.5
"""Wait before the first retry of an asynchronous invocation; one minute on AWS."""


class EmulatorError(Exception):
    """The emulator cannot be started; the message says why, with the end of its log."""


class Options(TypedDict, total=False):
    """How an emulator runs; everything has a default."""

    function_environment: Mapping[str, str]
    """Variables that every function gets beside its own."""
    endpoints: Mapping[str, str]
    """Other addresses for single services, such as `{"bedrock-runtime": "http://127.0.0.1:1234"}`."""
    port: int
    """On 127.0.0.1; 0, the default, takes a free one."""
    packages_dir: Path
    """Where functions' code is unpacked. One that lives on, shared by any emulators, keeps the first starts short."""
    async_retry_seconds: float
    """Wait before the first retry of an asynchronous invocation (one minute on AWS); it doubles."""


@contextmanager
def embedded_aws(*, state_dir: Path, **options: Unpack[Options]) -> Iterator[EmbeddedAws]:
    """An emulator for the length of a `with` block; only its log and unpacked packages stay. Raises EmulatorError."""
    aws, process = _launch(state_dir.resolve(), options)
    try:
        yield aws
    finally:
        _end(process)


def _launch(state_dir: Path, options: Options) -> tuple[EmbeddedAws, "subprocess.Popen[bytes]"]:
    if not INTERPRETER.exists():
        raise EmulatorError(f"{INTERPRETER.relative_to(ROOT)} is missing: run `make setup`")
    if (other := holder(state_dir)) is not None:
        raise EmulatorError(str(FolderTakenError(state_dir, other)))
    state_dir.mkdir(parents=True, exist_ok=True)
    log_file = state_dir / "emulator.log"
    endpoints = dict(options.get("endpoints", {}))
    variables = {**options.get("function_environment", {}), **endpoint_variables(endpoints)}
    with _listen(options.get("port", 0)) as listener, log_file.open("wb") as log:
        port = listener.getsockname()[1]
        command = [
            *(str(INTERPRETER), "-m", "local.emulator.main"),
            *("--port", str(port), "--listen-fd", str(listener.fileno())),
            *(
                "--state-dir",
                str(state_dir),
                "--packages-dir",
                str(options.get("packages_dir", state_dir / "packages").resolve()),
            ),
            *("--async-retry-seconds", str(options.get("async_retry_seconds", ASYNC_RETRY_SECONDS))),
            *(part for name, value in variables.items() for part in ("--function-env", f"{name}={value}")),
        ]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            bufsize=0,  # nothing of an event may be left to write when the pipe is closed
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    aws = EmbeddedAws(
        url=f"http://127.0.0.1:{port}",
        pid=process.pid,
        log_file=log_file,
        service_events=ServiceEvents(cast("IO[bytes]", process.stdin)),
        endpoints=endpoints,
    )
    try:
        _wait_until_it_answers(aws, process)
    except BaseException:
        _end(process)
        raise
    return aws, process


def _environment() -> dict[str, str]:
    """What the emulator gets of this program's environment: nothing that could change how it or a function behaves."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def _listen(port: int) -> socket.socket:
    """A socket that listens already, so that the port cannot be lost to somebody else before the emulator has it."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise EmulatorError(
            f"port {port} cannot be used: {error.strerror}. Choose another, or end what uses it"
        ) from None
    return listener


def _wait_until_it_answers(aws: EmbeddedAws, process: "subprocess.Popen[bytes]") -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorError(_with_log(f"the embedded AWS ended at its start (status {process.returncode})", aws))
        try:
            opener.open(f"{aws.url}/_ministack/health", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return
    raise EmulatorError(_with_log(f"the embedded AWS gave no answer within {START_LIMIT:.0f} s", aws))


def _with_log(problem: str, aws: EmbeddedAws) -> str:
    tail = aws.log_file.read_text(errors="replace").splitlines()[-LOG_TAIL:]
    return "\n".join([f"{problem}. The end of {aws.log_file}:", *tail])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and its group, in order if possible."""
    try:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        print("the embedded AWS did not stop in time and was killed", file=sys.stderr)
    finally:
        _kill_group(process.pid)
        process.wait()


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter where only zombies are left
        os.killpg(leader, signal.SIGKILL)


__all__: Sequence[str] = ["EmbeddedAws", "EmulatorError", "embedded_aws"]
