"""Retry: a job that failed or was cancelled is tried again as a new one, from its prepared files where it has them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain.errors import ConflictError, JobNotFoundError, RequestInvalidError
from tunedrop.domain.inbox import upload_uri
from tunedrop.domain.job import Job, JobStatus, job_id_from
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.ports import Clock, JobStore, ObjectStore
from tunedrop.jobs import artifacts
from tunedrop.jobs.accept import AcceptJob, draft


@dataclass(frozen=True, kw_only=True)
class RetryJob:
    store: JobStore
    objects: ObjectStore
    accept: AcceptJob
    clock: Clock
    inbox_bucket: str
    artifacts_bucket: str

    def __call__(self, job_id: str) -> Job:
        """The new job; the same one whenever the same job is retried again.

        Raises JobNotFoundError, RequestInvalidError where the request cannot be used any more, and ConflictError:
        `job_not_finished`, `job_succeeded`, `request_unknown`.
        """
        old = self.store.get(job_id)
        request = _request_to_repeat(old)
        new_id = job_id_from("retry", job_id)
        try:
            job = self.store.get(new_id)
        except JobNotFoundError:
            job = self._new_job(old, request, new_id)
            if not self.store.create(job):
                job = self.store.get(new_id)
        self.accept.start(job)
        return job

    def _new_job(self, old: Job, request: JobRequest, job_id: str) -> Job:
        new = draft(job_id, at=self.clock.now())
        if self._is_prepared(old):
            self._bring_report(old.job_id, job_id)
            return msgspec.structs.replace(
                self.accept(new, request),
                retry_of=old.job_id,
                # What the files were prepared for, whatever an alias means by now.
                base_model=old.base_model,
                dataset=old.dataset,
                hyperparameters=old.hyperparameters,
                notes=old.notes,
            )
        again = self._ask_again(old.job_id, request)
        job = self.accept(new, again, upload=again != request)
        return msgspec.structs.replace(job, retry_of=old.job_id)

    def _is_prepared(self, job: Job) -> bool:
        """Whether its prepared files are still there: artifacts may be deleted to save space."""
        if job.dataset is None or job.hyperparameters is None:
            return False
        files = (job.dataset.training_uri, job.dataset.validation_uri)
        return all(self.objects.head(file) is not None for file in files if file is not None)

    def _bring_report(self, old_id: str, new_id: str) -> None:
        """What was found in the files belongs into the new job's report, too."""
        try:
            with self.objects.open(artifacts.dataset_report(self.artifacts_bucket, old_id)) as stream:
                content = stream.read()
        except RequestInvalidError:
            return
        uri = artifacts.dataset_report(self.artifacts_bucket, new_id)
        self.objects.write(uri, [content], content_type="application/json")

    def _ask_again(self, old_id: str, request: JobRequest) -> JobRequest:
        """The request, with plain names in place of uploads that never arrived: they are to be uploaded for the new
        job."""
        place = upload_uri(self.inbox_bucket, old_id, "")
        files = {"training_file": request.training_file, "validation_file": request.validation_file}
        names = {
            field: file.removeprefix(place)
            for field, file in files.items()
            if file is not None and file.startswith(place) and self.objects.head(file) is None
        }
        return msgspec.structs.replace(request, **names)


def _request_to_repeat(job: Job) -> JobRequest:
    if not job.is_final:
        raise ConflictError(
            "job_not_finished",
            f"Job {job.job_id} is {job.status}. Only a job that failed or was cancelled is retried: cancel it first.",
        )
    if job.status is JobStatus.SUCCEEDED:
        raise ConflictError(
            "job_succeeded",
            f"Job {job.job_id} succeeded, and its model is there. Create a new job to train another one.",
        )
    if job.request is None:
        raise ConflictError(
            "request_unknown",
            f"Job {job.job_id} came of a drop that could not be understood, so that there is nothing to repeat. "
            "Mend the file as the job's error says and drop it again, or create a new job.",
        )
    return job.request
