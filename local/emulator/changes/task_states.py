"""Timeouts, heartbeats, retries and task tokens of Task states.

AWS                                                        MiniStack
`TimeoutSecondsPath`, `HeartbeatSecondsPath`               ignored
`HeartbeatSeconds` of a task that waits for its token      ignored
`MaxDelaySeconds` and `JitterStrategy` of Retry            ignored; no delay is longer than 60 s
a function that raises fails the task that waits for its   the error is swallowed, the task waits for its timeout
token
each try of a task that waits for its token has its own    one for all tries
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random
import threading
import time
from typing import Any

from ministack.services import stepfunctions as sfn

from local.emulator.changes.execution_lifetime import current_execution
from local.emulator.changing import edit, replace

HEARTBEAT_CHECK = 0.05
"""Seconds between two looks at whether a heartbeat has come."""


def retry_delay(retrier: dict[str, Any], retries: int) -> float:
    """Seconds to wait before the next try, after so many retries."""
    delay = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** retries
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    # Jitter against clocks in step, nothing secret.
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311


def seconds_at(path: str, raw_input: Any, ctx: dict[str, Any]) -> int:
    """The whole number of seconds, at least 1, that a path points at; anything else ends the execution, as on AWS."""
    seconds = sfn._resolve_path_or_ctx(path, raw_input, ctx)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 1:
        raise sfn._ExecutionError("States.Runtime", f"{path} must be a positive whole number, but is {seconds!r}")
    return seconds


def wait_for_token(task: dict[str, Any], timeout: float, heartbeat: float | None) -> str | None:
    """Wait until the token of a task comes back. Returns the error when it does not."""
    event: threading.Event = task["event"]
    if heartbeat is None:
        return None if event.wait(timeout) else "States.Timeout"
    ends = time.monotonic() + timeout
    seen, due = task["heartbeat"], time.monotonic() + heartbeat
    while not event.wait(HEARTBEAT_CHECK):
        now = time.monotonic()
        if task["heartbeat"] != seen:
            seen, due = task["heartbeat"], now + heartbeat
        if now > ends:
            return "States.Timeout"
        if now > due:
            return "States.HeartbeatTimeout"
    return None


def apply() -> None:
    """Make the changes."""
    edit(
        sfn,
        "_execute_task",
        ("_scaled_sleep(min(sleep_sec, 60))", "_scaled_sleep(_changed_retry_delay(retrier, count))"),
        ("    while True:\n", _TRY),
        _changed_retry_delay=retry_delay,
    )
    edit(
        sfn,
        "_with_retry_and_catch",
        (
            '_scaled_sleep(min(interval * (retrier.get("BackoffRate", 2.0) ** count), 60))',
            "_scaled_sleep(_changed_retry_delay(retrier, count))",
        ),
    )
    edit(
        sfn,
        "_invoke_with_callback",
        (
            '"heartbeat": None}',
            '"heartbeat": None, "execution": _changed_execution.get()}',
        ),
        ("        except _ExecutionError:\n            pass\n", _FAILED_FUNCTION),
        (
            "if not evt.wait(timeout=timeout):",
            'problem = _changed_wait(_task_tokens[token], timeout, state_def.get("HeartbeatSeconds"))\n    if problem:',
        ),
        (
            'raise _ExecutionError("States.Timeout",',
            "raise _ExecutionError(problem,",
        ),
        _changed_execution=current_execution,
        _changed_wait=wait_for_token,
    )
    execute_task = sfn._execute_task

    def with_paths(state_def: dict[str, Any], raw_input: Any, execution: Any, ctx: dict[str, Any]) -> Any:
        for field in ("TimeoutSeconds", "HeartbeatSeconds"):
            path = state_def.get(f"{field}Path")
            if path is not None:
                state_def = {**state_def, field: seconds_at(path, raw_input, ctx)}
        return execute_task(state_def, raw_input, execution, ctx)

    replace(sfn, "_execute_task", with_paths)


_TRY = """\
    while True:
        if is_callback:
            ctx["Task"] = {"Token": new_uuid()}
"""
_FAILED_FUNCTION = """\
        except _ExecutionError:
            # A token that came back before the failure has decided already.
            if not evt.is_set():
                _task_tokens.pop(token, None)
                raise
"""
