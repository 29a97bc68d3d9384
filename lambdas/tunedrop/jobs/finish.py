"""Finish: the job's end is written down: the reports first, then the final status, then the endpoint's beginning."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.errors import RequestInvalidError, TransientError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, as_document
from tunedrop.domain.ports import Clock, JobStore, ObjectStore
from tunedrop.domain.transitions import close
from tunedrop.jobs import artifacts
from tunedrop.jobs.report_page import report_page
from tunedrop.training_data.readable import Section, readable
from tunedrop.training_data.report import DatasetReport

logger = logging.getLogger(__name__)

MAX_CAUSE_CHARACTERS = 1_000


class Caught(msgspec.Struct, frozen=True, rename={"error": "Error", "cause": "Cause"}):
    """What the state machine caught when a step failed for good (`Error` and `Cause` of a Catch)."""

    error: str = "unknown"
    cause: str = ""


class Finished(msgspec.Struct, frozen=True):
    """An ended job, and its endpoint, where it has one."""

    job: Job
    endpoint: Endpoint | None = None


@dataclass(frozen=True, kw_only=True)
class FinishJob:
    store: JobStore
    objects: ObjectStore
    clock: Clock
    artifacts_bucket: str
    serve: Callable[[Job], Endpoint | None]
    """Writes the beginning of the job's endpoint, where one is wanted; safe to repeat."""

    def __call__(self, job_id: str, caught: Caught | None = None) -> Finished:
        """The ended job. A job that ended before is left as it is; repeating this is safe."""
        job = self.store.get(job_id)
        return self._served(job if job.is_final else self._ended(job, caught))

    def _ended(self, job: Job, caught: Caught | None) -> Job:
        job_id = job.job_id
        outcome = job.outcome or _unexplained(job, caught)
        report_uri = artifacts.report(self.artifacts_bucket, job_id)
        now = self.clock.now()
        ended = close(job, outcome, at=now, report_uri=report_uri)
        found = self._dataset_report(job_id)
        page = report_page(ended, _sections(found))
        page_uri = artifacts.readable_report(self.artifacts_bucket, job_id)
        self.objects.write(page_uri, [page.encode()], content_type="text/markdown; charset=utf-8")
        report = {"job": as_document(ended), "dataset": None if found is None else msgspec.Raw(found)}
        content = msgspec.json.format(msgspec.json.encode(report))
        self.objects.write(report_uri, [content], content_type="application/json")
        return self.store.change(job_id, lambda job: close(job, outcome, at=now, report_uri=report_uri))

    def _served(self, job: Job) -> Finished:
        """Whatever comes of the endpoint, the job has succeeded: starting it again costs no second training."""
        if job.status is not JobStatus.SUCCEEDED:
            return Finished(job)
        try:
            return Finished(job, self.serve(job))
        except TransientError:
            raise  # the whole step comes again, and finds the job ended
        except Exception as error:
            logger.exception("the endpoint was not started", extra={"job_id": job.job_id})
            note = f"The endpoint was not started: {error}"
            return Finished(self.store.change(job.job_id, lambda job: self._noted(job, note)))

    def _noted(self, job: Job, note: str) -> Job:
        if note in job.notes:
            return job
        return msgspec.structs.replace(
            job, notes=(*job.notes, note), version=job.version + 1, updated_at=self.clock.now()
        )

    def _dataset_report(self, job_id: str) -> bytes | None:
        """What Prepare found, as JSON; None where the job ended before its files were read."""
        uri = artifacts.dataset_report(self.artifacts_bucket, job_id)
        try:
            with self.objects.open(uri) as stream:
                return stream.read()
        except RequestInvalidError:
            return None


def _sections(found: bytes | None) -> list[Section]:
    if found is None:
        return [Section("Training file", (("", "The job ended before its files were read."),))]
    try:
        return readable(msgspec.json.decode(found, type=DatasetReport))
    except msgspec.ValidationError:
        # A job may be older than this version of the functions: how its report is shown must not stop it from ending.
        return [Section("Training file", (("", "What was found in the files is in report.json."),))]


def _unexplained(job: Job, caught: Caught | None) -> Outcome:
    """A step failed for good without leaving an outcome: a defect, or a permission that is missing."""
    what = caught or Caught()
    message = (
        f"A step failed while the job was {job.phase}: {what.error}: {what.cause[:MAX_CAUSE_CHARACTERS]} "
        "The execution's history and the function's log say more; drop the file again once it is mended."
    )
    return Outcome(status=JobStatus.FAILED, error=JobError(code="step_failed", message=message))
