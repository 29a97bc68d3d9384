"""Faults on demand: the next calls of an operation are throttled, fail, lose their reply or are slow."""

from __future__ import annotations

import threading
import time
from collections import deque
from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    THROTTLE = "throttle"
    """Refused with the provider's 429 (or its own throttling error) before anything happens."""
    ERROR = "error"
    """Answered with the provider's 500 before anything happens."""
    LOSE_REPLY = "lose_reply"
    """Carried out, and then the connection is closed without an answer."""
    SLOW = "slow"
    """Carried out after `seconds`."""
    FAIL_JOB = "fail_job"
    """What this create call makes will fail, a job while it trains; `message` is the provider's reason. A deletion is
    refused with the message; without one it is answered like any other, and nothing goes."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`operation` is the simulator's own name of a call, such as `fine_tuning.jobs.create`."""

    operation: str
    kind: FaultKind
    times: int = 1
    seconds: float = 0.0
    """How long a slow call takes, or the Retry-After of a throttled one (0: none is sent)."""
    message: str = ""


class Faults:
    """The faults that were asked for, first in first out for each operation; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, deque[Fault]] = {}

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._pending.setdefault(fault.operation, deque()).extend([fault] * fault.times)

    def next_for(self, operation: str) -> Fault | None:
        """Takes the next fault of `operation`; a slow one is slept through here and returned all the same."""
        with self._lock:
            queue = self._pending.get(operation)
            fault = queue.popleft() if queue else None
        if fault is not None and fault.kind is FaultKind.SLOW:
            time.sleep(fault.seconds)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()
