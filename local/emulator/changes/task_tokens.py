"""What SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat answer to a token.

AWS                                                                         MiniStack
`TaskTimedOut` for a token of a task that is over: it came back, it timed   TaskDoesNotExist
out, its execution ended
`InvalidToken` for what has never been a token                              TaskDoesNotExist
`TaskTimedOut` for a token that has come back a moment ago                  accepted, and the later answer wins
https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
"""

import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions as sfn

from local.emulator.changing import replace


def apply() -> None:
    """Make the changes."""
    for name in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        replace(sfn, name, _refusing(getattr(sfn, name)))


def _refusing(original: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def send(data: dict[str, Any]) -> Any:
        token = data.get("taskToken") or ""
        task = sfn._task_tokens.get(token)
        if task is not None and not task["event"].is_set():
            return original(data)
        if _is_token(token):
            return error_response_json("TaskTimedOut", "The task has timed out, or has been closed already", 400)
        return error_response_json("InvalidToken", f"Invalid Token: {token!r}", 400)

    return send


def _is_token(token: str) -> bool:
    """Whether MiniStack makes tokens that look so."""
    try:
        return str(uuid.UUID(token)) == token
    except ValueError:
        return False
