"""Receive: one object version in the inbox becomes one job and one execution, however often S3 tells of it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tunedrop.domain.errors import PermanentError
from tunedrop.domain.inbox import DatasetDrop, read_key, starts_a_job
from tunedrop.domain.job import Job, Phase, Source, job_id_for
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.manifest import MAX_MANIFEST_BYTES, read_manifest
from tunedrop.domain.ports import Clock, JobStore, ObjectStore
from tunedrop.jobs.accept import AcceptJob, draft
from tunedrop.jobs.finish import FinishJob
from tunedrop.jobs.step import failure


@dataclass(frozen=True, kw_only=True)
class ReceiveUpload:
    store: JobStore
    objects: ObjectStore
    accept: AcceptJob
    finish: FinishJob
    clock: Clock

    def __call__(self, source: Source) -> Job | None:
        """The job of `source`, None where the key asks for none.

        Safe to repeat at any moment: what a crashed delivery left undone, the next one finishes.
        """
        if not starts_a_job(source.key):
            return None
        job = self._record(source)
        if job.phase is not Phase.RECEIVED:
            return job
        if job.outcome is not None:
            self.finish(job.job_id)
            return self.store.get(job.job_id)
        self.accept.start(job)
        return job

    def _record(self, source: Source) -> Job:
        job = self._new_job(source)
        return job if self.store.create(job) else self.store.get(job.job_id)

    def _new_job(self, source: Source) -> Job:
        """A drop that cannot be used becomes a job, too: there is nobody to answer, and the record says what is
        wrong."""
        job = draft(job_id_for(source), at=self.clock.now(), source=source)
        try:
            request = self._request(source)
            job = msgspec.structs.replace(job, provider=request.provider, model=request.model, request=request)
            return self.accept(job, request)
        except PermanentError as error:
            return msgspec.structs.replace(job, outcome=failure(error))

    def _request(self, source: Source) -> JobRequest:
        uri = f"s3://{source.bucket}/{source.key}?versionId={source.version}"
        drop = read_key(source.key)
        if isinstance(drop, DatasetDrop):
            return JobRequest(provider=drop.provider, model=drop.model, training_file=uri)
        with self.objects.open(uri) as stream:
            return read_manifest(stream.read(MAX_MANIFEST_BYTES + 1), name=drop.name)
