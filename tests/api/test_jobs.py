"""Jobs over HTTP: created, listed, shown, followed, cancelled and retried."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest
from werkzeug.test import Client

from tests.api.account import ROWS, Account
from tests.api.gateway import Gateway
from tests.api.states import state
from tests.builders import CREATED, job_in
from tunedrop import wiring
from tunedrop.domain.job import Job, JobStatus, Phase, Progress, job_id_from
from tunedrop.domain.transitions import advance

BASE = "https://api.example/test"
REQUEST = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "s3://datasets/train.jsonl"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def made(empty_aws: Account, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Seven jobs of four months, oldest first, and nothing else; it is a little later than the last."""
    monkeypatch.setattr(wiring.SystemClock, "now", lambda _: CREATED + timedelta(days=91))
    made = [
        job_in(
            Phase.RECEIVED if number % 2 else Phase.TRAINING,
            job_id=job_id_from("list", str(number)),
            created_at=CREATED + timedelta(days=15 * number),
            provider="bedrock" if number % 3 else "openai",
        )
        for number in range(7)
    ]
    for job in made:
        empty_aws.hold(job)
    return made


class TestCreate:
    def test_a_job_is_made_and_its_execution_started(self, http: Client, aws: Account) -> None:
        answer = http.post("/v1/jobs", json={**REQUEST, "hyperparameters": {"n_epochs": 2}, "job_name": "support"})

        assert answer.status_code == 202
        assert answer.json is not None
        job_id = answer.json["job_id"]
        assert urljoin(f"{BASE}/v1/jobs", answer.headers["Location"]) == f"{BASE}/v1/jobs/{job_id}"
        assert int(answer.headers["Retry-After"]) > 0
        assert (answer.json["status"], answer.json["phase"]) == ("not_started", "received")
        assert (answer.json["job_name"], answer.json["uploads"]) == ("support", None)
        assert job_id in aws.executions("fine-tuning-openai")
        recorded = aws.jobs.get(job_id).request
        assert recorded is not None
        assert recorded.hyperparameters == {"n_epochs": 2}

    def test_validate_only_answers_at_once_and_leaves_nothing(self, http: Client, empty_aws: Account) -> None:
        empty_aws.put("s3://datasets/train.jsonl")

        answer = http.post("/v1/jobs?validate_only=true", json=REQUEST, headers={"Idempotency-Key": "look"})

        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["ok"] is True
        assert answer.json["files"][0]["rows"] == ROWS.count(b"\n")
        assert answer.json["base_model"] == "gpt-4.1-mini-2025-04-14"
        assert empty_aws.items() == []

    def test_validate_only_names_what_is_wrong_in_the_file(self, http: Client, aws: Account) -> None:
        aws.put("s3://datasets/bad.jsonl", ROWS + b"{}\n")
        answer = http.post("/v1/jobs?validate_only=true", json={**REQUEST, "training_file": "s3://datasets/bad.jsonl"})
        assert answer.json is not None
        assert answer.json["ok"] is False
        assert {finding["line"] for finding in answer.json["problems"]} == {21}

    def test_validate_only_does_not_miss_files_that_are_yet_to_be_uploaded(self, http: Client, aws: Account) -> None:
        body = {**REQUEST, "training_file": "train.jsonl", "upload": True}
        answer = http.post("/v1/jobs?validate_only=true", json=body)
        assert answer.json is not None
        assert (answer.json["ok"], answer.json["problems"]) == (True, [])

    def test_files_that_are_to_be_uploaded_get_signed_urls(self, http: Client, aws: Account) -> None:
        body = {**REQUEST, "training_file": "train.jsonl", "validation_file": "check.jsonl", "upload": True}

        answer = http.post("/v1/jobs", json=body)

        assert answer.status_code == 202
        assert answer.json is not None
        assert answer.json["phase"] == "awaiting_upload"
        assert set(answer.json["uploads"]) == {"training_file", "validation_file"}
        upload = answer.json["uploads"]["training_file"]
        assert upload["method"] == "PUT"
        assert f"uploads/{answer.json['job_id']}/train.jsonl" in upload["url"]
        assert RFC_3339.fullmatch(upload["expires_at"])
        assert "Signature" not in str(aws.items())

    @pytest.mark.parametrize(
        ("asked", "starts"),
        [({}, True), ({"start_endpoint": False}, False), ({"skip_deploy": True}, False)],
    )
    def test_it_is_said_whether_the_model_will_be_served_by_itself(
        self, http: Client, aws: Account, asked: dict[str, bool], starts: bool
    ) -> None:
        body = {**REQUEST, "provider": "databricks", "model": "llama-3.2-3b", **asked}
        made = http.post("/v1/jobs", json=body).json
        assert made is not None
        shown = http.get(f"/v1/jobs/{made['job_id']}").json
        assert shown is not None
        assert (made["starts_endpoint"], shown["starts_endpoint"]) == (starts, starts)

    @pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", None])
    def test_a_body_is_json_however_it_is_labelled(self, http: Client, content_type: str | None) -> None:
        answer = http.post("/v1/jobs", data=msgspec.json.encode(REQUEST), content_type=content_type)
        assert answer.status_code == 202


