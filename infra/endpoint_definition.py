"""An endpoint's life, in the Amazon States Language.

    WhatIsAsked ─► Start ─► Wait ⇄ Poll ─► Ready
                                    │ ▲
                                    ├─┴── Hold ⇄ Poll
                                    └─► Stop ─► WaitUntilGone ⇄ Poll ─► Gone | Failed

An endpoint that bills by the hour is an execution that says RUNNING: it stays in Hold until it is told to stop, or
until the end on the record, which can be moved. One that costs nothing while idle and has no end needs nobody: Ready.

An execution holds 25,000 events. A round of Hold is 13 of them, and comes every 6 hours, or when the end is moved
nearer: 1,560 events in 720 hours. Moving the end away costs none, since Hold finds the later end when its wait is over.
Where an end is moved for ever, the execution times out before its history is full, and another one takes over.
"""

from __future__ import annotations

from infra.record_states import TROUBLE_WAIT_SECONDS, trouble, wait_for_news
from infra.state_language import State, TaskFunction, choice, invoke

EXECUTION_TIMEOUT_SECONDS = 300 * 86_400
"""Ten times the longest `ttl_hours`: only an end that is moved again and again comes near it."""

_RECORD = "ENDPOINT"


def definition(*, provider: str, tasks: TaskFunction) -> State:
    """One provider's state machine. `${JobsTable}` and the function's placeholder are substituted on deployment."""
    states: dict[str, State] = {
        "WhatIsAsked": choice(
            "Bring it up, only take it down, or go on where an execution was lost?",
            {"stop": "Stop", "resume": "Poll"},
            otherwise="Start",
            variable="$.action",
        ),
        **_coming_up(tasks),
        **_looking(tasks),
        **_taking_down(tasks),
        **_ends(),
    }
    return {
        "Comment": f"One execution brings up one endpoint at {provider}, holds it while it bills, and takes it down; "
        "its name begins with the job's id.",
        "StartAt": "WhatIsAsked",
        "TimeoutSeconds": EXECUTION_TIMEOUT_SECONDS,
        "States": states,
    }


def _coming_up(function: TaskFunction) -> dict[str, State]:
    return {
        "Start": _task(
            "Start",
            function,
            "Create the endpoint at the provider, once: look for it first where an earlier attempt may have made it.",
            operation="start_endpoint",
            next_state="IsCreated",
        ),
        "IsCreated": choice(
            "Created, to be tried again later, or not wanted any more?",
            {"start": "WaitToStart", "stop": "Stop", "gone": "Gone", "failed": "Failed"},
            otherwise="Wait",
        ),
        **_wait("WaitToStart", "The provider takes no more endpoints for now.", next_state="Start"),
        **_wait("Wait", "The provider is bringing it up. A stop ends this wait.", next_state="Poll"),
        **trouble("Start", record=_RECORD),
    }


def _looking(function: TaskFunction) -> dict[str, State]:
    return {
        "Poll": _task(
            "Poll",
            function,
            "Ask the provider how the endpoint is, and put the answer on the record.",
            operation="poll_endpoint",
            next_state="HowIsIt",
        ),
        "HowIsIt": choice(
            "Not created yet, coming up, up with or without an end, to be stopped, being deleted, or gone?",
            {
                "start": "Start",
                "ready": "Ready",
                "hold": "Hold",
                "stop": "Stop",
                "stopping": "WaitUntilGone",
                "gone": "Gone",
                "failed": "Failed",
            },
            otherwise="Wait",
        ),
        **_wait(
            "Hold",
            "It is up, and may be billed by the hour: held until it is told to stop, or until its end.",
            next_state="Poll",
            # A stop is not heard in a plain wait: while the endpoint bills, it is a short one.
            fallback_seconds=TROUBLE_WAIT_SECONDS,
        ),
        **trouble("Poll", record=_RECORD),
    }


def _taking_down(function: TaskFunction) -> dict[str, State]:
    return {
        "Stop": _task(
            "Stop",
            function,
            "Delete it at the provider; it has ended when the provider says that it is gone.",
            operation="stop_endpoint",
            next_state="IsGone",
        ),
        "IsGone": choice(
            "Was there nothing to delete, or does it take its time?",
            {"gone": "Gone", "failed": "Failed"},
            otherwise="WaitUntilGone",
        ),
        **_wait(
            "WaitUntilGone",
            "It is being deleted, and may be billed until it is gone: deleted again where that takes too long.",
            next_state="Poll",
        ),
        **trouble("Stop", record=_RECORD),
    }


def _ends() -> dict[str, State]:
    return {
        "Ready": {"Type": "Succeed", "Comment": "It is up, costs nothing while idle, and stays until it is stopped."},
        "Gone": {"Type": "Succeed", "Comment": "Nothing is left of it at the provider."},
        "Failed": {
            "Type": "Fail",
            "Comment": "It did not come up, or ended by itself. Nothing is left of it; the record says why.",
            "ErrorPath": "$.error.code",
            "CausePath": "$.error.message",
        },
    }


def _task(step: str, function: TaskFunction, comment: str, *, operation: str, next_state: str) -> State:
    return invoke(
        function,
        comment,
        payload={"operation": operation, "job_id.$": "$.job_id"},
        next_state=next_state,
        catch={"Next": f"Note{step}Trouble", "ResultPath": "$.trouble"},
    )


def _wait(name: str, comment: str, *, next_state: str, fallback_seconds: int | None = None) -> dict[str, State]:
    return wait_for_news(
        name,
        comment,
        record=_RECORD,
        next_state=next_state,
        unless={"status": ["stopped", "failed"]},
        fallback_seconds=fallback_seconds,
    )
