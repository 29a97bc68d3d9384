"""A REST API as the stack has it: explicit routes, signed calls, raw bodies, throttling, errors of its own words."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.api_client import ApiClient, Reply, embedded_url
from local.emulator.process import EmbeddedAws

from .conftest import Deploy, name

ECHOING = """
    import base64, hashlib, json
    def handler(event, context):
        body = event["body"] or ""
        if body == "raise": raise RuntimeError("a secret of the function")
        if body == "nonsense": return ["no", "response"]
        if body == "numbers": return {"statusCode": "two hundred"}
        raw = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
        said = {
            "route": event["httpMethod"] + " " + event["resource"],
            "path": event["path"],
            "parameters": event["pathParameters"],
            "query": event["multiValueQueryStringParameters"],
            "sha256": hashlib.sha256(raw).hexdigest(),
            "header": event["headers"].get("webhook-signature"),
            "request_id": event["requestContext"]["requestId"],
            "stage": event["requestContext"]["stage"],
        }
        return {"statusCode": 202, "body": json.dumps(said), "headers": {
            "Content-Type": "application/json", "Location": "/v1/jobs/abc", "Retry-After": "15"}}
    """
PROBLEM = '{"type": "about:blank", "title": $context.error.messageString, "request_id": "$context.requestId"}'
ROUTES = {
    "jobs": {"GET": "AWS_IAM", "POST": "AWS_IAM"},
    "jobs/{job_id}": {"GET": "AWS_IAM"},
    "jobs/{job_id}/cancel": {"POST": "AWS_IAM"},
    "webhook": {"POST": "NONE"},
    "slow": {"GET": "NONE"},
}


Call = Callable[..., Reply]


@pytest.fixture(scope="module")
def make_api(aws: EmbeddedAws, deploy: Deploy) -> Iterator[Callable[..., Call]]:
    """Makes an API of its own, of which DEFAULT_5XX may set more; returns what calls it."""
    client, function = aws.client("apigateway"), deploy(ECHOING)
    apis = []

    def make(**default_5xx: str) -> Call:
        api = client.create_rest_api(name=name())["id"]
        apis.append(api)
        build(client, api, function, default_5xx)
        return ApiClient(embedded_url(aws.url, f"https://{api}.execute-api.us-east-1.amazonaws.com/dev")).call

    yield make
    for api in apis:
        client.delete_rest_api(restApiId=api)


@pytest.fixture(scope="module")
def call(make_api: Callable[..., Call]) -> Call:
    """Calls an API, signed unless told otherwise."""
    return make_api()


def build(client: Any, api: str, function: str, default_5xx: dict[str, str]) -> None:
    """The routes, the gateway's own errors as problem+json, a limit on one route, and the stage."""
    ids = {"": client.get_resources(restApiId=api)["items"][0]["id"]}
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    for path, methods in ROUTES.items():
        parent, _, part = path.rpartition("/")
        ids[path] = client.create_resource(restApiId=api, parentId=ids[parent], pathPart=part)["id"]
        for method, authorization in methods.items():
            place = {"restApiId": api, "resourceId": ids[path], "httpMethod": method}
            client.put_method(**place, authorizationType=authorization)
            client.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    for kind, more in {"DEFAULT_4XX": {}, "DEFAULT_5XX": default_5xx}.items():
        client.put_gateway_response(
            restApiId=api,
            responseType=kind,
            responseTemplates={"application/json": PROBLEM},
            responseParameters={"gatewayresponse.header.Content-Type": "'application/problem+json'"},
            **more,
        )
    client.create_deployment(restApiId=api, stageName="dev")
    settings = {"/~1slow/GET/throttling/rateLimit": "1", "/~1slow/GET/throttling/burstLimit": "2"}
    client.update_stage(
        restApiId=api,
        stageName="dev",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in settings.items()],
    )


def assert_problem(reply: Reply, status: int, title: str) -> None:
    """The gateway's own answer, in the form that the stage asks for."""
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert reply.document["title"] == title
    assert reply.document["request_id"] == reply.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/jobs", "GET /jobs"),
        ("POST", "/jobs", "POST /jobs"),
        ("GET", "/jobs/abc", "GET /jobs/{job_id}"),
        ("POST", "/jobs/abc/cancel", "POST /jobs/{job_id}/cancel"),
    ],
)
def test_a_signed_call_reaches_its_route(method: str, path: str, route: str, call: Call) -> None:
    reply = call(method, path + "?status=failed&status=done&limit=2")
    assert reply.status == 202
    assert (reply.document["route"], reply.document["path"], reply.document["stage"]) == (route, path, "dev")
    assert reply.document["parameters"] == ({"job_id": "abc"} if "{" in route else None)
    assert reply.document["query"] == {"status": ["failed", "done"], "limit": ["2"]}
    assert (reply.headers["Location"], reply.headers["Retry-After"]) == ("/v1/jobs/abc", "15")


@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs"), ("POST", "/jobs/abc/cancel")])
def test_a_call_without_a_signature_is_refused_before_the_function(method: str, path: str, call: Call) -> None:
    assert_problem(call(method, path, signed=False), 403, "Missing Authentication Token")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/jobs"), ("GET", "/jobs/abc/cancel")])
def test_what_is_no_route_is_refused_by_the_gateway(method: str, path: str, call: Call) -> None:
    assert_problem(call(method, path), 403, "Missing Authentication Token")


@pytest.mark.parametrize(
    "body",
    [b'{"a":  1,\n "b": "\\u00e9 \xc3\xa9"}\r\n', b"{}", b" leading and trailing \t\n", "\N{SNOWMAN}".encode()],
    ids=["spaces", "empty", "edges", "unicode"],
)
def test_the_function_gets_the_body_of_an_open_route_to_the_byte(body: bytes, call: Call) -> None:
    reply = call("POST", "/webhook", body, signed=False, headers={"webhook-signature": "v1,abc= v1,def="})
    assert reply.document["sha256"] == hashlib.sha256(body).hexdigest()
    assert reply.document["header"] == "v1,abc= v1,def="


@pytest.mark.parametrize("what", [b"raise", b"nonsense", b"numbers"])
def test_a_function_that_fails_or_gives_no_response_is_a_bad_gateway_and_its_error_stays_inside(
    what: bytes, call: Call
) -> None:
    reply = call("POST", "/webhook", what, signed=False)
    assert_problem(reply, 502, "Internal server error")
    assert b"secret" not in reply.body


def test_a_status_that_the_stage_sets_for_it_wins(make_api: Callable[..., Call]) -> None:
    assert_problem(make_api(statusCode="500")("POST", "/webhook", b"raise"), 500, "Internal server error")


def test_calls_above_the_limit_of_their_route_are_throttled(call: Call) -> None:
    call("GET", "/slow", signed=False)
    time.sleep(2)  # the bucket is full again, and the function warm
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: call("GET", "/slow", signed=False), range(10)))
    statuses = Counter(reply.status for reply in replies)
    assert set(statuses) == {202, 429}
    assert 2 <= statuses[202] <= 5
    assert_problem(next(reply for reply in replies if reply.status == 429), 429, "Too Many Requests")
