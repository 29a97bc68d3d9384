"""The page on the API: every route is called, and every call and its answer are those of the OpenAPI document."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import jsonschema_rs
import msgspec
import pytest

from infra.api import BURST, RATE, ROUTES, WEBHOOK, WEBHOOK_BURST, WEBHOOK_RATE
from infra.gateway_problems import GATEWAY_PROBLEMS
from local.deployment import StackOutputs
from tests.docs.pages import DOCS, code_blocks
from tunedrop.http.problem_types import PROBLEM_TYPES
from tunedrop.http.request_body import MAX_BODY_BYTES

PAGE = DOCS / "api.md"
DOCUMENT: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text())
API = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev"
UPLOAD = "https://inbox.s3.us-east-1.amazonaws.com/signed"
PLACEHOLDERS = {"<ApiUrl>": API, "<InboxBucket>": "inbox", "<url>": UPLOAD, "<next_token>": "eyJvZiI"}
TOKEN = "of-a-session"
LEFT_OUT = "…"
_FLAGS = {"--silent", "--include"}
_OPTIONS = {"--aws-sigv4", "--user", "--header", "--request", "--json", "--upload-file"}
_RECORD, _WORD = "\x1e", "\x1f"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A curl command of the page, as the shell hands it to curl, and the answer that is shown under it."""

    command: str
    method: str
    url: str
    signature: str | None
    user: str | None
    headers: Mapping[str, str]
    body: Any
    status: int
    answer_headers: Mapping[str, str]
    answer: Any

    @property
    def path(self) -> str:
        """Behind the stage."""
        return urlsplit(self.url).path.removeprefix("/dev")

    @property
    def route(self) -> str | None:
        """The document's path; None where it has none."""
        patterns = {path: re.sub(r"\{job_id\}", "[a-z2-7]{26}", path) for path in DOCUMENT["paths"]}
        return next((path for path, pattern in patterns.items() if re.fullmatch(pattern, self.path)), None)

    @property
    def operation(self) -> dict[str, Any]:
        assert self.route, f"{self.path} is no route"
        operation: dict[str, Any] = DOCUMENT["paths"][self.route][self.method.lower()]
        return operation

    @property
    def job_id(self) -> str | None:
        found = re.search(r"/jobs/([a-z2-7]{26})", self.path)
        return found[1] if found else None


@cache
def calls() -> tuple[Call, ...]:
    """In the order of the page. One shell reads them all, so that what is set up once is there for the rest."""
    script, answers = [f"curl() {{ printf '{_WORD}%s' \"$@\"; printf '{_RECORD}'; }}"], []
    for block in code_blocks(PAGE, "console"):
        for command, *shown in (part.splitlines() for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]):
            script.append(re.sub(r"<\w+>", lambda found: PLACEHOLDERS[found[0]], command))
            if command.startswith("curl "):
                answers.append((command, shown))
            else:
                assert not shown, command
    credentials = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": TOKEN}
    done = subprocess.run(
        ["bash", "-euc", "\n".join(script)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **credentials},
    )
    commands = done.stdout.split(_RECORD)[:-1]
    return tuple(
        _call(command, words.split(_WORD)[1:], shown) for words, (command, shown) in zip(commands, answers, strict=True)
    )


def _call(command: str, words: list[str], shown: list[str]) -> Call:
    given: dict[str, list[str]] = {}
    urls = []
    rest = iter(words)
    for word in rest:
        if word in _OPTIONS:
            given.setdefault(word, []).append(next(rest))
        elif word not in _FLAGS:
            assert not word.startswith("-"), f"{command}: {word} is not known here"
            urls.append(word)
    [url] = urls
    usual = "POST" if "--json" in given else "PUT" if "--upload-file" in given else "GET"
    status, *lines = shown
    headers = [line for line in lines if re.match(r"[A-Za-z-]+: ", line)]
    body = "\n".join(lines[len(headers) :])
    [method] = given.get("--request", [usual])
    return Call(
        command=command,
        method=method,
        url=url,
        signature=given.get("--aws-sigv4", [None])[0],
        user=given.get("--user", [None])[0],
        headers=dict(each.split(": ", 1) for each in given.get("--header", [])),
        body=json.loads(given["--json"][0]) if "--json" in given else None,
        status=int(status.split()[1]),
        answer_headers=dict(line.split(": ", 1) for line in headers),
        answer=json.loads(body) if body else None,
    )


