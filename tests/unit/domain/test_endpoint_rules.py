"""What can be asked of an endpoint at each provider, and what it costs while nobody calls it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.builders import REQUEST
from tunedrop.domain.bedrock_models import BEDROCK_MODELS
from tunedrop.domain.endpoint_rules import (
    KINDS,
    ON_DEMAND_BASES,
    EndpointPlan,
    endpoint_plan,
    hosted_call,
    plan_after_success,
    rules_of,
    starts_by_itself,
)
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.models import PROVIDERS

NOVA = "amazon.nova-lite-v1:0:300k"
PROVISIONED = EndpointRequest(kind="provisioned", model_units=1, ttl_hours=2)


def job_request(provider: str, **changes: Any) -> JobRequest:
    return msgspec.structs.replace(REQUEST, provider=provider, **changes)


@pytest.mark.parametrize(
    ("provider", "kind"), [("openai", "hosted"), ("bedrock", "on_demand"), ("databricks", "serving")]
)
def test_the_usual_kind_is_one_that_costs_nothing_while_idle(provider: str, kind: str) -> None:
    assert endpoint_plan(provider, NOVA, EndpointRequest()) == EndpointPlan(kind=kind)  # type: ignore[arg-type]
    usual = KINDS[provider][0]
    assert (usual.kind, usual.bills_idle, usual.hourly_cost_usd) == (kind, False, 0.0)


def test_every_provider_has_kinds_each_with_its_price_in_words_and_where_it_is_said() -> None:
    assert KINDS.keys() == set(PROVIDERS)
    for rules in (each for kinds in KINDS.values() for each in kinds):
        assert rules.cost_note.endswith(".")
        assert "." in rules.source.page
    assert rules_of("bedrock", "provisioned").bills_idle
    assert rules_of("bedrock", "provisioned").hourly_cost_usd is None, "no price of it can be cited"


def test_every_base_that_is_trained_at_bedrock_can_be_deployed_on_demand() -> None:
    assert ON_DEMAND_BASES.keys() == {rules.model_id for rules in BEDROCK_MODELS}


@pytest.mark.parametrize("hours", [0.01, 720])
def test_the_hours_go_from_more_than_none_to_a_month(hours: float) -> None:
    for provider in ("bedrock", "databricks"):
        assert endpoint_plan(provider, NOVA, EndpointRequest(ttl_hours=hours)).ttl_hours == hours


def test_a_kind_that_bills_is_taken_with_its_units_and_hours() -> None:
    plan = endpoint_plan("bedrock", "another-base", PROVISIONED)

    assert plan == EndpointPlan(kind="provisioned", model_units=1, ttl_hours=2)


@pytest.mark.parametrize(
    ("provider", "request_", "words"),
    [
        (
            "bedrock",
            {"kind": "serving"},
            r"'kind' cannot be 'serving' at bedrock: ask for 'on_demand' or 'provisioned'",
        ),
        ("databricks", {"kind": "on_demand"}, r"'kind' cannot be 'on_demand' at databricks: ask for 'serving'\."),
        ("openai", {"kind": "serving"}, r"'kind' cannot be 'serving' at openai: leave it out\."),
        ("openai", {"ttl_hours": 1}, "'ttl_hours' cannot be given: OpenAI serves"),
        ("openai", {"model_units": 1}, r"'model_units' cannot be given for the kind 'hosted': leave it out\."),
        ("bedrock", {"ttl_hours": 0}, "'ttl_hours' must be greater than 0 and at most 720 .*, not 0"),
        ("bedrock", {"ttl_hours": -1}, "'ttl_hours' must be greater than 0"),
        ("bedrock", {"ttl_hours": 720.5}, r"at most 720 \(30 days\), not 720.5"),
        ("databricks", {"ttl_hours": float("nan")}, "'ttl_hours' must be greater than 0"),
        ("databricks", {"ttl_hours": float("inf")}, "'ttl_hours' must be greater than 0"),
        ("bedrock", {"model_units": 1}, "'model_units' cannot be given for the kind 'on_demand'.*'provisioned'"),
        ("bedrock", {"kind": "provisioned", "ttl_hours": 1}, "'model_units' is missing"),
        (
            "bedrock",
            {"kind": "provisioned", "model_units": 0, "ttl_hours": 1},
            "'model_units' must be at least 1 and at most 1,000, not 0",
        ),
        ("bedrock", {"kind": "provisioned", "model_units": 10**40, "ttl_hours": 1}, "at most 1,000, not 10000"),
        ("bedrock", {"kind": "provisioned", "model_units": 1}, "'ttl_hours' is missing: .* billed by the hour"),
    ],
)
def test_what_cannot_be_had_is_named_with_the_way_out(provider: str, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestInvalidError, match=words):
        endpoint_plan(provider, NOVA, EndpointRequest(**request_))


def test_a_base_that_bedrock_does_not_deploy_on_demand_is_provisioned() -> None:
    with pytest.raises(RequestInvalidError, match=r"tuned from titan: .*Ask for 'provisioned'"):
        endpoint_plan("bedrock", "titan", EndpointRequest())


def test_of_an_endpoint_that_is_up_only_the_changes_have_to_be_said() -> None:
    plan = endpoint_plan("bedrock", NOVA, EndpointRequest(), live="provisioned")

    assert plan == EndpointPlan(kind="provisioned")
    with pytest.raises(RequestInvalidError, match="'ttl_hours'"):
        endpoint_plan("bedrock", NOVA, EndpointRequest(ttl_hours=721), live="provisioned")


class TestAfterSuccess:
    """What starts by itself when a job has succeeded."""

    @pytest.mark.parametrize(
        ("asked", "starts"),
        [
            ({}, True),
            ({"start_endpoint": True}, True),
            ({"start_endpoint": False}, False),
            ({"skip_deploy": True}, False),
            ({"skip_deploy": False}, True),
            ({"start_endpoint": True, "skip_deploy": False}, True),
            ({"start_endpoint": False, "skip_deploy": True}, False),
        ],
    )
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_an_endpoint_that_costs_nothing_starts_unless_it_is_not_wanted(
        self, provider: str, asked: dict[str, bool], starts: bool
    ) -> None:
        plan = plan_after_success(job_request(provider, **asked), NOVA)

        assert plan == (EndpointPlan(kind=KINDS[provider][0].kind) if starts else None)
        assert starts_by_itself(job_request(provider, **asked), NOVA) is starts

    @pytest.mark.parametrize("asked", [{}, {"start_endpoint": True}])
    def test_one_that_bills_starts_where_it_is_spelled_out(self, asked: dict[str, bool]) -> None:
        plan = plan_after_success(job_request("bedrock", endpoint=PROVISIONED, **asked), NOVA)

        assert plan == EndpointPlan(kind="provisioned", model_units=1, ttl_hours=2)

    @pytest.mark.parametrize("both", [True, False])
    def test_contradictions_are_refused(self, both: bool) -> None:
        request = job_request("databricks", start_endpoint=both, skip_deploy=both)
        with pytest.raises(RequestInvalidError, match="'start_endpoint' and 'skip_deploy' contradict"):
            plan_after_success(request, None)

    @pytest.mark.parametrize(
        ("asked", "word"), [({"start_endpoint": False}, "'start_endpoint' is false"), ({"skip_deploy": True}, "'skip_")]
    )
    def test_how_to_serve_and_not_to_serve_is_refused(self, asked: dict[str, bool], word: str) -> None:
        with pytest.raises(RequestInvalidError, match=word):
            plan_after_success(job_request("bedrock", endpoint=PROVISIONED, **asked), NOVA)

    def test_nothing_starts_where_nothing_is_known_or_the_request_fits_no_rule(self) -> None:
        assert starts_by_itself(None, None) is False
        assert starts_by_itself(job_request("bedrock"), "amazon.titan-text-lite-v1") is False
        assert starts_by_itself(job_request("nobody"), None) is False

    def test_a_field_is_named_as_the_manifest_has_it(self) -> None:
        request = job_request("bedrock", endpoint=EndpointRequest(kind="provisioned", model_units=1))
        with pytest.raises(RequestInvalidError, match=r"'endpoint\.ttl_hours' is missing"):
            plan_after_success(request, NOVA)


def test_a_hosted_model_is_called_by_its_own_name() -> None:
    call = hosted_call("ft:gpt-4.1-mini:acme::x")

    assert (call.model_id, call.litellm_model) == ("ft:gpt-4.1-mini:acme::x", "openai/ft:gpt-4.1-mini:acme::x")
