"""The OpenAI adapter: what it sends, and how it reads what OpenAI, or a host that is compatible with it, answers."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from time import time
from types import ModuleType
from typing import Any, BinaryIO, get_args

import httpx2
import msgspec
import openai
import pytest
from flask import Flask, Response, request
from openai.types.fine_tuning import FineTuningJob

from local.simulators.faults import Fault, FaultKind
from local.simulators.serving import serving
from tests.contracts.openai_rig import API_KEY, OpenAIRig, openai_rig
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    RequestInvalidError,
    StoreUnavailableError,
    SubmissionUncertainError,
    TunedropError,
)
from tunedrop.domain.provider_ports import ProviderState
from tunedrop.providers.openai import STATES, OpenAIProvider, suffix_for
from tunedrop.providers.openai_errors import retry_after, translate

REQUEST = httpx2.Request("POST", "https://host.test/v1/fine_tuning/jobs")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[OpenAIRig]:
    with openai_rig(tmp_path) as rig:
        yield rig


class Host:
    """A host that gives every call under a path the same answer, and notes what it was asked."""

    def __init__(self) -> None:
        self.app = Flask("host")
        self.app.add_url_rule("/<path:path>", "answer", self._answer, methods=["GET", "POST"])
        self.answers: dict[str, Response] = {
            "GET /v1/files": _json({"object": "list", "data": [], "has_more": False}),
            "POST /v1/files": _json({"object": "file", "id": "file-1"}),
            "GET /v1/fine_tuning/jobs/ftjob-1/events": _json({"object": "list", "data": [], "has_more": False}),
        }
        self.asked: list[str] = []
        self.bodies: dict[str, Any] = {}

    def _answer(self, path: str) -> Response:
        call = f"{request.method} /{path}"
        self.asked.append(call)
        self.bodies[call] = request.get_json(silent=True)
        return self.answers[call] if len(self.asked) < 50 else refusal(418, "asked far too often")


def _json(document: Any, status: int = 200, **headers: str) -> Response:
    return Response(msgspec.json.encode(document), status=status, mimetype="application/json", headers=headers)


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _json({"error": error}, status, **headers)


def job(**fields: Any) -> Response:
    known = {"object": "fine_tuning.job", "id": "ftjob-1", "status": "running", "created_at": 1, "error": None}
    return _json({**known, **fields})


@contextmanager
def hosted(host: Host, objects: MemoryObjectStore | None = None) -> Iterator[OpenAIProvider]:
    with serving(host.app) as url:
        secret = {"api_key": API_KEY, "base_url": f"{url}/v1"}
        provider = OpenAIProvider(secret=secret, objects=objects or MemoryObjectStore())
        try:
            yield provider
        finally:
            provider.close()


CREATE = "POST /v1/fine_tuning/jobs"
RETRIEVE = "GET /v1/fine_tuning/jobs/ftjob-1"
CANCEL = "POST /v1/fine_tuning/jobs/ftjob-1/cancel"


def create_at(host: Host, rig: OpenAIRig) -> str:
    with hosted(host, rig.objects) as provider:
        return provider.create(rig.order("a"))


def status_at(host: Host) -> Any:
    with hosted(host) as provider:
        return provider.status("ftjob-1")


# --- statuses


@pytest.mark.parametrize("word", get_args(FineTuningJob.model_fields["status"].annotation))
def test_every_status_of_the_sdk_has_a_state(word: str) -> None:
    assert STATES[word] is not ProviderState.UNKNOWN


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pausing", ProviderState.TRAINING),
        ("paused", ProviderState.TRAINING),
        ("pending", ProviderState.QUEUED),
        ("reticulating", ProviderState.UNKNOWN),
        (None, ProviderState.UNKNOWN),
    ],
)
def test_a_status_that_the_sdk_does_not_know_is_read_all_the_same(word: str | None, state: ProviderState) -> None:
    host = Host()
    host.answers[RETRIEVE] = job(status=word)
    answer = status_at(host)
    assert (answer.state, answer.raw_status) == (state, str(word))


def test_a_running_job_tells_its_step_loss_and_message(rig: OpenAIRig) -> None:
    job_id = rig.provider.create(rig.order("a"))
    rig.advance(4.45)
    answer = rig.provider.status(job_id)
    assert answer.state is ProviderState.TRAINING
    assert answer.tuned_model is None
    assert answer.progress is not None
    assert (answer.progress.step, answer.progress.total_steps) == (12, 24)
    assert answer.progress.training_loss is not None
    assert 0.3 < answer.progress.training_loss < 2
    assert answer.progress.message == f"Step 12/24: training loss={answer.progress.training_loss:.2f}"


def test_a_job_that_succeeded_tells_its_tokens_and_last_loss(rig: OpenAIRig) -> None:
    job_id = rig.provider.create(rig.order("a"))
    rig.advance(60)
    answer = rig.provider.status(job_id)
    assert answer.state is ProviderState.SUCCEEDED
    assert str(answer.tuned_model).startswith("ft:gpt-4.1-mini-2025-04-14:tunedrop::")
    assert answer.progress is not None
    assert (answer.progress.step, answer.progress.message) == (24, "The job has successfully completed")
    assert (answer.progress.trained_tokens or 0) > 0


def test_progress_is_read_from_the_words_where_an_event_has_no_data() -> None:
    host = Host()
    host.answers[RETRIEVE] = job()
    events = [
        {"id": "2", "created_at": 20, "message": "Step 7/30: training loss=1.25", "level": "info"},
        {"id": "3", "created_at": 30, "message": "Still going", "level": "info", "data": None},
        {"id": "1", "created_at": 10, "message": "Step 6/30: training loss=1.50", "level": "info"},
    ]
    host.answers["GET /v1/fine_tuning/jobs/ftjob-1/events"] = _json({"object": "list", "data": events})
    progress = status_at(host).progress
    assert (progress.step, progress.total_steps, progress.training_loss) == (7, 30, 1.25)
    assert progress.message == "Still going"


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, "oh no"),
        refusal(404, "no events here"),
        _json({"object": "list", "data": [{"id": "1", "created_at": 1, "message": "x", "data": {"step": "many"}}]}),
        Response("<html>", mimetype="text/html"),
    ],
    ids=["error", "missing", "nonsense", "page"],
)
def test_a_job_whose_events_cannot_be_read_still_has_a_status(answer: Response) -> None:
    host = Host()
    host.answers[RETRIEVE] = job()
    host.answers["GET /v1/fine_tuning/jobs/ftjob-1/events"] = answer
    assert status_at(host).state is ProviderState.TRAINING


def test_patience_asked_for_by_the_events_is_passed_on(rig: OpenAIRig) -> None:
    job_id = rig.provider.create(rig.order("a"))
    rig.advance(4.45)
    rig.faults.add(Fault(operation="fine_tuning.jobs.list_events", kind=FaultKind.THROTTLE, seconds=90))
    answer = rig.provider.status(job_id)
    assert (answer.state, answer.retry_after) == (ProviderState.TRAINING, 90)


def test_a_queued_job_costs_one_call() -> None:
    host = Host()
    host.answers[RETRIEVE] = job(status="queued")
    status_at(host)
    assert host.asked == [RETRIEVE]


def test_a_failed_job_tells_the_providers_code_and_words(rig: OpenAIRig) -> None:
    job_id = rig.provider.create(rig.order("a", rows=9))
    rig.advance(60)
    answer = rig.provider.status(job_id)
    assert (answer.state, answer.error_code) == (ProviderState.FAILED, "invalid_n_examples")
    assert answer.error_message == "Training file has 9 example(s), but must have at least 10 examples"


# --- creating


def test_the_job_carries_our_id_the_hyperparameters_and_a_name(rig: OpenAIRig) -> None:
    host = Host()
    host.answers[CREATE] = job()
    with hosted(host, rig.objects) as provider:
        order = rig.order("a", hyperparameters={"n_epochs": 4, "batch_size": "auto"}, job_name="Bike Shop (Q4)")
        assert provider.create(order) == "ftjob-1"
    assert host.bodies[CREATE] == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "validation_file": "file-1",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": "auto"}}},
        "metadata": {"tunedrop_job_id": "a"},
        "suffix": "bike-shop-q4",
    }


def test_without_a_validation_file_and_a_name_neither_is_sent(rig: OpenAIRig) -> None:
    host = Host()
    host.answers[CREATE] = job()
    with hosted(host, rig.objects) as provider:
        provider.create(rig.order("a", validation_uri=None))
    assert host.bodies[CREATE].keys() == {"model", "training_file", "method", "metadata"}
    assert host.asked.count("POST /v1/files") == 1


def test_preference_pairs_make_a_dpo_job_with_its_beta(rig: OpenAIRig) -> None:
    order = rig.preference_order("a", hyperparameters={"n_epochs": 2, "beta": 0.2}, job_name="Tone")
    job_id = rig.provider.create(order)
    with openai.OpenAI(api_key=API_KEY, base_url=rig.base_url, max_retries=0) as client:
        method = client.fine_tuning.jobs.retrieve(job_id).method
        rig.advance(60)
        tuned = str(rig.provider.status(job_id).tuned_model)
        asked: Any = [{"role": "user", "content": "What is item 7?"}]
        answer = client.chat.completions.create(model=tuned, messages=asked).choices[0].message.content
    assert method is not None
    assert method.to_dict() == {
        "type": "dpo",
        "dpo": {
            "hyperparameters": {"n_epochs": 2, "beta": 0.2, "batch_size": "auto", "learning_rate_multiplier": "auto"}
        },
    }
    assert tuned.startswith("ft:gpt-4.1-mini-2025-04-14:tunedrop:tone:")
    assert answer == "Answer 7"


def test_a_dpo_job_is_followed_to_its_end_like_any_other(rig: OpenAIRig) -> None:
    job_id = rig.provider.create(rig.preference_order("a"))
    rig.advance(4.45)
    running = rig.provider.status(job_id)
    assert (running.state, running.progress and running.progress.step) == (ProviderState.TRAINING, 12)
    rig.advance(60)
    assert rig.provider.status(job_id).state is ProviderState.SUCCEEDED


@pytest.mark.parametrize("rows", ["chat", "completion"])
def test_rows_that_are_no_pairs_are_trained_by_supervision(rig: OpenAIRig, rows: str) -> None:
    host = Host()
    host.answers[CREATE] = job()
    with hosted(host, rig.objects) as provider:
        provider.create(rig.order("a", format=rows))
    assert host.bodies[CREATE]["method"].keys() == {"type", "supervised"}


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        (None, None),
        ("", None),
        ("---", None),
        ("日本", None),
        ("Support bot v2", "support-bot-v2"),
        ("a" * 39 + " b", "a" * 39),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_jobs_name_becomes_a_suffix_that_openai_takes(name: str | None, suffix: str | None) -> None:
    assert suffix_for(name) == suffix


def test_files_are_named_after_the_job_and_not_sent_twice(rig: OpenAIRig) -> None:
    order = rig.order("a")
    rig.faults.add(Fault(operation="fine_tuning.jobs.create", kind=FaultKind.THROTTLE))
    with pytest.raises(ProviderThrottledError):
        rig.provider.create(order)
    rig.provider.create(order)
    assert sorted(name for name, _ in files_at(rig)) == [
        f"a-{order.training_sha256[:12]}.jsonl",
        f"a-validation-{order.training_sha256[:12]}.jsonl",
    ]


def test_an_upload_whose_reply_was_lost_leaves_one_copy(rig: OpenAIRig) -> None:
    order = rig.order("a", validation_uri=None)
    rig.faults.add(Fault(operation="files.create", kind=FaultKind.LOSE_REPLY))
    with pytest.raises(ProviderUnavailableError):
        rig.provider.create(order)
    assert rig.jobs_created() == 0
    rig.provider.create(order)
    assert len(files_at(rig)) == 1


def files_at(rig: OpenAIRig) -> list[tuple[str, int]]:
    with openai.OpenAI(api_key=API_KEY, base_url=rig.base_url, max_retries=0) as client:
        return [(file.filename, file.bytes) for file in client.files.list(purpose="fine-tune")]


class TrickledStore(MemoryObjectStore):
    """A store whose streams give little at a time, cannot go back, and may break off."""

    def __init__(self, *, size: int, breaks_off: bool = False) -> None:
        super().__init__()
        self.asked_for: list[int] = []
        self._size = size
        self._breaks_off = breaks_off

    @contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        store, rest = self, self._size

        class Trickle(io.RawIOBase):
            def read(self, size: int = -1, /) -> bytes:
                nonlocal rest
                store.asked_for.append(size)
                if store._breaks_off and rest < store._size:
                    raise StoreUnavailableError("the connection to S3 was lost")
                given = min(size, rest, 50_000)
                rest -= given
                return b"\n" * given

        yield Trickle()  # type: ignore[misc]  # a raw stream reads like a BinaryIO


def test_a_file_is_streamed_in_small_pieces_with_its_length_ahead(rig: OpenAIRig) -> None:
    size = 3_000_000
    lengths: list[str | None] = []
    rig.simulator.app.before_request(lambda: lengths.append(request.headers.get("Content-Length")))
    store = TrickledStore(size=size)
    store.put("s3://artifacts/a", b"\n" * size)
    provider = OpenAIProvider(secret={"api_key": API_KEY, "base_url": rig.base_url}, objects=store)
    provider.create(rig.order("a", training_uri="s3://artifacts/a", validation_uri=None))
    provider.close()
    assert len(store.asked_for) > 50
    assert max(store.asked_for) <= 100_000
    assert min(store.asked_for) > 0
    assert any(length is not None and int(length) > size for length in lengths)
    assert [bytes_sent for _, bytes_sent in files_at(rig)] == [size]


def test_a_store_that_breaks_off_during_an_upload_is_named_and_nothing_is_created(rig: OpenAIRig) -> None:
    store = TrickledStore(size=3_000_000, breaks_off=True)
    store.put("s3://artifacts/a", b"\n" * 3_000_000)
    provider = OpenAIProvider(secret={"api_key": API_KEY, "base_url": rig.base_url}, objects=store)
    with pytest.raises(StoreUnavailableError):
        provider.create(rig.order("a", training_uri="s3://artifacts/a", validation_uri=None))
    provider.close()
    assert rig.jobs_created() == 0


def test_a_file_that_shrank_is_not_sent_as_if_it_were_whole(rig: OpenAIRig) -> None:
    store = TrickledStore(size=1_000)
    store.put("s3://artifacts/a", b"\n" * 2_000)
    provider = OpenAIProvider(secret={"api_key": API_KEY, "base_url": rig.base_url}, objects=store)
    with pytest.raises(ProviderUnavailableError):
        provider.create(rig.order("a", training_uri="s3://artifacts/a", validation_uri=None))
    provider.close()
    assert (files_at(rig), rig.jobs_created()) == ([], 0)


def test_a_prepared_file_that_is_gone_is_named(rig: OpenAIRig) -> None:
    with pytest.raises(RequestInvalidError, match="s3://artifacts/nowhere is gone"):
        rig.provider.create(rig.order("a", training_uri="s3://artifacts/nowhere"))


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, "oh no"),
        refusal(503, "overloaded"),
        refusal(408, "too slow"),
        Response("<html>hello</html>", mimetype="text/html"),
        Response('{"id": "ftjob', mimetype="application/json"),
        _json({}),
    ],
    ids=["500", "503", "408", "page", "cut off", "no id"],
)
def test_an_answer_that_leaves_it_open_whether_the_job_was_made_is_uncertain(answer: Response, rig: OpenAIRig) -> None:
    host = Host()
    host.answers[CREATE] = answer
    with pytest.raises(SubmissionUncertainError):
        create_at(host, rig)
    assert host.asked.count(CREATE) == 1


def test_a_host_that_does_not_answer_a_create_leaves_it_uncertain_after_one_call(rig: OpenAIRig) -> None:
    rig.faults.add(Fault(operation="fine_tuning.jobs.create", kind=FaultKind.LOSE_REPLY, times=5))
    with pytest.raises(SubmissionUncertainError):
        rig.provider.create(rig.order("a"))
    assert rig.jobs_created() == 1


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refusal(400, "File file-1 is not ready."), ProviderUnavailableError, "not ready"),
        (refusal(409, "Another call is running"), ProviderUnavailableError, "Another call"),
        (refusal(400, "Training file is unusable", "bad_file"), ProviderRejectedError, "Training file is unusable"),
        (refusal(403, "Fine-tuning is closed to you", "closed"), ProviderRejectedError, "Fine-tuning is closed"),
        (refusal(403, "You have insufficient permissions for this operation"), CredentialsError, "API key"),
        (refusal(422, "No"), ProviderRejectedError, "answered 422: No"),
        (refusal(429, "Pay", "insufficient_quota"), ProviderRejectedError, "Pay"),
        (refusal(429, "Slow down", "rate_limit_exceeded"), ProviderThrottledError, "Slow down"),
    ],
    ids=["not ready", "conflict", "bad file", "closed", "permissions", "422", "quota", "throttled"],
)
def test_a_refused_create_is_certain(answer: Response, kind: type[TunedropError], words: str, rig: OpenAIRig) -> None:
    host = Host()
    host.answers[CREATE] = answer
    with pytest.raises(kind, match=words) as caught:
        create_at(host, rig)
    assert not isinstance(caught.value, SubmissionUncertainError)


def test_a_refusal_keeps_the_providers_code_and_parameter(rig: OpenAIRig) -> None:
    with pytest.raises(ProviderRejectedError, match="gpt-9 is not available") as caught:
        rig.provider.create(rig.order("a", base_model="gpt-9"))
    assert caught.value.provider_code == "model_not_available"
    assert str(caught.value).endswith("(parameter model)")


def test_a_used_up_quota_ends_the_job_and_a_throttle_does_not(rig: OpenAIRig) -> None:
    operation = "fine_tuning.jobs.create"
    rig.faults.add(Fault(operation=operation, kind=FaultKind.THROTTLE, message="insufficient_quota"))
    rig.faults.add(Fault(operation=operation, kind=FaultKind.THROTTLE, seconds=12))
    with pytest.raises(ProviderRejectedError) as used_up:
        rig.provider.create(rig.order("a"))
    assert used_up.value.provider_code == "insufficient_quota"
    with pytest.raises(ProviderThrottledError) as throttled:
        rig.provider.create(rig.order("a"))
    assert throttled.value.retry_after == 12


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_openai_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_the_wait_may_be_a_date() -> None:
    assert retry_after({"retry-after": formatdate(time() + 60, usegmt=True)}) == pytest.approx(60, abs=3)


# --- finding and stopping


def test_the_job_of_an_earlier_attempt_is_found_among_others(rig: OpenAIRig) -> None:
    ours = rig.provider.create(rig.order("a"))
    rig.provider.create(rig.order("b"))
    assert rig.provider.find(rig.order("a")) == ours
    assert rig.provider.find(rig.order("c")) is None


def test_a_host_that_ignores_the_filter_does_not_give_us_anothers_job(rig: OpenAIRig) -> None:
    others = {"object": "fine_tuning.job", "id": "ftjob-9", "created_at": 1, "metadata": {"tunedrop_job_id": "b"}}
    nameless = {"object": "fine_tuning.job", "id": "ftjob-8", "created_at": 1, "metadata": None}
    host = Host()
    host.answers["GET /v1/fine_tuning/jobs"] = _json({"object": "list", "data": [others, nameless]})
    with hosted(host) as provider:
        assert provider.find(rig.order("a")) is None
        assert provider.find(rig.order("b")) == "ftjob-9"


def test_looking_on_a_page_that_is_no_api_may_be_repeated_and_finds_nothing(rig: OpenAIRig) -> None:
    host = Host()
    host.answers["GET /v1/fine_tuning/jobs"] = Response("<html>", mimetype="text/html")
    host.answers[RETRIEVE] = Response("<html>", mimetype="text/html")
    with hosted(host) as provider:
        with pytest.raises(ProviderUnavailableError):
            provider.find(rig.order("a"))
        with pytest.raises(ProviderUnavailableError, match="base_url"):
            provider.status("ftjob-1")


def test_stopping_a_job_that_ended_is_fine() -> None:
    host = Host()
    host.answers[CANCEL] = refusal(400, "Job has already completed")
    host.answers[RETRIEVE] = job(status="succeeded")
    with hosted(host) as provider:
        provider.stop("ftjob-1")
    assert host.asked == [CANCEL, RETRIEVE]


def test_a_refusal_to_stop_a_job_that_runs_is_passed_on() -> None:
    host = Host()
    host.answers[CANCEL] = refusal(400, "Not now")
    host.answers[RETRIEVE] = job(status="running")
    with hosted(host) as provider, pytest.raises(ProviderRejectedError, match="Not now"):
        provider.stop("ftjob-1")


def test_an_unknown_job_cannot_be_stopped(rig: OpenAIRig) -> None:
    with pytest.raises(ProviderRejectedError) as caught:
        rig.provider.stop("ftjob-nowhere")
    assert caught.value.provider_code == "fine_tune_not_found"


# --- credentials


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"api_key": ""},
        {"api_key": " \n"},
        {"api_key": "very secret"},
        {"api_key": "verysecreté"},
        {"api_key": "verysecret", "base_url": "host.test/v1"},
        {"api_key": "verysecret", "base_url": "https://"},
        {"api_key": "verysecret", "base_url": "https://host.test:port/v1"},
    ],
)
def test_a_secret_that_cannot_be_used_says_how_to_store_one_without_quoting_it(secret: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="aws secretsmanager put-secret-value") as caught:
        OpenAIProvider(secret=secret, objects=MemoryObjectStore())
    assert "very" not in str(caught.value)


def test_a_key_may_end_in_a_line_break(rig: OpenAIRig) -> None:
    provider = OpenAIProvider(secret={"api_key": f"{API_KEY}\n", "base_url": rig.base_url}, objects=rig.objects)
    assert provider.find(rig.order("a")) is None
    provider.close()


def test_a_refused_key_says_how_to_store_another_and_is_not_quoted(rig: OpenAIRig) -> None:
    host = Host()
    host.answers[RETRIEVE] = refusal(401, f"Incorrect API key provided: {API_KEY}.", "invalid_api_key")
    with pytest.raises(CredentialsError, match="put-secret-value") as caught:
        status_at(host)
    assert API_KEY not in str(caught.value)
    assert caught.value.__cause__ is None


# --- the SDK's errors, all of them


def exception_classes(*modules: ModuleType) -> dict[str, type[Exception]]:
    return {
        name: kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__.startswith("openai")
    }


STATUS_OF = {
    "APIStatusError": 418,
    "BadRequestError": 400,
    "AuthenticationError": 401,
    "OAuthError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "ConflictError": 409,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
    "InternalServerError": 500,
}
# class: ours on a call that changes nothing, and ours on a create
OURS: dict[str, tuple[type[TunedropError], type[TunedropError]]] = {
    "APIStatusError": (ProviderRejectedError, ProviderRejectedError),
    "BadRequestError": (ProviderRejectedError, ProviderRejectedError),
    "AuthenticationError": (CredentialsError, CredentialsError),
    "OAuthError": (CredentialsError, CredentialsError),
    "PermissionDeniedError": (ProviderRejectedError, ProviderRejectedError),
    "NotFoundError": (ProviderRejectedError, ProviderRejectedError),
    "ConflictError": (ProviderUnavailableError, ProviderUnavailableError),
    "UnprocessableEntityError": (ProviderRejectedError, ProviderRejectedError),
    "RateLimitError": (ProviderThrottledError, ProviderThrottledError),
}
UNCLEAR = (ProviderUnavailableError, SubmissionUncertainError)


@pytest.mark.parametrize("creating", [False, True], ids=["reading", "creating"])
@pytest.mark.parametrize("name", exception_classes(openai, openai._exceptions))
def test_every_error_of_the_sdk_is_one_of_ours(name: str, creating: bool) -> None:
    kind: Any = exception_classes(openai, openai._exceptions)[name]
    if issubclass(kind, openai.APIStatusError):
        assert name in STATUS_OF, "the SDK has a new refusal: say what it means"
        response = httpx2.Response(STATUS_OF[name], request=REQUEST)
        words = {} if name == "OAuthError" else {"message": "words"}
        error = kind(**words, response=response, body=None)
    else:
        error = kind.__new__(kind)  # their constructors differ; none of what they keep is read
        Exception.__init__(error, "words")
    assert type(translate(error, creating=creating)) is OURS.get(name, UNCLEAR)[creating]


def test_the_list_of_errors_is_not_empty() -> None:
    assert {"APITimeoutError", "APIConnectionError", "APIResponseValidationError", "OAuthError"} <= set(
        exception_classes(openai, openai._exceptions)
    )
