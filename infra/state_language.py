"""What the state machines are built of, in the Amazon States Language (JSONPath).

Every task function returns the whole next state, ids and words only: `{"job_id", "outcome", "wait_seconds",
"wake_seq"}`. Exceptions mean "try again", results mean "this is how it is". Where the retries of a step that may be
billing run out, the trouble is noted on the record and the step comes again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "Sandbox.Timedout",
    "States.Timeout",
)
"""The service, not the code: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html, and
an environment that died or ran out of time. Repeating is safe, since every operation may run twice."""
RECORD_ERRORS = (
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.ProvisionedThroughputExceededException",
    "DynamoDb.RequestLimitExceededException",
    "DynamoDb.ThrottlingException",
    "DynamoDb.TransactionConflictException",
    "DynamoDb.SdkClientException",
)
"""What passes when a wait writes its token. Never `States.ALL` nor `States.TaskFailed`: a retry of those would begin a
wait again that has timed out, or that is over because of a wake-up."""
WAIT_IS_OVER = ("States.Timeout", "DynamoDb.ConditionalCheckFailedException")
"""The interval has passed, or there was a wake-up since the last look. An aws-sdk integration spells the service so."""

TROUBLE_WAIT_SECONDS = 1800
"""Between two rounds of retries. An execution holds 25,000 events, and a round of failures takes 30: after a shorter
wait it would end, and with it the watch over a job that may be billing, before the job's deadline. A test counts."""
TASK_TIMEOUT_MARGIN_SECONDS = 60
"""The function's own timeout comes first."""

_RETRY = {
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
_SHORT_RETRY = {"IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 3, "JitterStrategy": "FULL"}


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
        "Retry": [{"ErrorEquals": ["States.ALL"], **_SHORT_RETRY}],
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


def wait_for_news(
    name: str,
    comment: str,
    *,
    record: str,
    next_state: str,
    unless: Mapping[str, Sequence[str]] | None = None,
    fallback_seconds: int | None = None,
) -> dict[str, State]:
    """Waits `$.wait_seconds`, or until the record is woken; then `next_state` looks. No function runs meanwhile.

    The task's token is stored on the item with the sort key `record`, as `wait_token`, if the record's `wake_seq` is
    still the one that the last look read first (`$.wake_seq`), and if the record is not at its end: `unless` names
    what it then says, such as `{"phase": ["done"]}`. Where the token cannot be stored, a plain wait takes its place,
    of `fallback_seconds`, or of `$.wait_seconds` too.
    """
    fallback = f"{name}Plainly"
    names = {f"#n{number}": attribute for number, attribute in enumerate(unless or {})}
    finals = [(place, value) for place, attribute in names.items() for value in (unless or {})[attribute]]
    going_on = [f"{place} <> :final{number}" for number, (place, _) in enumerate(finals)]
    # A record of before there were wake-ups has no wake_seq: a condition that never held would make a hot loop.
    seen = "attribute_exists(pk) AND (wake_seq = :seen OR attribute_not_exists(wake_seq))"
    parameters: State = {
        "TableName": "${JobsTable}",
        "Key": _key(record),
        "ConditionExpression": " AND ".join([seen, *going_on]),
        "UpdateExpression": "SET wait_token = :token",
        "ExpressionAttributeValues": {
            ":token": {"S.$": "$$.Task.Token"},
            ":seen": {"N.$": "States.Format('{}', $.wake_seq)"},
            **{f":final{number}": {"S": value} for number, (_, value) in enumerate(finals)},
        },
    }
    if names:  # DynamoDB refuses names that are not used, and an empty map of them
        parameters["ExpressionAttributeNames"] = names
    return {
        name: {
            "Type": "Task",
            "Comment": comment,
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
            "Parameters": parameters,
            "ResultPath": None,
            "TimeoutSecondsPath": "$.wait_seconds",
            "Retry": [{"ErrorEquals": list(RECORD_ERRORS), **_SHORT_RETRY}],
            "Catch": [
                {"ErrorEquals": list(WAIT_IS_OVER), "ResultPath": None, "Next": next_state},
                {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": fallback},
            ],
            "Next": next_state,
        },
        fallback: plain_wait(
            f"{name} could not note its token on the record: waits without being told of news.",
            next_state=next_state,
            seconds=fallback_seconds,
        ),
    }


def trouble(step: str, *, record: str) -> dict[str, State]:
    """Notes on the record that a step's retries ran out, then leads back to the step.

    Only the error's name is taken: an error without a cause would break a path to it, and end the execution.
    """
    wait = f"WaitAfter{step}Trouble"
    text = f"States.Format('{{}} in {step}, after every retry. The execution shows the details.', $.trouble.Error)"
    return {
        f"Note{step}Trouble": {
            "Type": "Task",
            "Comment": f"The retries of {step} ran out: say so on the record, and go on.",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Parameters": {
                "TableName": "${JobsTable}",
                "Key": _key(record),
                "ConditionExpression": "attribute_exists(pk)",
                "UpdateExpression": "SET last_error = :error, updated_at = :now, version = version + :one",
                "ExpressionAttributeValues": {
                    ":error": {"S.$": text},
                    ":now": {"S.$": "$$.State.EnteredTime"},
                    ":one": {"N": "1"},
                },
            },
            "ResultPath": None,
            "TimeoutSeconds": TASK_TIMEOUT_MARGIN_SECONDS,
            "Retry": [{"ErrorEquals": ["States.ALL"], **_SHORT_RETRY}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": wait}],
            "Next": wait,
        },
        wait: plain_wait(f"Then {step} comes again.", next_state=step, seconds=TROUBLE_WAIT_SECONDS),
    }


def _key(record: str) -> State:
    return {"pk": {"S.$": "States.Format('JOB#{}', $.job_id)"}, "sk": {"S": record}}
