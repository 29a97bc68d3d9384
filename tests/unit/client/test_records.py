"""What the API says, as values, also where it comes from a newer stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tunedrop.client.errors import TunedropError
from tunedrop.client.records import EndpointRecord, JobPage, JobRecord, UploadRecord, read

JOB: dict[str, Any] = {
    "job_id": "jzvdoef3b2g5cia5vwgy4ufrw7",
    "provider": "bedrock",
    "model": "nova-lite",
    "status": "running",
    "phase": "training",
    "created_at": "2026-11-22T23:26:44.907000Z",
    "updated_at": "2026-11-22T23:26:49.801Z",
}


def test_times_are_moments_in_utc() -> None:
    record = read(JOB, JobRecord)
    assert record.created_at == datetime(2026, 11, 22, 23, 26, 44, 907000, tzinfo=UTC)
    assert record.finished_at is None


def test_what_a_newer_stack_says_beside_it_is_ignored() -> None:
    newer = {**JOB, "mood": "good", "progress": {"step": 4, "gpu_hours": 2}, "error": None}
    record = read(newer, JobRecord)
    assert record.progress is not None
    assert record.progress.step == 4


def test_a_status_that_is_not_known_is_kept_and_no_reason_not_to_list() -> None:
    page = read({"jobs": [{**JOB, "status": "paused", "phase": "napping"}, JOB], "next_token": None}, JobPage)
    assert [job.status for job in page.jobs] == ["paused", "running"]
    assert not page.jobs[0].is_final


@pytest.mark.parametrize(
    ("status", "final"), [("succeeded", True), ("failed", True), ("cancelled", True), ("pending", False)]
)
def test_a_job_is_final_once_it_has_ended(status: str, final: bool) -> None:
    assert read({**JOB, "status": status}, JobRecord).is_final is final


def test_a_job_that_ended_in_a_way_that_is_not_known_has_ended() -> None:
    assert read({**JOB, "status": "expired", "finished_at": JOB["updated_at"]}, JobRecord).is_final


@pytest.mark.parametrize("document", [None, [], {"jobs": []}, {**JOB, "created_at": "yesterday"}, {**JOB, "notes": 5}])
def test_an_answer_that_is_no_job_is_told_with_the_way_out(document: object) -> None:
    with pytest.raises(TunedropError, match=r"JobRecord.*pip install --upgrade"):
        read(document, JobRecord)


def test_an_endpoint_may_know_next_to_nothing() -> None:
    record = read({"job_id": JOB["job_id"], "status": "none"}, EndpointRecord)
    assert (record.status, record.call, record.cost_note) == ("none", None, "")


def test_the_permission_in_the_url_of_an_upload_is_not_printed() -> None:
    upload = {"url": "https://inbox.s3.amazonaws.com/x?X-Amz-Signature=abc", "method": "PUT", "headers": {}}
    record = read({**JOB, "uploads": {"training_file": upload}}, JobRecord)
    assert isinstance(record.uploads, dict)
    assert isinstance(record.uploads["training_file"], UploadRecord)
    assert "X-Amz-Signature" not in repr(record)