class TestList:
    def test_newest_first_page_by_page(self, http: Client, made: list[Job]) -> None:
        seen: list[str] = []
        token, pages = "", 0
        while token is not None and pages < 20:
            answer = http.get(f"/v1/jobs?limit=3{token and '&next_token=' + token}")
            assert answer.status_code == 200, answer.text
            assert answer.json is not None
            assert len(answer.json["jobs"]) <= 3
            seen += [job["job_id"] for job in answer.json["jobs"]]
            token, pages = answer.json["next_token"], pages + 1
        assert seen == [job.job_id for job in reversed(made)]

    @pytest.mark.parametrize("query", ["status=running", "provider=bedrock", "status=running&provider=bedrock"])
    def test_filters(self, query: str, http: Client, made: list[Job]) -> None:
        wanted = dict(part.split("=") for part in query.split("&"))
        answer = http.get(f"/v1/jobs?{query}")
        assert answer.json is not None
        found = [job["job_id"] for job in answer.json["jobs"]]
        fitting = [job for job in made if all(getattr(job, name) == value for name, value in wanted.items())]
        assert found == [job.job_id for job in reversed(fitting)]
        assert found

    @pytest.mark.usefixtures("made")
    def test_a_token_is_good_for_its_filter_only(self, http: Client) -> None:
        first = http.get("/v1/jobs?status=running&limit=1")
        assert first.json is not None
        token = first.json["next_token"]
        assert http.get(f"/v1/jobs?status=running&limit=2&next_token={token}").status_code == 200
        for query in ("", "status=failed&", "status=running&provider=openai&", "provider=running&"):
            answer = http.get(f"/v1/jobs?{query}next_token={token}")
            assert answer.status_code in (400, 422), query
        answer = http.get(f"/v1/jobs?next_token={token}")
        assert answer.json is not None
        assert (answer.status_code, answer.json["code"]) == (400, "page_token_invalid")

    def test_a_list_shows_summaries(self, http: Client, empty_aws: Account) -> None:
        empty_aws.hold(job_in(Phase.TRAINING, notes=("a note",)))
        answer = http.get("/v1/jobs")
        assert answer.json is not None
        (job,) = answer.json["jobs"]
        assert job["phase"] == "training"
        assert not {"notes", "dataset", "hyperparameters"} & job.keys()


