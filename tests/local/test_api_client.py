"""Where the API of a stack on this machine is, and what its caller makes of an answer."""

from __future__ import annotations

import pytest
from flask import Flask, request

from local.api_client import ApiClient, ApiError, embedded_url
from local.simulators.serving import serving


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_outputs_url_is_rewritten_to_the_path_under_which_it_answers_here(slash: str) -> None:
    url = f"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev{slash}"
    assert embedded_url("http://127.0.0.1:4566", url) == "http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4e5/dev"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/dev", "https://a1b2.execute-api.us-east-1.amazonaws.com", "https://example.com/dev"]
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ApiError, match="is not the URL of a stage of API Gateway"):
        embedded_url("http://127.0.0.1:4566", url)


def echo() -> Flask:
    """Answers with what came, or with the status that is asked for."""
    app = Flask(__name__)

    @app.route("/dev/v1/jobs", methods=["GET", "POST"])
    def jobs() -> tuple[dict[str, object], int]:
        said: dict[str, object] = {
            "query": request.query_string.decode(),
            "headers": dict(request.headers),
            "body": request.data.decode(),
        }
        return said, int(request.args.get("status", 200))

    return app


def test_a_call_is_signed_as_iam_asks_for_it_and_carries_json() -> None:
    with serving(echo()) as address:
        said = ApiClient(f"{address}/dev").post("/v1/jobs", {"model": "m"}, {"Idempotency-Key": "k"}).expect(200)
    assert said["body"] == '{"model":"m"}'
    assert said["headers"]["Content-Type"] == "application/json"
    assert said["headers"]["Idempotency-Key"] == "k"
    authorization = said["headers"]["Authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=test/")
    assert "/us-east-1/execute-api/aws4_request" in authorization


def test_an_unsigned_call_has_no_signature() -> None:
    with serving(echo()) as address:
        said = ApiClient(f"{address}/dev").call("GET", "/v1/jobs?limit=2", signed=False).expect(200)
    assert "Authorization" not in said["headers"]
    assert said["query"] == "limit=2"


def test_an_answer_that_was_not_expected_is_an_error_with_what_it_says() -> None:
    with serving(echo()) as address, pytest.raises(ApiError, match=r"the API answered 409: \{.*status=409"):
        ApiClient(f"{address}/dev").get("/v1/jobs", status=409).expect(200, 202)
