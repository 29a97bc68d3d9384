"""The endpoints' state machines: where each outcome leads, what happens when a step fails, and for how long one can go
on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from benchmarks.machine_walk import walk
from infra import endpoint_definition, state_language
from tests.infra.engine_features import COMPARED, check_features
from tests.infra.templates import Synthesis, statements
from tests.unit.endpoints.world import ENDS, WAYS
from tunedrop.domain.polling import PollingPolicy
from tunedrop.endpoints.limits import START_LIMIT
from tunedrop.endpoints.look import HOLD_LOOK_SECONDS
from tunedrop.endpoints.step import EndpointOutcome

PROVIDERS = ("bedrock", "databricks")
OPERATIONS = {"Start": "start_endpoint", "Poll": "poll_endpoint", "Stop": "stop_endpoint"}
EVENT_LIMIT = 25_000
"""Of one execution's history (AWS Step Functions quotas)."""
TASKS = state_language.TaskFunction(placeholder="TasksArn", timeout_seconds=120)


@pytest.fixture
def machine() -> dict[str, Any]:
    return endpoint_definition.definition(provider="bedrock", tasks=TASKS)


def successors(state: Mapping[str, Any]) -> Iterator[str]:
    for way in ("Next", "Default"):
        if way in state:
            yield state[way]
    for branch in (*state.get("Choices", []), *state.get("Catch", [])):
        yield branch["Next"]


def ways(choice: Mapping[str, Any]) -> dict[str, str]:
    return {each["StringEquals"]: each["Next"] for each in choice["Choices"]} | {"else": choice["Default"]}


