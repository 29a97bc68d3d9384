"""Accept: what a drop and a request over the API have in common on their way to becoming a job."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from tunedrop.domain.endpoint_rules import plan_after_success
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.hyperparameters import resolve
from tunedrop.domain.inbox import check_upload_name, upload_uri
from tunedrop.domain.job import Job, JobStatus, Phase, Source, execution_name
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.manifest import locate
from tunedrop.domain.models import ModelRules, find_model
from tunedrop.domain.ports import Workflow
from tunedrop.jobs.step import first_state

DEFAULT_DEADLINE = timedelta(days=7)

_WAITING_TO_BEGIN = frozenset({Phase.RECEIVED, Phase.AWAITING_UPLOAD})


def draft(job_id: str, *, at: datetime, source: Source | None = None) -> Job:
    """A job of which nothing is known yet."""
    return Job(
        job_id=job_id,
        provider="unknown",
        model="unknown",
        phase=Phase.RECEIVED,
        status=JobStatus.NOT_STARTED,
        version=1,
        created_at=at,
        updated_at=at,
        deadline_at=at + DEFAULT_DEADLINE,
        source=source,
    )


def check_fit(request: JobRequest) -> ModelRules:
    """The rules of the request's model. Raises RequestInvalidError for what this model, or this provider, cannot do."""
    rules = find_model(request.provider, request.model)
    if request.validation_file is not None and not rules.takes_validation_file:
        raise RequestInvalidError(f"{rules.model_id} takes no validation file: leave 'validation_file' out.")
    may_be_preference = rules.preference_pairs and request.format in (None, "preference")
    resolve(rules, request.hyperparameters, preference=may_be_preference)
    plan_after_success(request, rules.model_id)
    return rules


@dataclass(frozen=True, kw_only=True)
class AcceptJob:
    workflow: Workflow
    inbox_bucket: str
    readable_buckets: Collection[str]

    def __call__(self, job: Job, request: JobRequest, *, upload: bool = False) -> Job:
        """The draft `job`, ready to be recorded and started.

        With `upload`, a plain file name stands for a file that will be uploaded for this job, which waits for it.
        Raises RequestInvalidError.
        """
        rules = check_fit(request)
        located = self.locate(request, job_id=job.job_id, upload=upload)
        hours = request.deadline_hours
        return msgspec.structs.replace(
            job,
            provider=request.provider,
            model=request.model,
            request=located,
            base_model=rules.model_id,
            phase=Phase.AWAITING_UPLOAD if upload else Phase.RECEIVED,
            deadline_at=job.created_at + (DEFAULT_DEADLINE if hours is None else timedelta(hours=hours)),
            execution_arn=self.workflow.execution_arn(request.provider, execution_name(job)),
            console_url=self.workflow.console_url(request.provider, execution_name(job)),
        )

    def start(self, job: Job) -> None:
        """Starts the execution of a job that waits to begin; any other is left alone. Repeating this is safe."""
        if job.phase in _WAITING_TO_BEGIN:
            self.workflow.start(job.provider, execution_name(job), first_state(job))

    def locate(self, request: JobRequest, *, job_id: str, upload: bool) -> JobRequest:
        """The request with S3 URIs in place of names. Raises RequestInvalidError for what may not be read."""
        files = {"training_file": request.training_file}
        if request.validation_file is not None:
            files["validation_file"] = request.validation_file
        uploads = {field: file for field, file in files.items() if upload and "/" not in file}
        if upload and not uploads:
            raise RequestInvalidError(
                "'upload' is true, but no file is to be uploaded: give 'training_file' as a plain file name, such as "
                "train.jsonl, or leave 'upload' out."
            )
        if len(uploads) > len(set(uploads.values())):
            raise RequestInvalidError(
                "'training_file' and 'validation_file' have the same name, and would be uploaded to the same place: "
                "name them differently."
            )
        for field, name in uploads.items():
            check_upload_name(name, field=field)
            files[field] = upload_uri(self.inbox_bucket, job_id, name)
        for field in files.keys() - uploads.keys():
            files[field] = self._locate(files[field], field)
        return msgspec.structs.replace(request, **files)

    def _locate(self, file: str, field: str) -> str:
        location, version, version_id = file.partition("?versionId=")
        found = locate(location, field=field, inbox_bucket=self.inbox_bucket, readable_buckets=self.readable_buckets)
        return f"{found}{version}{version_id}"