def _of_the_document() -> list[Any]:
    found = [each for each in calls() if each.url.startswith(API) and each.path != WEBHOOK]
    return [pytest.param(each, id=f"{number}:{each.method} {each.path}") for number, each in enumerate(found)]


def _strict(schema: Any) -> Any:
    """The schema without room for what it does not name, except for what the page says that it left out."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        strict["properties"] |= {LEFT_OUT: {"const": LEFT_OUT}}
        strict["additionalProperties"] = False
        required = strict.pop("required", [])
        strict["anyOf"] = [{"required": required}, {"required": [LEFT_OUT]}]
    if schema.get("type") == "array":
        strict["items"] = {"anyOf": [strict["items"], {"const": LEFT_OUT}]}
    return strict


def _validator(schema: Any, *, strict: bool) -> jsonschema_rs.Draft202012Validator:
    components = DOCUMENT["components"]["schemas"]
    schemas = {name: _strict(each) for name, each in components.items()} if strict else components
    whole = {**(_strict(schema) if strict else schema), "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _faults(schema: Any, value: Any, *, strict: bool) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in _validator(schema, strict=strict).iter_errors(value)]


def test_every_route_is_called_and_nothing_else() -> None:
    called = {(each.route or each.path, each.method) for each in calls() if each.url.startswith(API)}
    routes = {(path, method.upper()) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert called == routes | {(WEBHOOK, "POST")}


@pytest.mark.parametrize("call", _of_the_document())
def test_parameters_are_the_routes_own_and_in_the_order_that_is_signed(call: Call) -> None:
    known = {(each["in"], each["name"]): each["schema"] for each in call.operation.get("parameters", [])}
    query = parse_qsl(urlsplit(call.url).query, keep_blank_values=True, strict_parsing="?" in call.url)
    assert [name for name, _ in query] == sorted({name for name, _ in query})
    sent = {("query", name): _typed(value) for name, value in query}
    sent |= {("header", name): value for name, value in call.headers.items() if name != "x-amz-security-token"}
    for parameter, value in sent.items():
        assert parameter in known, f"{call.command}: {parameter} is not known"
        assert _faults(known[parameter], value, strict=False) == []


def _typed(value: str) -> Any:
    """A value of a query as its schema has it."""
    return json.loads(value) if re.fullmatch(r"\d+|true|false", value) else value


@pytest.mark.parametrize("call", _of_the_document())
def test_bodies_are_what_the_route_takes_except_for_the_one_that_is_refused(call: Call) -> None:
    if call.body is None:
        assert not call.operation.get("requestBody", {}).get("required")
        return
    schema = call.operation["requestBody"]["content"]["application/json"]["schema"]
    assert bool(_faults(schema, call.body, strict=False)) == (call.status == 422)


@pytest.mark.parametrize("call", _of_the_document())
def test_answers_are_those_of_the_document(call: Call) -> None:
    answer = call.operation["responses"][str(call.status)]
    [content] = answer["content"].values()
    assert _faults(content["schema"], call.answer, strict=True) == []
    assert call.answer_headers.keys() <= answer.get("headers", {}).keys()


@pytest.mark.parametrize("call", [call for call in calls() if call.status >= 400], ids=lambda call: call.command)
def test_problems_have_the_words_that_are_answered(call: Call) -> None:
    ours = {code: (kind.status, kind.title) for code, kind in PROBLEM_TYPES.items()}
    gateways = {problem.code: (problem.status, problem.title) for problem in GATEWAY_PROBLEMS}
    assert (call.answer["status"], call.answer["title"]) == (ours | gateways)[call.answer["code"]]
    assert call.answer["status"] == call.status
    assert _faults({"$ref": "#/components/schemas/Problem"}, call.answer, strict=True) == []


def test_all_calls_are_signed_but_the_one_that_is_refused_for_it_and_the_webhook() -> None:
    unsigned = [call for call in calls() if call.signature is None]
    assert [(call.path, call.status) for call in unsigned if call.url.startswith(API)] == [
        (WEBHOOK, 400),
        ("/v1/jobs", 403),
    ]
    for call in calls():
        if call not in unsigned:
            assert (call.signature, call.user) == ("aws:amz:us-east-1:execute-api", "id:key")
            assert call.headers["x-amz-security-token"] == TOKEN


def test_it_tells_one_story() -> None:
    """A job that is asked for was made further up, and an answer is about the job that was asked for."""
    made: set[str] = set()
    for call in (parameter.values[0] for parameter in _of_the_document()):
        assert call.job_id in {None, *made}, call.command
        if "Location" in call.answer_headers:
            assert urljoin(call.url, call.answer_headers["Location"]) == f"{API}/v1/jobs/{call.answer['job_id']}"
        if call.status == 202 and (call.path == "/v1/jobs" or call.path.endswith("/retry")):
            made.add(call.answer["job_id"])
            assert call.answer.get("retry_of") == call.job_id
        elif call.job_id:
            assert call.answer.get("job_id", call.job_id) == call.job_id
    listed = [
        job["job_id"]
        for call in calls()
        if call.method == "GET" and call.path == "/v1/jobs"
        for job in (call.answer or {}).get("jobs", [])
    ]
    assert set(listed) == made
    assert len(made) == 3


def test_the_file_goes_where_the_answer_says() -> None:
    [put] = [call for call in calls() if not call.url.startswith(API)]
    [created] = [call for call in calls() if (call.body or {}).get("upload")]
    upload = created.answer["uploads"]["training_file"]
    assert (put.url, put.method, put.headers, put.signature) == (UPLOAD, upload["method"], upload["headers"], None)
    key = created.answer["training_file"].removeprefix("s3://<InboxBucket>/")
    assert upload["url"].startswith(f"https://<InboxBucket>.s3.us-east-1.amazonaws.com/{key}?")


@pytest.mark.parametrize("kind", ["ValidationView", "JobView", "EndpointView", "Problem"])
def test_one_answer_of_each_kind_is_shown_whole(kind: str) -> None:
    fields = set(DOCUMENT["components"]["schemas"][kind]["required"])
    assert any(fields <= call.answer.keys() for call in calls() if call.answer)


def test_what_it_leaves_to_the_reader_are_outputs_of_the_stack() -> None:
    outputs = {field.encode_name for field in msgspec.structs.fields(StackOutputs)}
    assert {"ApiUrl", "InboxBucket"} <= set(re.findall(r"<([A-Z]\w+)>", PAGE.read_text())) <= outputs


def test_nothing_of_the_machine_where_it_ran_and_no_signature_is_on_it() -> None:
    assert not re.search(r"127\.0\.0\.1|localhost|X-Amz-(Signature|Credential|Security)", PAGE.read_text())


def test_the_limits_are_those_of_the_api() -> None:
    text = " ".join(PAGE.read_text().split())
    assert f"{RATE} requests a second and {BURST} at once; the webhook {WEBHOOK_RATE} and {WEBHOOK_BURST}." in text
    assert f"at most {MAX_BODY_BYTES // 1024} KiB" in text
    [limit] = [each["schema"] for each in DOCUMENT["paths"]["/v1/jobs"]["get"]["parameters"] if each["name"] == "limit"]
    assert f"`limit`, {limit['minimum']} to {limit['maximum']} and {limit['default']} unless given" in text
    hours = DOCUMENT["components"]["schemas"]["EndpointStart"]["properties"]["ttl_hours"]["anyOf"][0]["maximum"]
    assert f"needs `ttl_hours`, at most {hours}" in text


def test_the_policy_allows_what_is_said_of_it() -> None:
    [block] = code_blocks(PAGE, "json")
    [statement] = json.loads(block.text)["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    prefix = f"arn:aws:execute-api:us-east-1:111122223333:{urlsplit(API).netloc.partition('.')[0]}/dev/"
    allowed = [_allowed(resource.removeprefix(prefix)) for resource in statement["Resource"]]
    assert all(allowed)
    everything = {f"GET{path}" for path, methods in ROUTES.items() if "GET" in methods}
    assert set().union(*allowed) == everything | {"POST/v1/jobs", "POST/v1/jobs/{job_id}/cancel"}


def _allowed(pattern: str) -> set[str]:
    """The routes behind a resource's pattern, in which `*` stands for any characters, slashes too."""
    routes = [f"{method}{path}" for path, methods in ROUTES.items() for method in methods]
    return {route for route in routes if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), route)}
