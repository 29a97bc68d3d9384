"""The state machines: what they do when a step fails, and that only what every engine understands is in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra import state_language as asl
from tests.infra.engine_features import COMPARED, PRESENT, check_features
from tests.infra.templates import Synthesis, as_list, definition, state_machine
from tunedrop.domain import errors
from tunedrop.domain.polling import PollingPolicy
from tunedrop.jobs.poll import STOP_GRACE
from tunedrop.jobs.step import StepOutcome

PROVIDERS = ("openai", "bedrock", "databricks")
FUNCTION_TASKS = {"Prepare", "Submit", "Poll", "Cancel", "Finish"}
WAITS = {"WaitForFile": "Prepare", "WaitToSubmit": "Submit", "Wait": "Poll"}
"""Each with what comes after it."""
SERVING = ("bedrock", "databricks")
EVENT_GOAL = 20_000
EVENT_LIMIT = 25_000
"""Of one execution's history (AWS Step Functions quotas)."""


@pytest.fixture(scope="module", params=PROVIDERS)
def machine(request: pytest.FixtureRequest, aws: Synthesis) -> dict[str, Any]:
    return definition(aws.template, request.param)


def tasks(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in machine["States"].items() if state["Type"] == "Task"}


def successors(state: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for branch in (*state.get("Choices", []), *state.get("Catch", [])):
        yield branch["Next"]


def test_each_provider_has_a_standard_machine_by_its_name_logged_and_traced(aws: Synthesis) -> None:
    for provider in PROVIDERS:
        properties = state_machine(aws.template, provider)
        assert properties["StateMachineName"] == f"tunedrop-dev-fine-tuning-{provider}"
        assert properties["StateMachineType"] == "STANDARD"
        assert properties["TracingConfiguration"] == {"Enabled": True}
        assert properties["LoggingConfiguration"]["Level"] == "ALL"
        group = properties["LoggingConfiguration"]["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]
        name = aws.resources("AWS::Logs::LogGroup")[group["Fn::GetAtt"][0]]["Properties"]["LogGroupName"]
        assert name == f"/aws/vendedlogs/states/tunedrop-dev-fine-tuning-{provider}"


def test_each_machine_runs_its_own_providers_function(aws: Synthesis) -> None:
    functions = aws.resources("AWS::Lambda::Function")
    for provider in PROVIDERS:
        substitutions = state_machine(aws.template, provider)["DefinitionSubstitutions"]
        handlers = {
            placeholder: functions[value["Fn::GetAtt"][0]]["Properties"]["Handler"]
            for placeholder, value in substitutions.items()
            if placeholder not in {"JobsTable", "EndpointMachineArn"}
        }
        assert handlers == {
            "PrepareArn": "prepare.handler",
            "TasksArn": f"{provider}_tasks.handler",
            "FinishArn": "finish.handler",
        }
        assert substitutions["JobsTable"]["Ref"] in aws.resources("AWS::DynamoDB::Table")


def test_every_state_says_what_it_is_for(machine: dict[str, Any]) -> None:
    assert machine["Comment"]
    assert [name for name, state in machine["States"].items() if not state.get("Comment")] == []


def test_every_state_is_reached_and_leads_to_an_end(machine: dict[str, Any]) -> None:
    states = machine["States"]
    reached, waiting = set(), [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(successors(states[name]))
    assert reached == states.keys()
    ending = {name for name, state in states.items() if state["Type"] in {"Succeed", "Fail"}}
    while more := {name for name, state in states.items() if name not in ending and ending & set(successors(state))}:
        ending |= more
    assert ending == states.keys()


def test_every_task_has_a_timeout_retries_and_a_way_on(machine: dict[str, Any]) -> None:
    for name, task in tasks(machine).items():
        if name in WAITS:
            assert task["TimeoutSecondsPath"] == "$.wait_seconds", name
        else:
            assert task["TimeoutSeconds"] >= 60, name
        assert task["Retry"], name
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_a_task_outlasts_its_function(aws: Synthesis) -> None:
    functions = aws.resources("AWS::Lambda::Function")
    for provider in PROVIDERS:
        substitutions = state_machine(aws.template, provider)["DefinitionSubstitutions"]
        for name, task in tasks(definition(aws.template, provider)).items():
            if name in FUNCTION_TASKS:
                placeholder = task["Parameters"]["FunctionName"].strip("${}")
                function = functions[substitutions[placeholder]["Fn::GetAtt"][0]]
                assert task["TimeoutSeconds"] > function["Properties"]["Timeout"], (provider, name)


def test_what_is_retried_is_our_transient_errors_and_lambda_itself(machine: dict[str, Any]) -> None:
    ours = {each.__name__ for each in errors.TransientError.__subclasses__()}
    for name in FUNCTION_TASKS:
        (retry,) = machine["States"][name]["Retry"]
        assert {each for each in retry["ErrorEquals"] if "." not in each} == ours, name
        assert {each for each in retry["ErrorEquals"] if "." in each} == set(asl.LAMBDA_ERRORS), name
        assert "States.ALL" not in retry["ErrorEquals"], name
        assert "States.TaskFailed" not in retry["ErrorEquals"], name
        assert retry["BackoffRate"] > 1, name
        assert retry["JitterStrategy"] == "FULL", name


@pytest.mark.parametrize("name", ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"])
def test_a_step_whose_environment_died_is_tried_again(name: str, machine: dict[str, Any]) -> None:
    for step in FUNCTION_TASKS:
        assert any(name in retry["ErrorEquals"] for retry in machine["States"][step]["Retry"]), step


def test_where_retries_run_out_after_submission_the_step_comes_again_later(machine: dict[str, Any]) -> None:
    for name in ("Submit", "Poll", "Cancel", "Finish"):
        (catch,) = machine["States"][name]["Catch"]
        note = machine["States"][catch["Next"]]
        assert note["Resource"] == "arn:aws:states:::dynamodb:updateItem"
        assert "last_error" in note["Parameters"]["UpdateExpression"]
        wait = machine["States"][note["Next"]]
        assert note["Catch"][0]["Next"] == note["Next"], "a note that cannot be written stops nothing"
        assert (wait["Type"], wait["Next"]) == ("Wait", name)
        assert catch["ResultPath"] == "$.trouble"
        assert note["ResultPath"] is None


def test_a_preparation_that_keeps_failing_ends_the_job_with_what_happened(machine: dict[str, Any]) -> None:
    assert machine["States"]["Prepare"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Finish"}
    ]
    assert machine["States"]["Finish"]["Parameters"]["Payload.$"] == "$"


def test_functions_are_asked_by_job_id_and_operation_alone(machine: dict[str, Any]) -> None:
    states = machine["States"]
    assert states["Prepare"]["Parameters"]["Payload"] == {"job_id.$": "$.job_id"}
    for name in ("Submit", "Poll", "Cancel"):
        assert states[name]["Parameters"]["Payload"] == {"operation": name.lower(), "job_id.$": "$.job_id"}
    assert all(states[name]["OutputPath"] == "$.Payload" for name in FUNCTION_TASKS)


def test_outcomes_lead_where_they_should(machine: dict[str, Any]) -> None:
    states = machine["States"]

    def ways(task: str) -> dict[str, str]:
        choice = states[states[task]["Next"]]
        return {each["StringEquals"]: each["Next"] for each in choice["Choices"]} | {"else": choice["Default"]}

    assert ways("Prepare") == {"ready": "Submit", "waiting": "WaitForFile", "else": "Finish"}
    assert ways("Submit") == {"waiting": "WaitToSubmit", "cancel": "Cancel", "ended": "Finish", "else": "Wait"}
    after_poll = {"ended": "Finish", "cancel": "Cancel", "deadline": "Cancel", "else": "Wait"}
    assert ways("Poll") == ways("Cancel") == after_poll
    ended = "IsServed" if "IsServed" in states else "Succeeded"
    assert ways("Finish") == {"succeeded": ended, "cancelled": "Cancelled", "else": "Failed"}


def test_each_outcome_of_a_step_has_a_way(machine: dict[str, Any]) -> None:
    named = {
        each["StringEquals"]
        for name in ("IsPrepared", "IsSubmitted", "HasEnded")
        for each in machine["States"][name]["Choices"]
    }
    by_default = {StepOutcome.SUBMITTED, StepOutcome.RUNNING}
    assert named <= set(StepOutcome)
    assert set(StepOutcome) - named == by_default


def test_a_wait_stores_its_token_only_while_nobody_has_woken_the_job_and_it_has_not_ended(
    machine: dict[str, Any],
) -> None:
    for name, after in WAITS.items():
        wait = machine["States"][name]
        assert wait["Resource"] == "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
        assert wait["Next"] == after
        assert wait["ResultPath"] is None
        parameters = wait["Parameters"]
        assert parameters["UpdateExpression"] == "SET wait_token = :token"
        assert parameters["ConditionExpression"] == (
            "attribute_exists(pk) AND (wake_seq = :seen OR attribute_not_exists(wake_seq)) AND #n0 <> :final0"
        )
        assert parameters["ExpressionAttributeNames"] == {"#n0": "phase"}
        assert parameters["ExpressionAttributeValues"] == {
            ":token": {"S.$": "$$.Task.Token"},
            ":seen": {"N.$": "States.Format('{}', $.wake_seq)"},
            ":final0": {"S": "done"},
        }


def test_a_wait_that_is_over_leads_on_and_is_never_begun_again(machine: dict[str, Any]) -> None:
    for name, after in WAITS.items():
        wait = machine["States"][name]
        over, others = wait["Catch"]
        assert over["ErrorEquals"] == ["States.Timeout", "DynamoDb.ConditionalCheckFailedException"]
        assert (over["Next"], over["ResultPath"]) == (after, None)
        retried = {error for retry in wait["Retry"] for error in retry["ErrorEquals"]}
        assert retried.isdisjoint({*over["ErrorEquals"], "States.ALL", "States.TaskFailed"})
        assert all(error.startswith("DynamoDb.") for error in retried)
        assert (others["ErrorEquals"], others["ResultPath"]) == (["States.ALL"], None)
        plain = machine["States"][others["Next"]]
        assert (plain["Type"], plain["SecondsPath"], plain["Next"]) == ("Wait", "$.wait_seconds", after)


def test_a_tuned_model_is_served_by_an_execution_of_its_own_where_it_has_to_be(aws: Synthesis) -> None:
    for provider in PROVIDERS:
        states = definition(aws.template, provider)["States"]
        assert ("StartEndpoint" in states) == (provider in SERVING), provider
    for provider in SERVING:
        states = definition(aws.template, provider)["States"]
        assert states["IsServed"]["Choices"] == [
            {"Variable": "$.endpoint_execution", "IsPresent": True, "Next": "StartEndpoint"}
        ]
        assert states["IsServed"]["Default"] == "Succeeded"
        start = states["StartEndpoint"]
        assert start["Resource"] == "arn:aws:states:::states:startExecution"
        assert start["Parameters"] == {
            "StateMachineArn": "${EndpointMachineArn}",
            "Name.$": "$.endpoint_execution",
            "Input": {"job_id.$": "$.job_id", "action": "start"},
        }
        assert start["Next"] == start["Catch"][0]["Next"] == "Succeeded", "a job succeeds without its endpoint too"


def test_only_features_that_every_engine_runs_are_used(machine: dict[str, Any]) -> None:
    check_features(machine, rules=[COMPARED, PRESENT])


def test_the_execution_outlives_the_longest_deadline_by_a_day(machine: dict[str, Any]) -> None:
    assert machine["TimeoutSeconds"] == 15 * 86_400


def test_a_step_that_fails_for_two_weeks_fits_the_history_of_an_execution(machine: dict[str, Any]) -> None:
    """Full jitter halves the delays on average; each attempt is scheduled, started and failed."""
    for name in ("Submit", "Poll", "Cancel", "Finish"):
        state = machine["States"][name]
        (retry,) = state["Retry"]
        delays = [
            min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
            for attempt in range(retry["MaxAttempts"])
        ]
        note = machine["States"][state["Catch"][0]["Next"]]
        seconds = sum(delays) / 2 + machine["States"][note["Next"]]["Seconds"]
        events = 2 + 3 * (retry["MaxAttempts"] + 1) + 5 + 2
        assert machine["TimeoutSeconds"] / seconds * events < EVENT_LIMIT, name


EVENTS = {"Choice": 2, "Wait": 2, "Task": 5}
"""Entered and exited; a task is also scheduled, started, and succeeds, fails or times out."""
TWO_WEEKS = 14 * 86_400


def events_of(machine: dict[str, Any], *round_: str) -> int:
    states = [machine["States"][name] for name in round_]
    tokens: int = sum(state.get("Resource", "").endswith(".waitForTaskToken") for state in states)  # submitted, too
    events: int = sum(EVENTS[state["Type"]] for state in states)
    return events + tokens


class Shortest:
    """The chance that makes the most rounds."""

    def uniform(self, a: float, b: float, /) -> float:
        return a


def rounds(until: float, *, since: float = 0, pushed: bool = False) -> int:
    """Of the real policy, each as short as it can be; in seconds after what the intervals are counted from."""
    start = datetime(2026, 11, 22, tzinfo=UTC)
    now, count = start + timedelta(seconds=since), 0
    while now < start + timedelta(seconds=until):
        wait = PollingPolicy().wait_seconds(started=start, now=now, pushed=pushed, chance=Shortest())
        now += timedelta(seconds=wait)
        count += 1
    return count


def test_a_round_is_thirteen_events(machine: dict[str, Any]) -> None:
    assert events_of(machine, "Wait", "Poll", "HasEnded") == 13
    assert events_of(machine, "WaitForFile", "Prepare", "IsPrepared") == 13
    assert events_of(machine, "WaitToSubmit", "Submit", "IsSubmitted") == 13


@pytest.mark.parametrize("pushed", [True, False])
def test_a_job_of_two_weeks_stays_far_inside_the_history_of_an_execution(machine: dict[str, Any], pushed: bool) -> None:
    """A day for its file, one for quota, twelve of training, and then twelve hours of a provider that will not stop."""
    day = 86_400
    file = events_of(machine, "WaitForFile", "Prepare", "IsPrepared") * rounds(day, pushed=True)
    quota = events_of(machine, "WaitToSubmit", "Submit", "IsSubmitted") * rounds(2 * day, since=day)
    training = events_of(machine, "Wait", "Poll", "HasEnded") * rounds(12 * day, pushed=pushed)
    stopping = events_of(machine, "Wait", "Poll", "HasEnded", "Cancel", "HasEnded") * rounds(STOP_GRACE.total_seconds())
    assert 10_000 < file + quota + training + stopping < EVENT_GOAL


def test_waits_whose_tokens_cannot_be_stored_for_two_weeks_fit_the_history_of_an_execution(
    machine: dict[str, Any],
) -> None:
    """Each tries its token, and again after every retry, and then waits plainly."""
    (retry,) = machine["States"]["Wait"]["Retry"]
    tries = 3 * retry["MaxAttempts"]
    round_ = events_of(machine, "Wait", "WaitPlainly", "Poll", "HasEnded")
    # A refusal that will not pass, such as a missing permission, is not retried.
    assert round_ * rounds(TWO_WEEKS) < EVENT_GOAL
    # One that may pass is: a day of it, in two weeks.
    assert round_ * rounds(TWO_WEEKS) + tries * rounds(86_400) < EVENT_LIMIT


def test_the_note_is_for_a_record_that_exists_and_changes_nothing_but_the_trouble(machine: dict[str, Any]) -> None:
    for name, task in tasks(machine).items():
        if name.startswith("Note"):
            parameters = task["Parameters"]
            assert parameters["ConditionExpression"] == "attribute_exists(pk)"
            changed = {
                part.split("=")[0].strip() for part in parameters["UpdateExpression"].removeprefix("SET").split(",")
            }
            assert changed == {"last_error", "updated_at", "version"}
            assert as_list(parameters["Key"]["sk"]) == [{"S": "JOB"}]
