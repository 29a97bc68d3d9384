"""Uploads: the files that a job waits for, from the signed request that brings them to the event that tells of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.inbox import read_upload_key, upload_uri
from tunedrop.domain.job import Job, Phase
from tunedrop.domain.ports import Clock, JobStore, Upload, UploadSigner


def awaited_uploads(job: Job, *, inbox_bucket: str) -> dict[str, str]:
    """The S3 URIs of the files that the job waits for, by the field of its request; empty when it waits for none."""
    if job.phase is not Phase.AWAITING_UPLOAD or job.request is None:
        return {}
    own = upload_uri(inbox_bucket, job.job_id, "")
    files = {"training_file": job.request.training_file, "validation_file": job.request.validation_file}
    return {field: file for field, file in files.items() if file is not None and file.startswith(own)}


@dataclass(frozen=True, kw_only=True)
class SignUploads:
    signer: UploadSigner
    clock: Clock
    inbox_bucket: str

    def __call__(self, job: Job) -> Mapping[str, Upload]:
        """How each file is uploaded, by its field; empty unless the job awaits its upload. Each call signs anew."""
        now = self.clock.now()
        awaited = awaited_uploads(job, inbox_bucket=self.inbox_bucket)
        return {field: self.signer.sign(uri, now=now) for field, uri in awaited.items()}


@dataclass(frozen=True, kw_only=True)
class HearOfUpload:
    """S3 tells of an object under `uploads/`, at least once. Whoever may write there may write anything there."""

    store: JobStore
    wake: Callable[[str], None]
    inbox_bucket: str

    def __call__(self, key: str) -> str | None:
        """The id of the job that was woken; None where no job waits for this object."""
        place = read_upload_key(key)
        if place is None:
            return None
        try:
            job = self.store.get(place.job_id)
        except JobNotFoundError:
            return None
        uri = upload_uri(self.inbox_bucket, place.job_id, place.name)
        if uri not in awaited_uploads(job, inbox_bucket=self.inbox_bucket).values():
            return None
        self.wake(job.job_id)
        return job.job_id