class TestShow:
    def test_a_job_is_shown_without_what_the_record_keeps_for_itself(self, http: Client, aws: Account) -> None:
        job, _ = state("training", of="shown")
        aws.hold(msgspec.structs.replace(job, progress=Progress(step=3, training_loss=0.5), notes=("a note",)))

        answer = http.get(f"/v1/jobs/{job.job_id}")

        shown = answer.json
        assert shown is not None
        assert shown["progress"] == {
            "step": 3,
            "total_steps": None,
            "training_loss": 0.5,
            "trained_tokens": None,
            "message": None,
        }
        assert shown["dataset"]["training_rows"] == 60
        assert shown["hyperparameters"] == {"n_epochs": 3}
        assert shown["notes"] == ["a note"]
        assert shown["provider_job_id"] == "pj-0"
        assert all(RFC_3339.fullmatch(shown[name]) for name in ("created_at", "updated_at", "deadline_at"))
        assert "submission" not in shown
        assert f"tunedrop-{job.job_id}" not in answer.text

    @pytest.mark.parametrize(("age", "wait"), [(60, 15), (1200, 60), (86_400, 300)])
    def test_one_that_runs_says_when_to_ask_again(
        self, age: int, wait: int, http: Client, aws: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job, _ = state("queued", of=f"age {age}")
        aws.hold(job)
        monkeypatch.setattr(wiring.SystemClock, "now", lambda _: CREATED + timedelta(seconds=age))
        assert http.get(f"/v1/jobs/{job.job_id}").headers["Retry-After"] == str(wait)

    def test_one_that_has_ended_does_not(self, http: Client, aws: Account) -> None:
        job_id = aws.hold(*state("failed", of="ended"))
        answer = http.get(f"/v1/jobs/{job_id}")
        assert "Retry-After" not in answer.headers
        assert answer.json is not None
        assert answer.json["error"]["code"] == "training_failed"

    def test_refresh_wakes_the_job_and_showing_does_not(self, http: Client, aws: Account) -> None:
        job_id = aws.hold(*state("training", of="refreshed"))
        http.get(f"/v1/jobs/{job_id}?refresh=false")
        assert aws.jobs.get(job_id).wake_seq == 0
        http.get(f"/v1/jobs/{job_id}?refresh=true")
        assert aws.jobs.get(job_id).wake_seq == 1


def test_a_timeline_is_read_page_by_page_with_the_endpoints_events_in_it(http: Client, aws: Account) -> None:
    job, endpoint = state("endpoint ready", of="timeline")
    aws.hold(job, endpoint)
    other = aws.hold(*state("endpoint ready", of="another timeline"))

    first = http.get(f"/v1/jobs/{job.job_id}/events?limit=1").json
    assert first is not None
    second = http.get(f"/v1/jobs/{job.job_id}/events?limit=1&next_token={first['next_token']}").json
    assert second is not None
    assert {event["type"] for event in first["events"] + second["events"]} == {"status", "endpoint"}
    assert second["next_token"] is None
    wrong = http.get(f"/v1/jobs/{other}/events?next_token={first['next_token']}")
    assert wrong.json is not None
    assert (wrong.status_code, wrong.json["code"]) == (400, "page_token_invalid")


def test_a_timeline_shows_the_loss(http: Client, aws: Account) -> None:
    job_id = aws.hold(*state("training", of="loss"))
    aws.jobs.change(
        job_id, lambda job: advance(job, Phase.TRAINING, at=CREATED, progress=Progress(step=7, training_loss=0.25))
    )
    answer = http.get(f"/v1/jobs/{job_id}/events").json
    assert answer is not None
    assert answer["events"][-1]["progress"]["training_loss"] == 0.25
    assert [event["version"] for event in answer["events"]] == sorted(event["version"] for event in answer["events"])


def test_a_cancelled_job_is_on_its_way_and_asking_twice_changes_nothing(http: Client, aws: Account) -> None:
    job_id = aws.hold(*state("training", of="cancelled twice"))
    first, second = (http.post(f"/v1/jobs/{job_id}/cancel") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json == second.json
    assert first.json is not None
    assert first.json["phase"] == "cancelling"
    assert int(first.headers["Retry-After"]) > 0


def test_a_retry_is_one_new_job(http: Client, aws: Account) -> None:
    job_id = aws.hold(*state("failed", of="retried"))
    first, second = (http.post(f"/v1/jobs/{job_id}/retry") for _ in range(2))
    assert first.json is not None
    assert second.json is not None
    assert first.json["retry_of"] == job_id
    assert first.json["job_id"] == second.json["job_id"] != job_id
    where = urljoin(f"{BASE}/v1/jobs/{job_id}/retry", first.headers["Location"])
    assert where == f"{BASE}/v1/jobs/{first.json['job_id']}"


def test_a_retry_whose_file_never_came_says_where_to_put_it(http: Client, aws: Account) -> None:
    made: Any = http.post("/v1/jobs", json={**REQUEST, "training_file": "train.jsonl", "upload": True}).json
    aws.jobs.change(
        made["job_id"],
        lambda job: msgspec.structs.replace(job, status=JobStatus.CANCELLED, phase=Phase.DONE, version=2),
    )
    again: Any = http.post(f"/v1/jobs/{made['job_id']}/retry").json
    assert again["phase"] == "awaiting_upload"
    assert f"uploads/{again['job_id']}/train.jsonl" in again["uploads"]["training_file"]["url"]


def test_a_request_is_logged_with_its_caller_and_without_its_body(gateway: Gateway, function_log: Any) -> None:
    Client(gateway).post("/v1/jobs", json={**REQUEST, "job_name": "not-for-the-log"}, headers={"X-Secret": "hidden"})
    line = msgspec.json.decode(function_log.getvalue().splitlines()[-1])
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/jobs", 202)
    assert line["caller"].endswith("user/maria")
    assert line["correlation_id"] == gateway.events[0]["requestContext"]["requestId"]
    assert "not-for-the-log" not in function_log.getvalue()
    assert "hidden" not in function_log.getvalue()
