"""What is said of a job: in short, when it ends badly, and when it goes on without us."""

from __future__ import annotations

from tunedrop.client.cli.printable import printable
from tunedrop.client.errors import EndpointFailedError, JobCancelledError, JobFailedError, TunedropError
from tunedrop.client.records import EndpointRecord, ErrorRecord, JobRecord
from tunedrop.domain.job import JobStatus


def in_short(record: JobRecord) -> str:
    """`Job('jzvd…', bedrock/nova-lite, running: training, step 4, loss 1.55)`"""
    # A model's name may come from a key in the inbox.
    parts = [repr(record.job_id), printable(f"{record.provider}/{record.model}"), status_words(record)]
    if record.is_final:
        ending = record.error.code if record.error else record.tuned_model
        parts += [ending] if ending else []
    elif record.progress is not None:
        progress = record.progress
        total = f" of {progress.total_steps}" if progress.total_steps is not None else ""
        parts += [f"step {progress.step}{total}"] if progress.step is not None else []
        parts += [f"loss {progress.training_loss:.3g}"] if progress.training_loss is not None else []
    return f"Job({', '.join(parts)})"


def status_words(record: JobRecord) -> str:
    """`running: training`; `succeeded`, since the phase of what has ended says nothing more."""
    return record.status if record.is_final else f"{record.status}: {record.phase.replace('_', ' ')}"


def how_to_attach(job_id: str) -> str:
    return f"Take it up again with Tunedrop().attach({job_id!r}), or: tunedrop watch {job_id}"


def name_to_call(record: JobRecord, endpoint: EndpointRecord | None) -> str:
    """By which the tuned model of a job that has ended is called. Raises what says why there is none."""
    if record.status == JobStatus.FAILED:
        raise _job_failure(record)
    if record.status == JobStatus.CANCELLED:
        raise JobCancelledError(_cancelled(record))
    if record.status != JobStatus.SUCCEEDED or record.tuned_model is None:
        raise TunedropError(f"Job {record.job_id} has ended as {record.status!r}, without a model.")
    if record.model_deleted_at is not None:
        raise TunedropError(f"The model of job {record.job_id} was deleted on {record.model_deleted_at:%Y-%m-%d}.")
    if endpoint is not None and endpoint.status == "ready" and endpoint.call is not None:
        return endpoint.call.litellm_model
    if endpoint is not None and record.starts_endpoint and endpoint.status in ("none", "failed"):
        raise endpoint_failure(record.job_id, endpoint, record.tuned_model)
    return record.tuned_model


def endpoint_failure(job_id: str, endpoint: EndpointRecord, tuned_model: str | None = None) -> EndpointFailedError:
    model = f" The model is trained: {tuned_model}." if tuned_model else " The model is trained."
    again = f"Start the endpoint again: start_endpoint() of the job, or: tunedrop endpoint start {job_id}"
    if endpoint.status == "none":
        return EndpointFailedError(f"The endpoint of job {job_id} has not been started.{model} {again}")
    why = f": {_because(endpoint.error)}" if endpoint.error is not None else "."
    return EndpointFailedError(f"The endpoint of job {job_id} is {endpoint.status}{why}{model} {again}")


def _job_failure(record: JobRecord) -> JobFailedError:
    error = record.error
    return JobFailedError(
        _because(error) if error is not None else "The job failed, and its record does not say why.",
        job_id=record.job_id,
        code=error.code if error is not None else None,
        provider_code=error.provider_code if error is not None else None,
    )


def _cancelled(record: JobRecord) -> str:
    if record.cancel_cause is not None:
        return f"Job {record.job_id} was cancelled: {record.cancel_cause.message}"
    return f"Job {record.job_id} was cancelled: there is no model. Train it again with retry() of the job."


def _because(error: ErrorRecord) -> str:
    """In the provider's own words, where they are the provider's."""
    return error.message if error.message.endswith((".", "!", "?")) else f"{error.message}."
