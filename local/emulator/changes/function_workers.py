"""Runs Python functions as AWS does, as far as their code can tell.

AWS                                                              MiniStack
the exception's class is the error's `errorType`, which Retry    always `Runtime.HandlerError`
and Catch of a state machine go by
an exception leaves the environment warm                         a new process for the next invocation
only the function's code and layers can be imported, code first  MiniStack's own packages too; layers first
a clean environment (`function_environment.py`)                  the host's
a worker ends with its host                                      it may stay behind as an orphan
an answer is there when the handler is done                      50 ms later where the handler logs nothing
"""

import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.changes.function_environment import function_environment
from local.emulator.changes.function_packages import FunctionPackages
from local.emulator.changes.worker_pipes import WorkerPipes
from local.emulator.changing import replace
from local.emulator.settings import Settings

RUNTIME = Path(__file__).with_name("function_runtime.py")
INIT_LIMIT = 60.0
"""Seconds to load a function. AWS gives 10 and then tries again; a laptop that starts ten at once may need more."""

_EXIT_LIMIT = 10.0
"""Seconds for a worker that has closed its pipes to be gone."""

logger = logging.getLogger("lambda_worker")


class Outcome(NamedTuple):
    """How an invocation ended: with a result, or with an error (`errorType`, `errorMessage`, `stackTrace`)."""

    result: Any
    error: dict[str, Any] | None
    log: str


class FunctionWorker(lambda_runtime.Worker):  # type: ignore[misc]
    """One execution environment of a Python function: a process, reused until it exits, times out or is reaped."""

    settings: Settings
    packages: FunctionPackages
    _pipes: WorkerPipes
    _proc: "subprocess.Popen[str] | None"
    _init_log: str

    def _spawn(self) -> None:
        """Start the process and load the function; raises `_InitError` with what AWS answers to the invocation."""
        self._discard_tmpdir()
        self._tmpdir = tempfile.mkdtemp(prefix="function-")
        code = self.packages.unpacked(self.code_zip)
        layers = [self.packages.unpacked(archive) for archive in self._layer_archives()]
        # The base interpreter, isolated and without `site`: nothing that is installed beside it can be imported.
        interpreter = [sys._base_executable, "-I", "-S", "-X", "utf8"]  # type: ignore[attr-defined]
        self._proc = subprocess.Popen(
            [*interpreter, str(RUNTIME)],
            cwd=code,
            env=function_environment(self.config, code, Path(self._tmpdir), self.settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._pipes = WorkerPipes(self._proc)
        module, _, handler = self.config["Handler"].rpartition(".")
        start = {
            "code": str(code),
            "layers": [str(layer) for layer in reversed(layers)],
            "module": module.replace("/", "."),
            "handler": handler,
        }
        reply = self._answer(start, "init", INIT_LIMIT)
        self._init_log = self._pipes.log("init")
        if "error" in reply:
            self._end()
            raise _InitError(reply["error"], self._init_log)

    def _layer_archives(self) -> list[bytes]:
        found = [(layer, lambda_svc._resolve_layer_zip(layer)) for layer in self.config.get("Layers") or []]
        missing = [layer for layer, archive in found if archive is None]
        if missing:
            logger.error("%s: no content for the layers %s", self.func_name, missing)
        return [archive for _, archive in found if archive is not None]

    def run(self, event: Any, request_id: str, config: dict[str, Any]) -> Outcome:
        """One invocation, with a start of the process before it if need be."""
        with self._lock:
            if self._proc is None or self._proc.poll() is not None:
                try:
                    self._spawn()
                except _InitError as failed:
                    return Outcome(None, failed.error, failed.log)
            timeout = float(config.get("Timeout", 3))
            request = {
                "event": event,
                "request_id": request_id,
                "trace_id": lambda_svc._xray_trace_id_for_invocation(config),
                "arn": config.get("FunctionArn", ""),
                "timeout": timeout,
            }
            reply = self._answer(request, request_id, timeout)
            log = "\n".join(filter(None, [self._init_log, self._pipes.log(request_id)]))
            self._init_log = ""
            return Outcome(reply.get("result"), reply.get("error"), log)

    def _answer(self, request: dict[str, Any], request_id: str, limit: float) -> dict[str, Any]:
        """The worker's answer, or Lambda's error for a worker that gives none, which is then ended."""
        process = self._proc
        try:
            reply = self._pipes.ask(request, limit)
            if reply is not None:
                return reply
            # There is no process when a reset has ended all of them meanwhile.
            status = process.wait(timeout=_EXIT_LIMIT) if process else -signal.SIGTERM
            how = f"signal: {-status}" if status < 0 else f"exit status {status}"
            kind, text = "Runtime.ExitError", f"Runtime exited with error: {how}"
        except (TimeoutError, subprocess.TimeoutExpired):
            kind, text = "Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds"
        self._end()
        return {"error": {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"}}

    def _end(self) -> None:
        process, self._proc = self._proc, None
        if process is not None:
            process.kill()
            process.wait()

    def _discard_tmpdir(self) -> None:
        if self._tmpdir:
            shutil.rmtree(self._tmpdir, ignore_errors=True)


class _InitError(Exception):
    def __init__(self, error: dict[str, Any], log: str) -> None:
        super().__init__(error["errorMessage"])
        self.error, self.log = error, log


def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Run a function once in a free worker of its own, and answer in MiniStack's form."""
    config = func.get("config") or func
    lambda_svc._ensure_reaper_thread()
    worker, _ = lambda_runtime.acquire_worker(
        config["FunctionName"], config, func["code_zip"], qualifier=config.get("Version", "$LATEST")
    )
    try:
        outcome = worker.run(event, request_id, config)
    finally:
        lambda_runtime.release_worker(worker)
    if outcome.error:
        return {"body": {**outcome.error, "requestId": request_id}, "error": True, "log": outcome.log}
    return {"body": outcome.result, "log": outcome.log}


def apply(settings: Settings) -> None:
    """Make the change. Functions in other languages keep MiniStack's workers."""
    FunctionWorker.settings = settings
    FunctionWorker.packages = FunctionPackages(settings.packages_dir)
    other_worker, other_execute = lambda_runtime._worker_class_for, lambda_svc._execute_function_warm

    def worker_class(config: dict[str, Any]) -> Any:
        return FunctionWorker if str(config.get("Runtime", "")).startswith("python") else other_worker(config)

    def execute_warm(func: dict[str, Any], event: Any, request_id: str) -> Any:
        config = func.get("config") or func
        is_ours = str(config.get("Runtime", "")).startswith("python") and func.get("code_zip")
        return (execute if is_ours else other_execute)(func, event, request_id)

    replace(lambda_runtime, "_worker_class_for", worker_class)
    replace(lambda_svc, "_execute_function_warm", execute_warm)
