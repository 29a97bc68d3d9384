"""Executions that ended before their work was done, and what is done about them."""

from __future__ import annotations

from enum import StrEnum


class LostStatus(StrEnum):
    """How Step Functions says that an execution was lost."""

    FAILED = "FAILED"
    ABORTED = "ABORTED"
    """Somebody stopped it by hand."""
    TIMED_OUT = "TIMED_OUT"


class Recovery(StrEnum):
    """What was done about a lost execution."""

    NOT_OURS = "not_ours"
    ENDED = "ended"
    """Nothing: its work was done, whatever became of it."""
    REPLACED = "replaced"
    """It was made sure that the execution which had taken over before was started."""
    RESUMED = "resumed"
    """Another one goes on with the work."""
    STOPPING = "stopping"
    """Another one brings the work to its end."""
    GIVEN_UP = "given_up"
    """Too many were lost: there is no other one."""
