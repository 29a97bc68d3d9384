"""`tunedrop ask`: the answers of the providers' tuned models, and what is said where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.simulators.faults import FaultKind
from tests.api.states import state
from tests.unit.client.cli.asked_models import (
    ANSWER,
    KEY,
    QUESTION,
    TOKEN,
    AskedModel,
    at_bedrock,
    at_databricks,
    at_openai,
)
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import Stack

PROVIDERS = ("openai", "bedrock", "databricks")
KEYS = {"openai": "OPENAI_API_KEY", "databricks": "DATABRICKS_TOKEN"}


@pytest.fixture
def openai(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AskedModel]:
    with at_openai(stack.account, monkeypatch) as model:
        yield model


@pytest.fixture
def databricks(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AskedModel]:
    with at_databricks(stack.account, monkeypatch, tmp_path) as model:
        yield model


@pytest.fixture
def bedrock(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AskedModel]:
    with at_bedrock(stack.account, monkeypatch, tmp_path) as model:
        yield model


@pytest.fixture(params=PROVIDERS)
def model(request: pytest.FixtureRequest) -> AskedModel:
    """At each provider."""
    made: AskedModel = request.getfixturevalue(request.param)
    return made


class TestAnswers:
    def test_the_tuned_model_answers(self, model: AskedModel) -> None:
        result = run("ask", model.job_id, QUESTION)
        assert (result.exit_code, result.stdout, result.stderr) == (0, f"{ANSWER}\n", "")

    def test_as_json_with_what_was_called_and_counted(self, model: AskedModel) -> None:
        result = run("ask", model.job_id, QUESTION, "--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, result.stderr) == (0, "")
        assert (document["answer"], document["model"]) == (ANSWER, model.model_id)
        assert document["job_id"] == model.job_id
        assert (document["input_tokens"], document["output_tokens"]) == (len(QUESTION.split()), len(ANSWER.split()))
        assert document["stop_reason"] in ("stop", "end_turn")

    def test_a_system_prompt_goes_with_it(self, model: AskedModel) -> None:
        document = json.loads(run("ask", model.job_id, QUESTION, "--system", "You keep lights.", "--json").stdout)
        assert document["input_tokens"] == len(QUESTION.split()) + 3

    def test_a_question_may_come_from_standard_input(self, model: AskedModel) -> None:
        result = run("ask", model.job_id, "-", stdin=f"{QUESTION}\n".encode())
        assert (result.exit_code, result.stdout) == (0, f"{ANSWER}\n")

    def test_an_answer_that_is_cut_says_so(self, bedrock: AskedModel) -> None:
        result = run("ask", bedrock.job_id, QUESTION, "--max-tokens", "2")
        assert (result.exit_code, result.stdout) == (0, " ".join(ANSWER.split()[:2]) + "\n")
        assert "the answer is cut" in result.stderr


class TestQuestions:
    @pytest.mark.parametrize("question", ["", "  \n"])
    def test_an_empty_question_is_wrong_usage(self, stack: Stack, question: str) -> None:
        assert run("ask", "j" * 26, question).stderr == "error: The question is empty.\n"
        result = run("ask", "j" * 26, "-", stdin=question.encode())
        assert (result.exit_code, result.stderr) == (2, "error: The question is empty.\n")

    def test_standard_input_that_is_no_text_is_wrong_usage(self, stack: Stack) -> None:
        result = run("ask", "j" * 26, "-", stdin=b"caf\xe9")
        assert (result.exit_code, result.stderr) == (2, "error: The question on <stdin> is not UTF-8.\n")

    def test_an_argument_that_is_no_text_is_wrong_usage(self, stack: Stack) -> None:
        assert run("ask", "j" * 26, "caf\udce9").exit_code == 2


class TestKeys:
    @pytest.mark.parametrize("provider", KEYS)
    def test_a_missing_key_is_named(
        self, provider: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = request.getfixturevalue(provider)
        monkeypatch.delenv(KEYS[provider])
        result = run("ask", model.job_id, QUESTION)
        assert (result.exit_code, result.stdout) == (4, "")
        assert f"set {KEYS[provider]}" in result.stderr

    def test_without_credentials_bedrock_is_not_asked(
        self, bedrock: AskedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name)
        result = run("ask", bedrock.job_id, QUESTION)
        assert result.exit_code == 4
        assert "credentials" in result.stderr

    @pytest.mark.parametrize("provider", KEYS)
    def test_a_wrong_key_is_refused_in_the_providers_words_and_never_printed(
        self, provider: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = request.getfixturevalue(provider)
        monkeypatch.setenv(KEYS[provider], "wrong-key-1")  # so short that the simulator repeats it whole
        result = run("ask", model.job_id, QUESTION)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "Incorrect API key provided" in result.stderr or "Invalid access token" in result.stderr
        assert "wrong-key" not in result.output

    @pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
    def test_what_can_be_no_key_is_not_sent(
        self, openai: AskedModel, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", key)
        result = run("ask", openai.job_id, QUESTION)
        assert result.exit_code == 4
        assert "no key has" in result.stderr
        assert key not in result.stderr

    def test_a_token_of_one_workspace_is_not_sent_to_another(
        self, databricks: AskedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABRICKS_HOST", "https://dbc-1.cloud.databricks.com")
        result = run("ask", databricks.job_id, QUESTION)
        assert result.exit_code == 4
        assert f"The model is served at {databricks.url}, but DATABRICKS_HOST is" in result.stderr
        assert TOKEN not in result.stderr

    def test_a_host_may_be_named(self, databricks: AskedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABRICKS_HOST", f"{databricks.url}/")
        assert run("ask", databricks.job_id, QUESTION).stdout == f"{ANSWER}\n"

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("http://10.0.0.1/v1", "use https"),
            ("api.openai.com", "is not an address of OpenAI"),
            ("https://key@host.example/v1", "is not an address of OpenAI"),
            ("https://[::1/v1", "is not an address of OpenAI"),
            ("file:///etc", "is not an address of OpenAI"),
        ],
    )
    def test_a_key_is_sent_over_an_encrypted_line_only(
        self, openai: AskedModel, monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
    ) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        result = run("ask", openai.job_id, QUESTION)
        assert result.exit_code == 4
        assert "OPENAI_BASE_URL" in result.stderr
        assert complaint in result.stderr


class TestTrouble:
    def test_a_provider_in_trouble_is_quoted(self, model: AskedModel) -> None:
        model.fail(FaultKind.THROTTLE, times=9, message="" if model.operation != "Converse" else "Too many tokens.")
        result = run("ask", model.job_id, QUESTION)
        assert result.exit_code == 4
        assert any(word in result.stderr for word in ("Rate limit reached", "Too many", "rate limit"))

    @pytest.mark.parametrize("provider", KEYS)
    def test_an_answer_that_does_not_come_is_waited_for_so_long_only(
        self, provider: str, request: pytest.FixtureRequest
    ) -> None:
        model = request.getfixturevalue(provider)
        model.fail(FaultKind.SLOW, seconds=1.0)
        result = run("ask", model.job_id, QUESTION, "--timeout", "0.2")
        assert result.exit_code == 4
        assert "gave no answer within 0.2 s" in result.stderr

    @pytest.mark.parametrize("provider", KEYS)
    def test_a_connection_that_breaks_says_so(self, provider: str, request: pytest.FixtureRequest) -> None:
        model = request.getfixturevalue(provider)
        model.fail(FaultKind.LOSE_REPLY)
        result = run("ask", model.job_id, QUESTION)
        assert result.exit_code == 4
        assert f"at {model.url}" in result.stderr
        assert "broke" in result.stderr

    def test_a_model_that_is_gone_is_refused_in_the_providers_words(
        self, openai: AskedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", openai.url.removesuffix("/v1"))
        result = run("ask", openai.job_id, QUESTION)
        assert (result.exit_code, "refused (404)" in result.stderr) == (3, True)
        assert KEY not in result.stderr


class TestNothingToAsk:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("training", "is running (training), so there is no model to ask yet. Follow it: tunedrop watch {id}"),
            ("failed", "failed, so there is no model to ask: "),
            ("cancelled", "Train again: tunedrop retry {id}"),
            ("succeeded", "was never started. Start it: tunedrop endpoint start {id}"),
            ("endpoint starting", "is starting: ask again when it is ready. Look: tunedrop endpoint show {id}"),
            ("endpoint stopping", "is stopping. Start it again when it has stopped: tunedrop endpoint start {id}"),
            ("endpoint stopped", "has stopped. Start it again: tunedrop endpoint start {id}"),
            ("endpoint failed", "did not come up: no capacity. Start it again: tunedrop endpoint start {id}"),
            ("model deleted", "was deleted: train it again"),
        ],
    )
    def test_it_says_why_and_what_to_do(self, stack: Stack, name: str, said: str) -> None:
        job_id = stack.hold(*state(name, of="ask"))
        result = run("ask", job_id, QUESTION)
        assert (result.exit_code, result.stdout) == (3, "")
        assert said.format(id=job_id) in result.stderr

    def test_an_unknown_job_is_refused(self, stack: Stack) -> None:
        assert run("ask", "j" * 26, QUESTION).exit_code == 3