class TestTheStack:
    @pytest.fixture(params=PROVIDERS)
    def provider(self, request: pytest.FixtureRequest) -> str:
        provider: str = request.param
        return provider

    def properties(self, aws: Synthesis, provider: str) -> dict[str, Any]:
        (found,) = (
            each["Properties"]
            for each in aws.resources("AWS::StepFunctions::StateMachine").values()
            if each["Properties"]["StateMachineName"] == f"tunedrop-dev-endpoint-{provider}"
        )
        properties: dict[str, Any] = found
        return properties

    def test_each_provider_that_serves_has_a_standard_machine_logged_and_traced(
        self, aws: Synthesis, provider: str
    ) -> None:
        properties = self.properties(aws, provider)
        assert properties["StateMachineType"] == "STANDARD"
        assert properties["TracingConfiguration"] == {"Enabled": True}
        assert properties["LoggingConfiguration"]["Level"] == "ALL"
        group = properties["LoggingConfiguration"]["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]
        name = aws.resources("AWS::Logs::LogGroup")[group["Fn::GetAtt"][0]]["Properties"]["LogGroupName"]
        assert name == f"/aws/vendedlogs/states/tunedrop-dev-endpoint-{provider}"

    def test_openai_serves_its_models_itself(self, aws: Synthesis) -> None:
        names = [
            each["Properties"]["StateMachineName"]
            for each in aws.resources("AWS::StepFunctions::StateMachine").values()
        ]
        assert sorted(name for name in names if "endpoint" in name) == [
            f"tunedrop-dev-endpoint-{provider}" for provider in PROVIDERS
        ]

    def test_it_runs_its_own_providers_function_and_outlasts_it(self, aws: Synthesis, provider: str) -> None:
        properties = self.properties(aws, provider)
        substitutions = properties["DefinitionSubstitutions"]
        assert substitutions.keys() == {"TasksArn", "JobsTable"}
        function = aws.resources("AWS::Lambda::Function")[substitutions["TasksArn"]["Fn::GetAtt"][0]]["Properties"]
        assert function["Handler"] == f"{provider}_tasks.handler"
        step = state_language.TaskFunction(placeholder="TasksArn", timeout_seconds=function["Timeout"])
        expected = endpoint_definition.definition(provider=provider, tasks=step)
        assert json.loads(properties["DefinitionString"]) == expected
        assert expected["States"]["Start"]["TimeoutSeconds"] > function["Timeout"]

    def test_its_role_may_call_that_function_and_write_to_the_table(self, aws: Synthesis, provider: str) -> None:
        actions: set[str] = set()
        for name, statement in statements(aws):
            if name.startswith(f"{provider.capitalize()}EndpointRole"):
                found = statement["Action"]
                actions |= {found} if isinstance(found, str) else set(found)
        assert {"lambda:InvokeFunction", "dynamodb:UpdateItem"} <= actions
        assert not {each for each in actions if each.split(":")[0] not in {"lambda", "dynamodb", "logs", "xray"}}


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
    assert ending == set(ENDS)
    while more := {name for name, state in states.items() if name not in ending and ending & set(successors(state))}:
        ending |= more
    assert ending == states.keys()


def test_what_is_asked_leads_to_the_step_that_does_it(machine: dict[str, Any]) -> None:
    assert machine["StartAt"] == "WhatIsAsked"
    asked = machine["States"]["WhatIsAsked"]
    assert {each["Variable"] for each in asked["Choices"]} == {"$.action"}
    assert ways(asked) == {"stop": "Stop", "resume": "Poll", "else": "Start"}


@pytest.mark.parametrize("step", WAYS)
def test_every_outcome_of_a_step_leads_where_the_tests_of_an_endpoints_life_lead_it(
    machine: dict[str, Any], step: str
) -> None:
    states = machine["States"]
    chosen = ways(states[states[step]["Next"]])
    for outcome, expected in WAYS[step].items():
        state = chosen.get(outcome.value, chosen["else"])
        wait, _, then = expected.rpartition("wait:")
        if expected.startswith("wait:"):
            assert states[state]["Resource"].endswith(".waitForTaskToken"), (step, outcome)
            assert states[state]["Next"] == then, (step, outcome, wait)
        else:
            assert state == expected, (step, outcome)


def test_each_wait_has_a_state_of_its_own_so_that_the_graph_shows_what_is_waited_for(machine: dict[str, Any]) -> None:
    def state(step: str, outcome: EndpointOutcome) -> str:
        chosen = ways(machine["States"][machine["States"][step]["Next"]])
        return chosen.get(outcome.value, chosen["else"])

    assert state("Start", EndpointOutcome.START) == "WaitToStart"
    assert state("Start", EndpointOutcome.STARTING) == state("Poll", EndpointOutcome.STARTING) == "Wait"
    assert state("Poll", EndpointOutcome.HOLD) == "Hold"
    assert state("Poll", EndpointOutcome.STOPPING) == state("Stop", EndpointOutcome.STOPPING) == "WaitUntilGone"


@pytest.mark.parametrize("step", OPERATIONS)
def test_a_step_asks_for_its_operation_and_comes_again_when_its_retries_ran_out(
    machine: dict[str, Any], step: str
) -> None:
    states = machine["States"]
    task = states[step]
    assert task["Parameters"]["Payload"] == {"operation": OPERATIONS[step], "job_id.$": "$.job_id"}
    assert task["OutputPath"] == "$.Payload"
    assert "States.ALL" not in task["Retry"][0]["ErrorEquals"]
    (catch,) = task["Catch"]
    assert (catch["ErrorEquals"], catch["ResultPath"]) == (["States.ALL"], "$.trouble")
    note = states[catch["Next"]]
    assert note["Parameters"]["Key"]["sk"] == {"S": "ENDPOINT"}
    assert states[note["Next"]]["Next"] == step


def test_a_stop_that_cannot_be_heard_while_it_bills_is_found_within_half_an_hour(machine: dict[str, Any]) -> None:
    caught = machine["States"]["Hold"]["Catch"][-1]
    assert caught["ErrorEquals"] == ["States.ALL"]
    fallback = machine["States"][caught["Next"]]
    assert (fallback["Type"], fallback["Seconds"], fallback["Next"]) == ("Wait", 1800, "Poll")


@pytest.mark.parametrize("wait", ["Wait", "WaitToStart", "Hold", "WaitUntilGone"])
def test_a_wait_is_on_the_endpoints_record_and_ends_for_news_or_in_time(machine: dict[str, Any], wait: str) -> None:
    state = machine["States"][wait]
    assert state["Parameters"]["Key"]["sk"] == {"S": "ENDPOINT"}
    assert state["TimeoutSecondsPath"] == "$.wait_seconds"
    condition = state["Parameters"]["ConditionExpression"]
    values = state["Parameters"]["ExpressionAttributeValues"]
    assert "wake_seq = :seen" in condition
    assert {"S": "stopped"} in values.values()
    assert {"S": "failed"} in values.values()
    assert state["Parameters"]["ExpressionAttributeNames"] == {"#n0": "status"}


def test_a_failure_is_told_by_the_execution_too(machine: dict[str, Any]) -> None:
    failed = machine["States"]["Failed"]
    assert (failed["Type"], failed["ErrorPath"], failed["CausePath"]) == ("Fail", "$.error.code", "$.error.message")


def test_only_features_that_every_engine_runs_are_used(machine: dict[str, Any]) -> None:
    check_features(machine, rules=[COMPARED])


class TestHistory:
    """An execution that is full ends, and with it the watch over what may be billed."""

    def events(self, machine: dict[str, Any], hours: float) -> int:
        """Of an execution that holds an endpoint for so long, which takes two hours to come up, and two to go."""
        limit = START_LIMIT.total_seconds()
        end, gone = hours * 3600, hours * 3600 + limit

        def waiting(outcome: str, elapsed: float) -> dict[str, Any]:
            """At the policy's shortest."""
            policy = PollingPolicy()
            share = min(policy.longest, max(policy.shortest, elapsed * policy.share))
            return {"outcome": outcome, "wait_seconds": share * (1 - policy.jitter)}

        def poll(now: float) -> dict[str, Any]:
            if now < limit:
                return waiting("starting", now)
            if now < end:
                return {"outcome": "hold", "wait_seconds": min(HOLD_LOOK_SECONDS, end - now)}
            return waiting("stopping", now - end) if now < gone else {"outcome": "gone"}

        return walk(machine, {"Start": lambda now: waiting("starting", now), "Poll": poll}).events

    def test_a_round_of_holding_is_thirteen_events(self, machine: dict[str, Any]) -> None:
        assert self.events(machine, 726) - self.events(machine, 720) == 13

    def test_of_the_longest_ttl_fits_with_the_longest_way_up_and_down(self, machine: dict[str, Any]) -> None:
        assert self.events(machine, 720) < EVENT_LIMIT / 5

    def test_is_not_full_when_an_end_that_is_moved_for_ever_makes_the_execution_time_out(
        self, machine: dict[str, Any]
    ) -> None:
        """Moving an end away wakes nobody, so that only the rounds of Hold count; recover starts the next execution."""
        assert machine["TimeoutSeconds"] > 9 * 720 * 3600

        assert self.events(machine, machine["TimeoutSeconds"] / 3600) < EVENT_LIMIT * 0.8
