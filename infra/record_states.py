"""The states that write to a record: waits that news can end, and notes of trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.state_language import SHORT_RETRY, TASK_TIMEOUT_MARGIN_SECONDS, State, plain_wait

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
            "Retry": [{"ErrorEquals": list(RECORD_ERRORS), **SHORT_RETRY}],
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
            "Retry": [{"ErrorEquals": ["States.ALL"], **SHORT_RETRY}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": wait}],
            "Next": wait,
        },
        wait: plain_wait(f"Then {step} comes again.", next_state=step, seconds=TROUBLE_WAIT_SECONDS),
    }


def _key(record: str) -> State:
    return {"pk": {"S.$": "States.Format('JOB#{}', $.job_id)"}, "sk": {"S": record}}
