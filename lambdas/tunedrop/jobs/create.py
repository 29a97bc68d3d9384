"""Create: a request over the API becomes one job and one execution."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from tunedrop.domain.errors import ConflictError
from tunedrop.domain.job import Job, job_id_for_key
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.ports import Clock, JobStore
from tunedrop.jobs.accept import AcceptJob, draft


@dataclass(frozen=True, kw_only=True)
class CreateJob:
    store: JobStore
    accept: AcceptJob
    clock: Clock

    def __call__(self, request: JobRequest, *, upload: bool, idempotency_key: str | None) -> Job:
        """The new job; with an `idempotency_key`, the one that the same key made before.

        What a crash left undone, a repetition with the same key finishes: the id is made of the key. Nothing is
        recorded of a request that cannot be used. Raises RequestInvalidError; ConflictError
        (`idempotency_key_reused`) for a key that made a job of another request.
        """
        job_id = _random_id() if idempotency_key is None else job_id_for_key(idempotency_key)
        job = self.accept(draft(job_id, at=self.clock.now()), request, upload=upload)
        if not self.store.create(job):
            before = self.store.get(job_id)
            if before.request != job.request:
                raise ConflictError(
                    "idempotency_key_reused",
                    f"The Idempotency-Key made job {job_id} before, of another request. Use a new key for each.",
                )
            job = before
        self.accept.start(job)
        return job


def _random_id() -> str:
    """26 lower-case base32 characters, as of every job: 130 bits."""
    return base64.b32encode(secrets.token_bytes(17)).decode().lower()[:26]
