"""Every error is a problem detail: of a stable type, with the way out, and with nothing of the inside."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from tests.api.account import Account
from tests.api.gateway import REQUEST_ID
from tests.api.states import state
from tunedrop import wiring
from tunedrop.domain.data_problems import Problem, ProblemCode
from tunedrop.domain.errors import (
    CostLimitError,
    CredentialsError,
    DatasetInvalidError,
    ProviderRejectedError,
    ProviderThrottledError,
    SettingsMissingError,
    StoreConflictError,
    StoreUnavailableError,
)

REQUEST = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "s3://datasets/train.jsonl"}
JOB = "a" * 26


def problem_in(answer: TestResponse) -> dict[str, Any]:
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = msgspec.json.decode(answer.data)
    assert problem["status"] == answer.status_code
    assert problem["type"] == "urn:problem-type:tunedrop:" + problem["code"].replace("_", "-")
    assert problem["request_id"] == REQUEST_ID
    assert problem["instance"].startswith("/prod/v1")
    return problem


def post(http: Client, body: Any) -> dict[str, Any]:
    return problem_in(http.post("/v1/jobs", json=body))


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [b"{", b"\xff\xfe{}", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000, b'{"a": 1} {"b": 2}', b"'a'"],
        ids=["cut", "no UTF-8", "NaN", "lone surrogate", "deep", "two", "quotes"],
    )
    def test_a_body_that_is_no_json(self, body: bytes, http: Client) -> None:
        problem = problem_in(http.post("/v1/jobs", data=body, content_type="application/json"))
        assert (problem["status"], problem["code"]) == (400, "body_not_json")

    @pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'[{"provider": "openai"}]'])
    def test_a_body_that_is_no_object(self, body: bytes, http: Client) -> None:
        problem = problem_in(http.post("/v1/jobs", data=body, content_type="application/json"))
        assert (problem["status"], problem["code"]) == (422, "request_invalid")
        assert "one JSON object" in problem["detail"]

    def test_no_body(self, http: Client) -> None:
        problem = problem_in(http.post("/v1/jobs"))
        assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "")

    def test_a_body_that_is_too_large(self, http: Client) -> None:
        problem = post(http, {**REQUEST, "job_name": "x" * 256 * 1024})
        assert (problem["status"], problem["code"]) == (413, "body_too_large")
        assert "upload: true" in problem["detail"]

    def test_the_largest_body_is_taken(self, http: Client) -> None:
        content = msgspec.json.encode(REQUEST)
        padded = content + b" " * (256 * 1024 - len(content))
        assert http.post("/v1/jobs", data=padded, content_type="application/json").status_code == 202
        assert http.post("/v1/jobs", data=padded + b" ", content_type="application/json").status_code == 413

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_a_body_of_another_type(self, kind: str, http: Client) -> None:
        problem = problem_in(http.post("/v1/jobs", data=msgspec.json.encode(REQUEST), content_type=kind))
        assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")

    def test_a_body_where_none_is_needed_is_left_unread(self, http: Client, aws: Account) -> None:
        job_id = aws.hold(*state("training", of="body"))
        assert http.post(f"/v1/jobs/{job_id}/cancel", data=b"\xff", content_type="text/plain").status_code == 202


class TestRequests:
    @pytest.mark.parametrize(
        ("change", "pointer", "words"),
        [
            ({"modle": "x"}, "/modle", "Did you mean 'model'?"),
            ({"uplaod": True}, "/uplaod", "Did you mean 'upload'?"),
            ({"model": 3}, "/model", "str"),
            ({"api_key": "x"}, "/api_key", "Secrets Manager"),
            ({"provider": "azure"}, "/provider", "'openai', 'bedrock' or 'databricks'"),
            ({"deadline_hours": 400}, "/deadline_hours", "at most 336"),
            ({"max_cost_usd": 0}, "/max_cost_usd", "more than 0"),
            ({"max_cost_usd": True}, "/max_cost_usd", "bool"),
            ({"credentials": "Default!"}, "/credentials", "a-z, 0-9 and '-'"),
            ({"hyperparameters": {"n/a~b": [1]}}, "/hyperparameters/n~1a~0b", "hyperparameters"),
            ({"endpoint": {"ttl_hours": 1000}}, "/endpoint/ttl_hours", "720"),
            ({"endpoint": {"knid": "x"}}, "/endpoint/knid", "Did you mean 'kind'?"),
            ({"upload": "yes"}, "/upload", "boolean"),
            ({"job_name": ""}, "/job_name", "1 to 63"),
        ],
    )
    def test_a_field_is_named_by_its_pointer_and_in_words(
        self, change: dict[str, Any], pointer: str, words: str, http: Client
    ) -> None:
        problem = post(http, {**REQUEST, **change})
        assert (problem["status"], problem["code"]) == (422, "request_invalid")
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
        assert words in problem["detail"], problem["detail"]

    def test_everything_that_is_wrong_is_named_at_once(self, http: Client) -> None:
        problem = post(http, {"provider": "openai", "modle": 1, "endpoint": {"kind": "big"}})
        assert {fault["pointer"] for fault in problem["errors"]} == {
            "/model",
            "/training_file",
            "/modle",
            "/endpoint/kind",
        }

    def test_what_only_a_manifests_rules_know(self, http: Client) -> None:
        assert "gpt-4.1-mini" in post(http, {**REQUEST, "model": "gpt-41-mini"})["detail"]
        assert "readable_buckets" in post(http, {**REQUEST, "training_file": "s3://else/train.jsonl"})["detail"]

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=5.0", "limit"),
            ("limit=1&limit=2", "limit"),
            ("limit=", "limit"),
            ("status=done", "status"),
            ("provider=azure", "provider"),
        ],
    )
    def test_a_parameter_is_named(self, query: str, parameter: str, http: Client) -> None:
        problem = problem_in(http.get(f"/v1/jobs?{query}"))
        assert (problem["status"], problem["code"]) == (422, "request_invalid")
        assert [fault["parameter"] for fault in problem["errors"]] == [parameter]
        assert parameter in problem["detail"]

    @pytest.mark.parametrize("value", ["yes", "1", "TRUE", ""])
    def test_a_flag_is_true_or_false(self, value: str, http: Client) -> None:
        assert problem_in(http.get(f"/v1/jobs/{JOB}?refresh={value}"))["status"] == 422

    @pytest.mark.parametrize("token", ["", "x", "!!!", "bnVsbA", "e30", "eyJvZiI6W10sImF0IjozfQ", "A" * 1001, "ü"])
    def test_a_token_of_another_origin(self, token: str, http: Client) -> None:
        problem = problem_in(http.get("/v1/jobs", query_string={"next_token": token}))
        assert (problem["status"], problem["code"]) in {(400, "page_token_invalid"), (422, "request_invalid")}
        assert "next_token" in problem["detail"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
    def test_a_key_that_is_no_key(self, key: str, http: Client) -> None:
        problem = problem_in(http.post("/v1/jobs", json=REQUEST, headers={"idempotency-key": key}))
        assert problem["status"] == 422
        assert [fault["header"].lower() for fault in problem["errors"]] == ["idempotency-key"]


class TestRoutes:
    @pytest.mark.parametrize("path", ["/v1", "/v1/job", "/v1/jobs/a/b", f"/v1/jobs/{JOB}/endpoint/start/now"])
    def test_a_path_that_is_none(self, path: str, http: Client) -> None:
        problem = problem_in(http.get(path))
        assert (problem["status"], problem["code"]) == (404, "route_not_found")

    def test_a_method_that_is_not_taken(self, http: Client) -> None:
        answer = http.delete("/v1/jobs")
        problem = problem_in(answer)
        assert (problem["status"], problem["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, POST"
        assert http.get(f"/v1/jobs/{JOB}/model").headers["Allow"] == "DELETE"

    @pytest.mark.parametrize("job_id", ["x", "A" * 26, "a" * 27, "a" * 3000, "%00", "..", "a%0A"])
    def test_an_id_that_can_be_none(self, job_id: str, http: Client) -> None:
        problem = problem_in(http.get(f"/v1/jobs/{job_id}"))
        assert (problem["status"], problem["code"]) in {(404, "job_not_found"), (404, "route_not_found")}
        assert len(problem["detail"]) < 400


def raising(error: Exception) -> Callable[[], Any]:
    def use_case(*_: Any, **__: Any) -> Any:
        raise error

    return lambda: use_case


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "status", "retry_after"),
        [
            (StoreUnavailableError("DynamoDB did not answer"), 503, "5"),
            (StoreConflictError("changed by others"), 503, "5"),
            (ProviderThrottledError("slow down", retry_after=17.4), 503, "17"),
            (ProviderThrottledError("slow down"), 503, "5"),
            (ProviderRejectedError("no such model", provider_code="404"), 502, None),
            (CredentialsError("the secret is missing"), 409, None),
            (SettingsMissingError("set the role"), 409, None),
            (CostLimitError("too dear"), 422, None),
        ],
    )
    def test_our_errors_by_their_code(
        self, error: Any, status: int, retry_after: str | None, http: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wiring, "show_job", raising(error))
        answer = http.get(f"/v1/jobs/{JOB}")
        problem = problem_in(answer)
        assert (problem["status"], problem["code"], problem["detail"]) == (status, error.code, str(error))
        assert answer.headers.get("Retry-After") == retry_after
        assert problem["job_id"] == JOB

    def test_problems_in_data_are_listed_with_their_lines(self, http: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = Problem(code=ProblemCode.JSON_INVALID, message="not JSON", file="train.jsonl", line=3)
        monkeypatch.setattr(wiring, "create_job", raising(DatasetInvalidError("bad rows", problems=[wrong])))
        problem = post(http, REQUEST)
        assert problem["code"] == "dataset_invalid"
        assert problem["errors"] == [{"pointer": "/training_file", "detail": "train.jsonl:3: not JSON"}]

    def test_a_very_long_message_is_cut(self, http: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wiring, "show_job", raising(ProviderRejectedError("x" * 100_000)))
        assert len(problem_in(http.get(f"/v1/jobs/{JOB}"))["detail"]) == 4_000

    def test_what_is_not_ours_is_logged_and_not_told(
        self, http: Client, monkeypatch: pytest.MonkeyPatch, function_log: io.StringIO
    ) -> None:
        monkeypatch.setattr(wiring, "show_job", raising(KeyError("the-inside")))
        answer = http.get(f"/v1/jobs/{JOB}")
        problem = problem_in(answer)
        assert (problem["status"], problem["code"]) == (500, "internal")
        assert "the-inside" not in answer.text
        assert "KeyError" not in answer.text
        logged = [msgspec.json.decode(line) for line in function_log.getvalue().splitlines()]
        (line,) = [line for line in logged if line["level"] == "ERROR"]
        assert line["job_id"] == JOB
        assert line["correlation_id"] == REQUEST_ID
        assert "the-inside" in line["exception"]
        assert "raise error" in line["exception"]

    def test_an_answer_outside_its_model_is_our_defect(self, http: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tunedrop.http.endpoint_routes.EndpointView.of", lambda *_: {"status": "nonsense"})
        monkeypatch.setattr(wiring, "stop_endpoint", lambda: lambda _: state("endpoint stopped")[1])
        problem = problem_in(http.post(f"/v1/jobs/{JOB}/endpoint/stop"))
        assert (problem["status"], problem["code"]) == (500, "internal")
