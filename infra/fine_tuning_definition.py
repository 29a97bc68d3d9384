"""A fine-tuning job's life, in the Amazon States Language.

    Prepare ─► Submit ─► Wait ⇄ Poll ─► Finish ─► Succeeded (─► StartEndpoint) | Cancelled | Failed
                  └─► Cancel ◄────┘
                        └─► Wait

The waits end early when the record is woken. Only the provider's answer or the deadline ends a job that it may bill.
"""

from __future__ import annotations

from infra.record_states import trouble, wait_for_news
from infra.state_language import State, TaskFunction, choice, invoke, start_execution

EXECUTION_TIMEOUT_SECONDS = 15 * 86_400
"""A day more than the longest deadline that a job can have."""

_RECORD = "JOB"


def definition(
    *, provider: str, prepare: TaskFunction, tasks: TaskFunction, finish: TaskFunction, serves: bool
) -> State:
    """One provider's state machine. `${JobsTable}` and the functions' placeholders are substituted on deployment.

    `serves`: whether its tuned models are served by an execution of their own, of `${EndpointMachineArn}`.
    """
    states: dict[str, State] = {
        **_preparation(prepare),
        **_submission(tasks),
        **_following(tasks),
        **_cancellation(tasks),
        **_ending(finish, serves=serves),
    }
    return {
        "Comment": f"One execution is one fine-tuning job at {provider}; its name begins with the job's id.",
        "StartAt": "Prepare",
        "TimeoutSeconds": EXECUTION_TIMEOUT_SECONDS,
        "States": states,
    }


def _preparation(function: TaskFunction) -> dict[str, State]:
    return {
        "Prepare": invoke(
            function,
            "Read the training file, check every row and write it in the provider's format.",
            payload={"job_id.$": "$.job_id"},
            next_state="IsPrepared",
            catch={"Next": "Finish", "ResultPath": "$.failure"},
        ),
        "IsPrepared": choice(
            "Ready to submit, waiting for the file, or ended by what is in it or by a cancel?",
            {"ready": "Submit", "waiting": "WaitForFile"},
            otherwise="Finish",
        ),
        **_wait("WaitForFile", "The file is not there yet: look again later, or when it comes.", next_state="Prepare"),
    }


def _submission(function: TaskFunction) -> dict[str, State]:
    return {
        "Submit": invoke(
            function,
            "Create the job at the provider, once: look for it first where an earlier attempt may have made it.",
            payload={"operation": "submit", "job_id.$": "$.job_id"},
            next_state="IsSubmitted",
            catch={"Next": "NoteSubmitTrouble", "ResultPath": "$.trouble"},
        ),
        "IsSubmitted": choice(
            "With the provider, with it but to be cancelled, waiting for quota, or ended?",
            {"waiting": "WaitToSubmit", "cancel": "Cancel", "ended": "Finish"},
            otherwise="Wait",
        ),
        **_wait(
            "WaitToSubmit",
            "The provider takes no more jobs for now, or may not yet show one that it took.",
            next_state="Submit",
        ),
        **trouble("Submit", record=_RECORD),
    }


def _following(function: TaskFunction) -> dict[str, State]:
    return {
        **_wait(
            "Wait",
            "The provider is working. News of it, a cancel or a refresh end this wait; else the next question does, "
            "and the longer it takes, the rarer the questions.",
            next_state="Poll",
        ),
        "Poll": invoke(
            function,
            "Ask the provider how the job is going, and put the answer on the record.",
            payload={"operation": "poll", "job_id.$": "$.job_id"},
            next_state="HasEnded",
            catch={"Next": "NotePollTrouble", "ResultPath": "$.trouble"},
        ),
        "HasEnded": choice(
            "Still running, to be cancelled, past its deadline, or ended?",
            {"ended": "Finish", "cancel": "Cancel", "deadline": "Cancel"},
            otherwise="Wait",
        ),
        **trouble("Poll", record=_RECORD),
    }


def _cancellation(function: TaskFunction) -> dict[str, State]:
    return {
        "Cancel": invoke(
            function,
            "Tell the provider to stop; the job ends when the provider says that it has.",
            payload={"operation": "cancel", "job_id.$": "$.job_id"},
            next_state="HasEnded",
            catch={"Next": "NoteCancelTrouble", "ResultPath": "$.trouble"},
        ),
        **trouble("Cancel", record=_RECORD),
    }


def _ending(function: TaskFunction, *, serves: bool) -> dict[str, State]:
    return {
        "Finish": invoke(
            function,
            "Make the end final: the record, the report, and why.",
            payload="$",
            next_state="HowDidItEnd",
            catch={"Next": "NoteFinishTrouble", "ResultPath": "$.trouble"},
        ),
        "HowDidItEnd": choice(
            "As the record has it.",
            {"succeeded": "IsServed" if serves else "Succeeded", "cancelled": "Cancelled"},
            otherwise="Failed",
            variable="$.status",
        ),
        **(_serving() if serves else {}),
        "Succeeded": {"Type": "Succeed", "Comment": "The tuned model is on the record."},
        "Cancelled": {"Type": "Succeed", "Comment": "Cancelled here, or stopped at the provider."},
        "Failed": {
            "Type": "Fail",
            "Comment": "The record and the report say why, and how to mend it.",
            "ErrorPath": "$.error.code",
            "CausePath": "$.error.message",
        },
        **trouble("Finish", record=_RECORD),
    }


def _serving() -> dict[str, State]:
    """A model that cannot be served is a model all the same: the job has succeeded."""
    return {
        "IsServed": {
            "Type": "Choice",
            "Comment": "Is the tuned model to be served at once?",
            "Choices": [{"Variable": "$.endpoint_execution", "IsPresent": True, "Next": "StartEndpoint"}],
            "Default": "Succeeded",
        },
        "StartEndpoint": start_execution(
            "The endpoint's own execution takes over.",
            machine="EndpointMachineArn",
            name="$.endpoint_execution",
            action="start",
            next_state="Succeeded",
        ),
    }


def _wait(name: str, comment: str, *, next_state: str) -> dict[str, State]:
    return wait_for_news(name, comment, record=_RECORD, next_state=next_state, unless={"phase": ["done"]})
