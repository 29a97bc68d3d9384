"""What the state machines are built of, in the Amazon States Language (JSONPath).

Every task function returns the whole next state, ids and words only: `{"job_id", "outcome", "wait_seconds",
"wake_seq"}`. Exceptions mean "try again", results mean "this is how it is". Where the retries of a step that may be
billing run out, the trouble is noted on the record and the step comes again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

State: TypeAlias = dict[str, Any]

TRANSIENT_ERRORS = (
    "ProviderThrottledError",
    "ProviderUnavailableError",
    "SubmissionUncertainError",
    "StoreUnavailableError",
    "StoreConflictError",
)
"""Class names of `tunedrop.domain.errors`; a test compares them."""
LAMBDA_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
)
"""The service, not the code: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html, and
an environment that died or ran out of time, which newer runtimes name apart. Repeating is safe, since every operation
may run twice."""

TASK_TIMEOUT_MARGIN_SECONDS = 60
"""The function's own timeout comes first."""

_RETRY = {
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
SHORT_RETRY = {"IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 3, "JitterStrategy": "FULL"}


@dataclass(frozen=True, kw_only=True)
class TaskFunction:
    """A function that a task invokes, by the placeholder that stands for its ARN in the definition."""

    placeholder: str
    timeout_seconds: int


def invoke(
    function: TaskFunction, comment: str, *, payload: Mapping[str, Any] | str, next_state: str, catch: Mapping[str, str]
) -> State:
    """A task whose output is what the function returns. `payload` is a template, or a path into the state."""
    sent = {"Payload.$": payload} if isinstance(payload, str) else {"Payload": dict(payload)}
    return {
        "Type": "Task",
        "Comment": comment,
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"${{{function.placeholder}}}", **sent},
        "OutputPath": "$.Payload",
        "TimeoutSeconds": function.timeout_seconds + TASK_TIMEOUT_MARGIN_SECONDS,
        "Retry": [{"ErrorEquals": [*TRANSIENT_ERRORS, *LAMBDA_ERRORS], **_RETRY}],
        "Catch": [{"ErrorEquals": ["States.ALL"], **catch}],
        "Next": next_state,
    }


def start_execution(comment: str, *, machine: str, name: str, action: str, next_state: str) -> State:
    """Starts another machine's execution and goes on, also where that fails: the state is passed on as it is.

    `machine` is the placeholder of its ARN, `name` a path into the state.
    """
    return {
        "Type": "Task",
        "Comment": comment,
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {
            "StateMachineArn": f"${{{machine}}}",
            "Name.$": name,
            "Input": {"job_id.$": "$.job_id", "action": action},
        },
        "ResultPath": None,
        "TimeoutSeconds": TASK_TIMEOUT_MARGIN_SECONDS,
        "Retry": [{"ErrorEquals": ["States.ALL"], **SHORT_RETRY}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": next_state}],
        "Next": next_state,
    }


def choice(comment: str, ways: Mapping[str, str], *, otherwise: str, variable: str = "$.outcome") -> State:
    """Goes by a word in the state."""
    return {
        "Type": "Choice",
        "Comment": comment,
        "Choices": [
            {"Variable": variable, "StringEquals": value, "Next": next_state} for value, next_state in ways.items()
        ],
        "Default": otherwise,
    }


def plain_wait(comment: str, *, next_state: str, seconds: int | None = None) -> State:
    """A wait that nothing ends early; as long as `$.wait_seconds` says where `seconds` are not given."""
    length: State = {"SecondsPath": "$.wait_seconds"} if seconds is None else {"Seconds": seconds}
    return {"Type": "Wait", "Comment": comment, **length, "Next": next_state}
