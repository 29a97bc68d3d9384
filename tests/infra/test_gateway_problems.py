"""What API Gateway itself refuses has the form of the function's own errors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.gateway_problems import GATEWAY_PROBLEMS, PROBLEM_TYPE_PREFIX
from tests.infra.templates import Synthesis
from tunedrop.http.problem_schemas import Problem
from tunedrop.http.problem_types import PROBLEM_TYPES, TYPE_PREFIX

STATUSES = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
"""Every type there is, with its default status (API Gateway Developer Guide, "Gateway response types"); the two DEFAULT
ones have none."""
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
HOSTILE = 'The "canonical" string\nis: \\x, and $context.path'


def responses(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    found = [each["Properties"] for each in synthesis.resources("AWS::ApiGateway::GatewayResponse").values()]
    assert len({each["ResponseType"] for each in found}) == len(found)
    return {each["ResponseType"]: each for each in found}


def rendered(template: str) -> dict[str, Any]:
    """As API Gateway renders it: `messageString` comes with its quotes, every other variable without."""
    values = {
        "context.error.messageString": json.dumps(HOSTILE),
        "context.requestId": "b7c2f1d4-0000-4000-8000-000000000000",
        "context.path": "/dev/v1/jobs",
    }
    body: dict[str, Any] = json.loads(re.sub(r"\$([a-z][A-Za-z.]*)", lambda found: values[found[1]], template))
    return body


@pytest.fixture(params=STATUSES)
def response(request: pytest.FixtureRequest, aws: Synthesis) -> dict[str, Any]:
    return responses(aws)[request.param]


def test_every_type_there_is_has_its_answer_with_its_usual_status(aws: Synthesis) -> None:
    assert {name: int(each["StatusCode"]) for name, each in responses(aws).items()} == STATUSES


def test_an_answer_is_problem_json_whatever_the_request_accepts(response: dict[str, Any]) -> None:
    """API Gateway always takes the template of application/json, and its type without the header."""
    assert response["ResponseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert response["ResponseTemplates"].keys() == {"application/json"}


def test_an_answer_has_the_members_of_every_problem_and_says_the_way_out(response: dict[str, Any]) -> None:
    body = rendered(response["ResponseTemplates"]["application/json"])
    assert MEMBERS <= body.keys() <= MEMBERS | {"reason"}
    assert body["status"] == int(response["StatusCode"])
    assert body["type"] == PROBLEM_TYPE_PREFIX + body["code"].replace("_", "-")
    assert body["request_id"] == "b7c2f1d4-0000-4000-8000-000000000000"
    assert body["instance"] == "/dev/v1/jobs"
    assert len(body["detail"]) > 40
    assert body["detail"].endswith(".")
    assert Problem.model_validate(body, extra="forbid")


@pytest.mark.parametrize("name", ["ACCESS_DENIED", "INVALID_SIGNATURE", "DEFAULT_4XX", "BAD_REQUEST_PARAMETERS"])
def test_the_gateways_own_words_are_passed_on_with_whatever_is_in_them(aws: Synthesis, name: str) -> None:
    assert rendered(responses(aws)[name]["ResponseTemplates"]["application/json"])["reason"] == HOSTILE


def test_what_may_pass_says_when_to_come_again(aws: Synthesis) -> None:
    waiting = {
        name: int(each["ResponseParameters"]["gatewayresponse.header.Retry-After"].strip("'"))
        for name, each in responses(aws).items()
        if "gatewayresponse.header.Retry-After" in each["ResponseParameters"]
    }
    assert waiting.keys() == {"THROTTLED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_5XX"}
    assert all(1 <= seconds <= 30 for seconds in waiting.values())


def test_a_header_that_is_a_text_stands_in_single_quotes(response: dict[str, Any]) -> None:
    """Without them API Gateway takes it for the name of something to copy, and refuses the deployment."""
    for value in response["ResponseParameters"].values():
        assert re.fullmatch(r"'[^']+'", value)


def test_a_request_that_is_not_signed_is_told_how_to_sign_and_that_the_route_may_be_wrong(aws: Synthesis) -> None:
    detail = rendered(responses(aws)["MISSING_AUTHENTICATION_TOKEN"]["ResponseTemplates"]["application/json"])["detail"]
    assert "Signature Version 4" in detail
    assert "openapi.json" in detail


def test_a_code_that_the_function_uses_too_means_the_same_there() -> None:
    assert PROBLEM_TYPE_PREFIX == TYPE_PREFIX
    shared = {each.code: each for each in GATEWAY_PROBLEMS if each.code in PROBLEM_TYPES}
    assert {"route_not_found", "body_too_large", "unsupported_media_type", "internal"} <= shared.keys()
    for code, problem in shared.items():
        assert (problem.status, problem.title) == (PROBLEM_TYPES[code].status, PROBLEM_TYPES[code].title), code


def test_a_title_is_the_same_for_every_problem_of_a_type() -> None:
    titles: dict[str, set[str]] = {}
    for problem in GATEWAY_PROBLEMS:
        titles.setdefault(problem.code, set()).add(problem.title)
    assert [code for code, each in titles.items() if len(each) > 1] == []
