"""Prepare: the files are checked and converted into the provider's format before anything is sent or paid for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from tunedrop.domain.errors import DatasetInvalidError, PermanentError, RequestInvalidError
from tunedrop.domain.job import Dataset, Job, Outcome, Phase
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.models import find_model
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import Clock, JobStore, ObjectStore
from tunedrop.domain.transitions import advance
from tunedrop.jobs import artifacts
from tunedrop.jobs.cancel import cancelled
from tunedrop.jobs.step import StepOutcome, StepResult, failure
from tunedrop.training_data.dataset import DatasetPreparation, Role
from tunedrop.training_data.price import check_cost
from tunedrop.training_data.report import DatasetReport, FileReport

FILE_WAIT = timedelta(minutes=15)
"""How long a manifest's files may take to arrive."""

UPLOAD_WAIT = timedelta(hours=24)
"""The same for the files of a job that was made to have them uploaded."""

MAX_NOTES = 50
MAX_NOTE_CHARACTERS = 1_000
"""What the record holds; the report has them all. An item of DynamoDB holds 400 KB."""


@dataclass(frozen=True, kw_only=True)
class PrepareJob:
    store: JobStore
    objects: ObjectStore
    clock: Clock
    artifacts_bucket: str
    polling: PollingPolicy

    def __call__(self, job_id: str) -> StepResult:
        job = self.store.get(job_id)
        return msgspec.structs.replace(self._look(job), wake_seq=job.wake_seq)

    def _look(self, job: Job) -> StepResult:
        if job.is_final or job.outcome is not None:
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        if job.dataset is not None:
            # A retry brings its files along; a job whose execution was lost may even be training.
            self.store.change(job.job_id, self._start)
            return StepResult(job_id=job.job_id, outcome=StepOutcome.READY)
        if job.cancel_requested_at is not None:
            self.store.change(job.job_id, lambda job: self._end(job, cancelled(job)))
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)
        try:
            return self._prepare(job)
        except PermanentError as error:
            outcome = failure(error)
            self.store.change(job.job_id, lambda job: self._end(job, outcome))
            return StepResult(job_id=job.job_id, outcome=StepOutcome.ENDED)

    def _start(self, job: Job) -> Job:
        waits = job.phase in {Phase.RECEIVED, Phase.AWAITING_UPLOAD}
        return advance(job, Phase.PREPARING, at=self.clock.now()) if waits else job

    def _end(self, job: Job, outcome: Outcome) -> Job:
        return advance(job, job.phase, at=self.clock.now(), outcome=outcome)

    def _prepare(self, job: Job) -> StepResult:
        if job.phase is not Phase.AWAITING_UPLOAD:
            job = self.store.change(job.job_id, self._start)
        request = _request_of(job)
        rules = find_model(request.provider, request.model)
        if request.validation_file is not None and not rules.takes_validation_file:
            raise RequestInvalidError(
                f"{rules.model_id} takes no validation file: leave 'validation_file' out of the manifest."
            )
        preparation = DatasetPreparation(
            rules, hyperparameters=request.hyperparameters, task_type=request.task_type, format=request.format
        )
        files = [file for file in (request.training_file, request.validation_file) if file is not None]
        missing = [file for file in files if self.objects.head(file) is None]
        if missing:
            return self._wait_for(job, missing)
        job = self.store.change(job.job_id, self._start)
        report = self._convert(job, request, preparation)
        check_cost(report.price, request.max_cost_usd)
        job = self.store.change(job.job_id, lambda job: self._ready(job, report))
        outcome = StepOutcome.READY if job.outcome is None else StepOutcome.ENDED
        return StepResult(job_id=job.job_id, outcome=outcome)

    def _wait_for(self, job: Job, missing: list[str]) -> StepResult:
        """An upload's own event wakes the job, so that it is looked for rarely."""
        uploaded = job.phase is Phase.AWAITING_UPLOAD
        now = self.clock.now()
        until = job.created_at + (UPLOAD_WAIT if uploaded else FILE_WAIT)
        if now >= until:
            raise RequestInvalidError(_missed(missing[0], uploaded=uploaded))
        wait = self.polling.wait_seconds(started=job.created_at, now=now, pushed=uploaded)
        left = int((until - now).total_seconds()) + 1
        return StepResult(job_id=job.job_id, outcome=StepOutcome.WAITING, wait_seconds=min(wait, left))

    def _convert(self, job: Job, request: JobRequest, preparation: DatasetPreparation) -> DatasetReport:
        """Reads both files whatever is wrong with one of them, so that a user learns of everything at once.

        Raises DatasetInvalidError, or RequestInvalidError for what does not fit the rows, once the report is written.
        """
        errors: list[PermanentError] = []
        files: dict[Role, str | None] = {"training": request.training_file, "validation": request.validation_file}
        for role, file in files.items():
            try:
                if file is not None:
                    self._convert_file(file, job, role, preparation)
            except PermanentError as error:
                errors.append(error)
        report = preparation.report()
        uri = artifacts.dataset_report(self.artifacts_bucket, job.job_id)
        self.objects.write(uri, [msgspec.json.encode(report)], content_type="application/json")
        if len(errors) > 1:
            raise type(errors[0])(" ".join(map(str, errors)))
        if errors:
            raise errors[0]
        return report

    def _convert_file(self, source: str, job: Job, role: Role, preparation: DatasetPreparation) -> None:
        """Streams one file through the checks into the artifacts bucket."""
        place = artifacts.training_file if role == "training" else artifacts.validation_file
        name = source.partition("?versionId=")[0].rpartition("/")[2]
        with self.objects.open(source) as stream:
            self.objects.write(
                place(self.artifacts_bucket, job.job_id),
                preparation.chunks(stream, name=name, role=role),
                content_type="application/jsonl",
            )

    def _ready(self, job: Job, report: DatasetReport) -> Job:
        """The files stay on the record of a job that was cancelled meanwhile: a retry trains on them."""
        return advance(
            job,
            Phase.PREPARING,
            at=self.clock.now(),
            outcome=None if job.cancel_requested_at is None else cancelled(job),
            dataset=self._dataset(job.job_id, report),
            hyperparameters=dict(report.hyperparameters),
            notes=_notes(report),
        )

    def _dataset(self, job_id: str, report: DatasetReport) -> Dataset:
        training, validation = report.training, report.validation
        if not isinstance(training, FileReport):
            raise DatasetInvalidError("The training file has not been read.")
        checked = validation if isinstance(validation, FileReport) else None
        return Dataset(
            training_uri=artifacts.training_file(self.artifacts_bucket, job_id),
            training_rows=training.rows,
            training_bytes=training.bytes_out,
            format=training.format,
            sha256=training.sha256,
            validation_uri=artifacts.validation_file(self.artifacts_bucket, job_id) if checked else None,
            validation_rows=checked.rows if checked else None,
            estimated_tokens=training.tokens.tokens,
            estimated_cost_usd=report.price.high_usd if report.price else None,
        )


def _request_of(job: Job) -> JobRequest:
    if job.request is None:
        raise RequestInvalidError(f"The record of job {job.job_id} holds no request. Drop the file again.")
    return job.request


def _missed(file: str, *, uploaded: bool) -> str:
    name = file.partition("?")[0]
    if uploaded:
        return f"{name} was not uploaded within {UPLOAD_WAIT // timedelta(hours=1)} hours. Create the job again."
    return (
        f"{name} did not arrive within {FILE_WAIT // timedelta(minutes=1)} minutes. "
        "Upload the file, check its name, then drop the manifest again."
    )


def _notes(report: DatasetReport) -> tuple[str, ...]:
    """Warnings first: they matter most where not everything can be kept."""
    files = (file for file in (report.training, report.validation) if isinstance(file, FileReport))
    notes = [*report.warnings, *report.notes, *(note for file in files for note in file.notes)]
    cut = [note if len(note) <= MAX_NOTE_CHARACTERS else f"{note[: MAX_NOTE_CHARACTERS - 1]}…" for note in notes]
    if len(cut) > MAX_NOTES:
        more = len(cut) - MAX_NOTES + 1
        cut = [*cut[: MAX_NOTES - 1], f"The report has {more} more notes."]
    return tuple(cut)
