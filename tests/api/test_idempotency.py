"""`Idempotency-Key`: the same key and body get the same answer; nothing makes a second job."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError
from werkzeug.test import Client

from tests.api.account import TABLE, Account
from tests.api.gateway import Gateway
from tunedrop import wiring
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import Phase, job_id_from
from tunedrop.domain.transitions import advance
from tunedrop.jobs.create import CreateJob

REQUEST = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "s3://datasets/train.jsonl"}


class Killed(BaseException):
    """The function's process ends here: nothing in it may still react."""


def create(http: Client, key: str, **changes: Any) -> Any:
    return http.post("/v1/jobs", json={**REQUEST, **changes}, headers={"Idempotency-Key": key})


def records_of(aws: Account) -> list[dict[str, Any]]:
    return [item for item in aws.items() if item["pk"]["S"] == "IDEMPOTENCY#create"]


def test_the_answer_is_replayed_as_it_was(http: Client, empty_aws: Account) -> None:
    first = create(http, "replay")
    job_id = first.json["job_id"]
    empty_aws.jobs.change(job_id, lambda job: advance(job, Phase.PREPARING, at=job.created_at))

    second = create(http, "replay")

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json == first.json
    assert second.headers["Location"] == first.headers["Location"]
    assert [record["pk"]["S"] for record in empty_aws.job_records()] == [f"JOB#{job_id}"]


@pytest.mark.parametrize("name", ["idempotency-key", "IDEMPOTENCY-KEY", "Idempotency-Key"])
def test_a_headers_name_comes_in_any_case(name: str, gateway: Gateway, empty_aws: Account) -> None:
    handler = gateway._handler

    def as_sent(event: dict[str, Any], context: Any) -> dict[str, Any]:
        for kind in ("headers", "multiValueHeaders"):
            event[kind] = {name if key == "Idempotency-Key" else key: value for key, value in event[kind].items()}
        return handler(event, context)

    http = Client(Gateway(as_sent))
    assert create(http, "any, case").json["job_id"] == job_id_from("key", "any, case")


def test_the_same_key_with_another_body_is_refused(http: Client, empty_aws: Account) -> None:
    create(http, "reused")
    answer = create(http, "reused", job_name="another")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert len(empty_aws.job_records()) == 1


def test_defaults_that_are_spelled_out_are_the_same_body(http: Client, empty_aws: Account) -> None:
    first = create(http, "defaults")
    assert create(http, "defaults", upload=False).json == first.json


def test_another_key_makes_another_job(http: Client, empty_aws: Account) -> None:
    assert create(http, "one").json["job_id"] != create(http, "two").json["job_id"]
    assert http.post("/v1/jobs", json=REQUEST).status_code == 202
    assert len(empty_aws.job_records()) == 3


def test_a_request_that_is_still_at_work_is_told_so(
    http: Client, empty_aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[Any] = []
    create_job = wiring.create_job()

    def slow(*args: Any, **kwargs: Any) -> Any:
        if not met:
            met.append(create(http, "slow"))
        return create_job(*args, **kwargs)

    monkeypatch.setattr(wiring, "create_job", lambda: slow)
    first = create(http, "slow")

    assert (met[0].status_code, met[0].json["code"]) == (409, "idempotency_in_progress")
    assert first.status_code == 202
    assert create(http, "slow").json == first.json


@pytest.mark.parametrize("when", ["before the record", "after the record", "after the execution"])
def test_a_crash_makes_no_second_job(
    when: str, http: Client, empty_aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies, and its idempotency record stays as `in progress` for as long as it might have run."""
    real = CreateJob.__call__

    def dying(self: CreateJob, request: Any, **kwargs: Any) -> Any:
        if when == "before the record":
            raise Killed
        if when == "after the record":
            monkeypatch.setattr(type(self.accept), "start", lambda *_: (_ for _ in ()).throw(Killed()))
        real(self, request, **kwargs)
        raise Killed

    with monkeypatch.context() as crash:
        crash.setattr(CreateJob, "__call__", dying)
        with pytest.raises(Killed):
            create(http, "crashed")
    monkeypatch.undo()
    assert create(http, "crashed").json["code"] == "idempotency_in_progress"
    [record] = records_of(empty_aws)
    empty_aws.table.update_item(
        TableName=TABLE,
        Key={"pk": record["pk"], "sk": record["sk"]},
        UpdateExpression="SET in_progress_expiration = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )

    answer = create(http, "crashed")

    assert answer.status_code == 202
    job_id = job_id_from("key", "crashed")
    assert answer.json["job_id"] == job_id
    assert [item["pk"]["S"] for item in empty_aws.job_records()] == [f"JOB#{job_id}"]
    assert job_id in empty_aws.executions("fine-tuning-openai")


def test_a_key_whose_record_was_lost_makes_no_second_job(http: Client, empty_aws: Account) -> None:
    first = create(http, "lost")
    [record] = records_of(empty_aws)
    empty_aws.table.delete_item(TableName=TABLE, Key={"pk": record["pk"], "sk": record["sk"]})

    assert create(http, "lost").json["job_id"] == first.json["job_id"]
    assert len(empty_aws.job_records()) == 1
    empty_aws.table.delete_item(TableName=TABLE, Key={"pk": record["pk"], "sk": record["sk"]})
    answer = create(http, "lost", job_name="another")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")


def test_a_request_that_failed_frees_its_key(http: Client, empty_aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("DynamoDB did not answer")

    with monkeypatch.context() as trouble:
        trouble.setattr(wiring, "create_job", lambda: unavailable)
        assert create(http, "freed").status_code == 503
    assert create(http, "freed", training_file="s3://else/x.jsonl").status_code == 422
    assert create(http, "freed").status_code == 202


def test_a_table_that_does_not_answer_is_trouble_that_passes(
    http: Client, empty_aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(wiring.create_answers().client, "put_item", unreachable)
    answer = create(http, "unreachable")
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert answer.headers["Retry-After"]
    assert empty_aws.job_records() == []


def test_urls_for_uploads_are_signed_anew_and_never_kept(
    http: Client, empty_aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"training_file": "train.jsonl", "upload": True}
    first = create(http, "uploads", **body).json
    assert "X-Amz-Signature" in first["uploads"]["training_file"]["url"]
    kept = msgspec.json.encode([records_of(empty_aws), empty_aws.job_records()], enc_hook=str).decode()
    assert "X-Amz" not in kept
    assert '"uploads"' not in kept

    later = wiring.SystemClock().now().replace(year=2027)
    monkeypatch.setattr(wiring.SystemClock, "now", lambda _: later)
    second = create(http, "uploads", **body).json

    assert second["uploads"]["training_file"]["expires_at"] > first["uploads"]["training_file"]["expires_at"]
    assert {**second, "uploads": None} == {**first, "uploads": None}


def test_a_record_goes_after_a_day(http: Client, empty_aws: Account) -> None:
    create(http, "a day")
    [record] = records_of(empty_aws)
    now = wiring.SystemClock().now().timestamp()
    assert now + 23.9 * 3600 < int(record["expires_at_epoch"]["N"]) < now + 24.1 * 3600
