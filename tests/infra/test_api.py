"""The API's routes, who may call them, how often, and what is logged of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.api import ROUTES, WEBHOOK
from tests.infra.templates import PROJECT, Synthesis, as_list

EXPECTED_ROUTES = {
    ("POST", "/v1/jobs"): "api",
    ("GET", "/v1/jobs"): "api",
    ("GET", "/v1/jobs/{job_id}"): "api",
    ("GET", "/v1/jobs/{job_id}/events"): "api",
    ("POST", "/v1/jobs/{job_id}/cancel"): "api",
    ("POST", "/v1/jobs/{job_id}/retry"): "api",
    ("GET", "/v1/jobs/{job_id}/endpoint"): "api",
    ("POST", "/v1/jobs/{job_id}/endpoint/start"): "api",
    ("POST", "/v1/jobs/{job_id}/endpoint/stop"): "api",
    ("DELETE", "/v1/jobs/{job_id}/model"): "api",
    ("GET", "/v1/openapi.json"): "api",
    ("POST", "/v1/webhooks/openai"): "webhook",
}


def path_of(synthesis: Synthesis, resource: dict[str, Any]) -> str:
    resources = synthesis.resources("AWS::ApiGateway::Resource")
    if "Ref" not in resource:
        return ""
    properties = resources[resource["Ref"]]["Properties"]
    return f"{path_of(synthesis, properties['ParentId'])}/{properties['PathPart']}"


def methods(synthesis: Synthesis) -> dict[tuple[str, str], dict[str, Any]]:
    """The properties of each method, by verb and path."""
    return {
        (each["Properties"]["HttpMethod"], path_of(synthesis, each["Properties"]["ResourceId"])): each["Properties"]
        for each in synthesis.resources("AWS::ApiGateway::Method").values()
    }


def stage(synthesis: Synthesis) -> dict[str, Any]:
    (found,) = synthesis.resources("AWS::ApiGateway::Stage").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def function_ids(value: Any, synthesis: Synthesis) -> Iterator[str]:
    """The functions that a value of the template refers to."""
    if isinstance(value, dict):
        if "Fn::GetAtt" in value and value["Fn::GetAtt"][0] in synthesis.resources("AWS::Lambda::Function"):
            yield value["Fn::GetAtt"][0]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from function_ids(each, synthesis)


def test_each_route_is_a_method_of_its_own_and_goes_to_its_function(aws: Synthesis) -> None:
    functions = aws.resources("AWS::Lambda::Function")
    found = {}
    for route, method in methods(aws).items():
        integration = method["Integration"]
        assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS_PROXY", "POST"), route
        assert integration["TimeoutInMillis"] == 29_000, route
        (function,) = function_ids(integration["Uri"], aws)
        found[route] = functions[function]["Properties"]["Handler"].removesuffix(".handler")
    assert found == EXPECTED_ROUTES


def test_no_resource_is_there_for_nothing_and_none_takes_every_path(aws: Synthesis) -> None:
    resources = aws.resources("AWS::ApiGateway::Resource")
    paths = {path_of(aws, {"Ref": name}) for name in resources}
    used = {path[: len(each)] for _, path in EXPECTED_ROUTES for each in paths if f"{path}/".startswith(f"{each}/")}
    assert paths == used
    assert not [path for path in paths if "+" in path]


def test_the_routes_are_those_of_the_openapi_document() -> None:
    """The webhook is for OpenAI to call, and not in the document of what callers may use."""
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text())
    described = {
        (verb.upper(), path)
        for path, item in document["paths"].items()
        for verb in item.keys() & {"get", "put", "post", "delete", "patch", "head", "options"}
    }
    assert described == {(verb, path) for path, verbs in ROUTES.items() for verb in verbs}


def test_iam_authorizes_every_route_but_the_webhook(aws: Synthesis) -> None:
    assert {route: method["AuthorizationType"] for route, method in methods(aws).items()} == {
        route: "NONE" if route == ("POST", WEBHOOK) else "AWS_IAM" for route in EXPECTED_ROUTES
    }


def test_no_method_asks_for_an_api_key_or_an_authorizer_instead(aws: Synthesis) -> None:
    for method in methods(aws).values():
        assert not method.get("ApiKeyRequired")
        assert "AuthorizerId" not in method


def test_only_this_api_may_invoke_the_two_functions_from_outside(aws: Synthesis) -> None:
    (api,) = aws.resources("AWS::ApiGateway::RestApi")
    permissions = [
        each["Properties"]
        for each in aws.resources("AWS::Lambda::Permission").values()
        if each["Properties"]["Principal"] == "apigateway.amazonaws.com"
    ]
    handlers = {
        aws.template["Resources"][function]["Properties"]["Handler"]
        for each in permissions
        for function in function_ids(each["FunctionName"], aws)
    }
    assert handlers == {"api.handler", "webhook.handler"}
    assert len(permissions) == 2
    assert all({"Ref": api} in each["SourceArn"]["Fn::Join"][1] for each in permissions)


def test_the_api_is_regional_and_its_stage_is_named_like_the_stacks(aws: Synthesis, configured: Synthesis) -> None:
    (api,) = aws.resources("AWS::ApiGateway::RestApi").values()
    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert (stage(aws)["StageName"], stage(configured)["StageName"]) == ("dev", "prod")


def test_the_output_is_the_url_up_to_the_stage(aws: Synthesis) -> None:
    (api,) = aws.resources("AWS::ApiGateway::RestApi")
    (deployed,) = aws.resources("AWS::ApiGateway::Stage")
    values = {api: "abc123", deployed: "dev", "AWS::URLSuffix": "amazonaws.com"}
    parts = aws.template["Outputs"]["ApiUrl"]["Value"]["Fn::Join"][1]
    url = "".join(part if isinstance(part, str) else values[part["Ref"]] for part in parts)
    assert url == "https://abc123.execute-api.us-east-1.amazonaws.com/dev"


def settings_of(synthesis: Synthesis, path: str, method: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in stage(synthesis)["MethodSettings"]
        if (each["ResourcePath"], each["HttpMethod"]) == (path, method)
    )
    settings: dict[str, Any] = found
    return settings


def test_every_route_is_throttled_and_the_open_one_the_most(aws: Synthesis) -> None:
    assert len(stage(aws)["MethodSettings"]) == 2
    everything = settings_of(aws, "/*", "*")
    webhook = settings_of(aws, "/~1v1~1webhooks~1openai", "POST")
    assert 0 < everything["ThrottlingRateLimit"] <= everything["ThrottlingBurstLimit"] <= 500
    assert 0 < webhook["ThrottlingRateLimit"] < everything["ThrottlingRateLimit"]
    assert 0 < webhook["ThrottlingBurstLimit"] < everything["ThrottlingBurstLimit"]


def test_every_route_is_measured_and_traced_and_no_body_gets_into_a_log(aws: Synthesis) -> None:
    assert stage(aws)["TracingEnabled"] is True
    for settings in stage(aws)["MethodSettings"]:
        assert settings["MetricsEnabled"] is True
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


def test_the_access_log_is_json_with_who_what_and_how_it_went(aws: Synthesis) -> None:
    setting = stage(aws)["AccessLogSetting"]
    group = aws.resources("AWS::Logs::LogGroup")[setting["DestinationArn"]["Fn::GetAtt"][0]]
    assert group["Properties"]["LogGroupName"] == "/aws/apigateway/tunedrop-dev"
    assert group["Properties"]["RetentionInDays"] == 90
    line = json.loads(setting["Format"])
    assert {"request_id", "caller", "method", "path", "route", "status", "latency_ms"} <= line.keys()
    assert line["request_id"] == "$context.requestId"
    assert line["caller"] == "$context.identity.userArn"


def test_the_access_log_holds_nothing_of_a_request_that_may_be_secret_or_break_the_line(aws: Synthesis) -> None:
    """Values stand between quotes, so that none may bring quotes of its own: messages and what callers may write."""
    values = json.loads(stage(aws)["AccessLogSetting"]["Format"]).values()
    assert all(value.startswith("$context.") for value in values)
    forbidden = ("message", "body", "querystring", "header", "userAgent", "apiKey", "authorizer", "requestOverride")
    assert [value for value in values if any(word.lower() in value.lower() for word in forbidden)] == []


def test_api_gateway_gets_the_role_for_its_logs_before_the_stage_is_made(aws: Synthesis) -> None:
    ((account_id, account),) = aws.resources("AWS::ApiGateway::Account").items()
    (deployed,) = aws.resources("AWS::ApiGateway::Stage").values()
    assert account_id in as_list(deployed["DependsOn"])
    role = aws.resources("AWS::IAM::Role")[account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [each["Principal"] for each in trust] == [{"Service": "apigateway.amazonaws.com"}]
    ((statement,),) = (each["PolicyDocument"]["Statement"] for each in role["Properties"]["Policies"])
    assert {"logs:CreateLogStream", "logs:PutLogEvents"} <= set(statement["Action"])
    assert all(action.startswith("logs:") and "*" not in action for action in statement["Action"])


def test_the_role_for_logs_outlives_the_stack_since_the_accounts_other_apis_share_it(aws: Synthesis) -> None:
    ((_, account),) = aws.resources("AWS::ApiGateway::Account").items()
    role = aws.resources("AWS::IAM::Role")[account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    for each in (account, role):
        assert each["DeletionPolicy"] == each["UpdateReplacePolicy"] == "Retain"


def test_a_change_of_a_route_or_an_answer_is_deployed(aws: Synthesis, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A deployment is a snapshot: it must be made after all that it is to hold."""
    ((_, deployment),) = aws.resources("AWS::ApiGateway::Deployment").items()
    held = {*aws.resources("AWS::ApiGateway::Method"), *aws.resources("AWS::ApiGateway::GatewayResponse")}
    assert held <= set(deployment["DependsOn"])
