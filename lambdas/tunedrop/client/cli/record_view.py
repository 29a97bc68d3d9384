"""A job's and an endpoint's record for people, as sections of labels and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from tunedrop.client.cli.times import moment
from tunedrop.training_data.price import usd
from tunedrop.training_data.readable import Section

if TYPE_CHECKING:
    from tunedrop.client.records import EndpointRecord, ErrorRecord, JobRecord, ProgressRecord

Value = object
"""Text, a number, a time, or None for what there is not."""


def job_sections(job: JobRecord) -> list[Section]:
    """In reading order; what there is not, or not yet, is left out."""
    sections = [
        Section("Job", tuple(_rows(_job(job)))),
        Section("Training", tuple(_rows(_training(job)))),
        Section("Hyperparameters", tuple((name, str(value)) for name, value in (job.hyperparameters or {}).items())),
        Section("At AWS", tuple(_rows(_execution(job)))),
        Section("Notes", tuple(("", note) for note in job.notes)),
    ]
    return [section for section in sections if section.rows]


def endpoint_sections(endpoint: EndpointRecord) -> list[Section]:
    return [Section("Endpoint", tuple(_rows(_endpoint(endpoint))))]


def status_words(status: str, phase: str) -> str:
    """`running (training)`; the phase of a job that has ended says nothing more."""
    return status if phase == "done" else f"{status} ({phase.replace('_', ' ')})"


def progress_words(progress: ProgressRecord | None) -> str:
    """`step 4 of 90, loss 1.5525, 12,000 tokens`; empty where nothing is known."""
    if progress is None:
        return ""
    words = []
    if progress.step is not None:
        total = f" of {progress.total_steps:,}" if progress.total_steps is not None else ""
        words.append(f"step {progress.step:,}{total}")
    if progress.training_loss is not None:
        words.append(f"loss {progress.training_loss:g}")
    if progress.trained_tokens is not None:
        words.append(f"{progress.trained_tokens:,} tokens")
    return ", ".join(words)


def error_words(error: ErrorRecord | None) -> str | None:
    """In the provider's own words, where they are the provider's."""
    if error is None:
        return None
    provider_code = f", {error.provider_code} at the provider" if error.provider_code else ""
    return f"{error.message} ({error.code}{provider_code})"


def _job(job: JobRecord) -> Iterable[tuple[str, Value]]:
    yield "Id", job.job_id
    yield "Name", job.job_name
    yield "Status", status_words(job.status, job.phase)
    yield "Progress", progress_words(job.progress) or None
    yield "Why", error_words(job.error)
    yield "Trouble, job goes on", job.last_error
    yield "Tuned model", job.tuned_model
    yield "Model deleted", job.model_deleted_at
    yield "Created", job.created_at
    yield "Ended", job.finished_at
    yield "Deadline", job.deadline_at if job.finished_at is None else None
    yield "Cancel asked for", job.cancel_requested_at
    yield "Retry of", job.retry_of


def _training(job: JobRecord) -> Iterable[tuple[str, Value]]:
    yield "Provider", job.provider
    yield "Model", job.model
    yield "Trained model", job.base_model if job.base_model != job.model else None
    yield "Job at the provider", job.provider_job_id
    yield "Status there", job.provider_status
    yield "Training file", job.training_file
    yield "Validation file", job.validation_file
    if job.dataset is not None:
        yield "Rows", f"{job.dataset.training_rows:,}"
        yield "Price up to", usd(cost) if (cost := job.dataset.estimated_cost_usd) is not None else None
    yield "Price limit", usd(job.max_cost_usd) if job.max_cost_usd is not None else None


def _execution(job: JobRecord) -> Iterable[tuple[str, Value]]:
    yield "Report", job.report_uri
    yield "Execution", job.execution_arn
    yield "Console", job.console_url


def _endpoint(endpoint: EndpointRecord) -> Iterable[tuple[str, Value]]:
    yield "Job", endpoint.job_id
    yield "Status", endpoint.status
    yield "Kind", endpoint.kind
    yield "Model units", endpoint.model_units
    if endpoint.call is not None:
        yield "Model to call", endpoint.call.model_id
        yield "With LiteLLM, DSPy", endpoint.call.litellm_model
        yield "URL", endpoint.call.url
    yield "Why", error_words(endpoint.error)
    yield "Trouble, it goes on", endpoint.last_error
    yield "Ready since", endpoint.ready_at if endpoint.status == "ready" else None
    yield "Is stopped at", endpoint.expires_at if endpoint.stopped_at is None else None
    yield "Stopped", endpoint.stopped_at
    yield "Cost", endpoint.cost_note
    yield "Execution", endpoint.execution_arn
    yield "Console", endpoint.console_url


def _rows(pairs: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, str]]:
    for label, value in pairs:
        if value is not None and value != "":
            yield label, _words(value)


def _words(value: Value) -> str:
    return moment(value) if isinstance(value, datetime) else str(value)
