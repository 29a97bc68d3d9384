"""Time that passes when somebody waits, and for nobody otherwise."""

from __future__ import annotations

import threading
import time as real_time
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.endpoint
import openai._base_client
import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint

from tunedrop import wiring

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class CompressedTime:
    """Seconds since the start; waits move it, and run what was planned for the time they pass over."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._plans: list[tuple[float, Callable[[], object]]] = []
        self._bookkeeping = threading.Lock()
        self.failures: list[Exception] = []
        """Of plans: the waits that carried them out must not take them for their own."""

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float, *, woken: Callable[[], bool] = lambda: False) -> None:
        """Each plan is carried out at its own time; one after which `woken` is true ends the sleep."""
        end = self.seconds + seconds
        while not woken():
            with self._bookkeeping:
                due = [plan for plan in self._plans if plan[0] <= end]
                if not due:
                    self.seconds = max(self.seconds, end)
                    return
                moment, action = min(due, key=lambda plan: plan[0])
                self._plans.remove((moment, action))
                self.seconds = max(self.seconds, moment)
            self.carry_out(action)

    def carry_out(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as failure:
            self.failures.append(failure)

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        """Plans `action` for so many seconds after the start."""
        with self._bookkeeping:
            self._plans.append((seconds, action))


def compress(time: CompressedTime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait of the engine, the functions and the SDKs moves `time`."""
    monkeypatch.setattr(wiring.SystemClock, "now", lambda self: time.now())
    monkeypatch.setattr(WaitFunction, "_wait_interval", lambda self, env, wait_seconds: time.sleep(wait_seconds))
    monkeypatch.setattr(CallbackEndpoint, "wait", _token_wait(time))
    monkeypatch.setattr(execute_state, "threading", types.SimpleNamespace(**{**vars(threading), "Event": _Patient}))
    compressed = types.SimpleNamespace(**{**vars(real_time), "sleep": time.sleep})
    for waiting in (retrier_decl, botocore.endpoint, openai._base_client):
        monkeypatch.setattr(waiting, "time", compressed)


def _token_wait(time: CompressedTime) -> Callable[..., Any]:
    """Waits for a token's outcome, None when the time is over."""

    def wait(endpoint: CallbackEndpoint, timeout: float | None = None) -> Any:
        assert timeout, "AWS takes whole seconds from 1"
        time.sleep(timeout, woken=lambda: endpoint.get_outcome() is not None)
        return endpoint.get_outcome()

    return wait


class _Patient(threading.Event):
    """The engine's own watch over a task's timeout, in real seconds: a token's wait times out by the other clock."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(30)
