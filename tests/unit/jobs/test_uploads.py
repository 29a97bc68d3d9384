"""Uploads: who gets a signed request, and which objects wake a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.builders import JOB_ID, REQUEST, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.ports import Upload
from tunedrop.domain.transitions import advance, close
from tunedrop.jobs.uploads import HearOfUpload, SignUploads

OWN = f"s3://inbox/uploads/{JOB_ID}"


class MemorySigner:
    """An UploadSigner whose URLs say what was signed."""

    def sign(self, uri: str, *, now: datetime) -> Upload:
        return Upload(url=f"https://signed/{uri}", expires_at=now)


def waiting(**files: Any) -> Job:
    request = msgspec.structs.replace(REQUEST, **{"training_file": f"{OWN}/train.jsonl", **files})
    return job_in(Phase.AWAITING_UPLOAD, request=request)


def ended(job: Job) -> Job:
    return close(job, Outcome(status=JobStatus.CANCELLED), at=job.created_at)


def preparing(job: Job) -> Job:
    return advance(job, Phase.PREPARING, at=job.created_at)


class TestSigning:
    @staticmethod
    def signed(job: Job) -> dict[str, str]:
        clock = FakeClock()
        uploads = SignUploads(signer=MemorySigner(), clock=clock, inbox_bucket="inbox")(job)
        assert all(upload.expires_at == clock.now() for upload in uploads.values())
        return {field: upload.url for field, upload in uploads.items()}

    def test_every_file_that_the_job_waits_for_is_signed(self) -> None:
        assert self.signed(waiting(validation_file=f"{OWN}/val.jsonl")) == {
            "training_file": f"https://signed/{OWN}/train.jsonl",
            "validation_file": f"https://signed/{OWN}/val.jsonl",
        }

    @pytest.mark.parametrize("file", [None, "s3://data/val.jsonl", "s3://inbox/uploads/" + "b" * 26 + "/val.jsonl"])
    def test_files_elsewhere_are_not_signed(self, file: str | None) -> None:
        assert list(self.signed(waiting(validation_file=file))) == ["training_file"]

    @pytest.mark.parametrize("later", [ended, preparing])
    def test_nothing_is_signed_once_the_job_has_gone_on(self, later: Any) -> None:
        assert self.signed(later(waiting())) == {}

    def test_nothing_is_signed_for_a_job_of_the_inbox(self) -> None:
        assert self.signed(job_in(Phase.RECEIVED)) == {}


class TestNews:
    @staticmethod
    def woken(key: str, job: Job) -> list[str]:
        store, woken = MemoryJobStore(), list[str]()
        store.create(job)
        heard = HearOfUpload(store=store, wake=woken.append, inbox_bucket="inbox")(key)
        assert woken == ([] if heard is None else [heard])
        return woken

    @pytest.mark.parametrize("name", ["train.jsonl", "val set.jsonl"])
    def test_a_file_that_the_job_waits_for_wakes_it(self, name: str) -> None:
        job = waiting(validation_file=f"{OWN}/val set.jsonl")
        assert self.woken(f"uploads/{JOB_ID}/{name}", job) == [JOB_ID]

    @pytest.mark.parametrize(
        "key",
        [
            f"uploads/{JOB_ID}/other.jsonl",
            f"uploads/{JOB_ID}/deep/train.jsonl",
            f"uploads/{JOB_ID}/",
            f"uploads/{JOB_ID}",
            f"uploads/{'b' * 26}/train.jsonl",
            "uploads/not-a-job/train.jsonl",
            "uploads/train.jsonl",
        ],
    )
    def test_any_other_object_wakes_nobody(self, key: str) -> None:
        assert self.woken(key, waiting()) == []

    @pytest.mark.parametrize("later", [ended, preparing])
    def test_a_late_event_wakes_nobody(self, later: Any) -> None:
        assert self.woken(f"uploads/{JOB_ID}/train.jsonl", later(waiting())) == []
