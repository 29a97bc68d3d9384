"""Asks a tuned model, with the caller's own credentials: neither the question nor the answer passes the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tunedrop.client.errors import TunedropError

if TYPE_CHECKING:
    from tunedrop.client.job import Job
    from tunedrop.client.records import CallRecord, EndpointRecord
    from tunedrop.client.tunedrop import Tunedrop

TIMEOUT_SECONDS = 120.0
"""An endpoint that was scaled to zero takes this long and longer to come up."""


class AskingError(TunedropError):
    """The model cannot be asked, or does not answer; the message says why, in the provider's words where it refused."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    system: str | None = None
    max_tokens: int | None = None
    """Of the answer; None leaves it to the provider."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds to wait for the answer."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    stop_reason: str | None
    """The provider's own word for why the answer ends where it does."""
    cut: bool
    """It ends because it may not be longer."""
    input_tokens: int | None
    output_tokens: int | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    job_id: str
    provider: str
    model: str
    """What was called, by the name that the provider's own API takes."""
    reply: Reply


def ask(tunedrop: Tunedrop, job_id: str, question: Question) -> Answer:
    """Raises AskingError where there is nothing to ask or the provider refuses, ConfigurationError where the caller has
    no key, ConnectionFailedError where the provider gives no answer, and what the API refuses."""
    job = tunedrop.attach(job_id)
    call = _call(job)
    provider = str(job.record.provider)
    return Answer(
        job_id=job.job_id,
        provider=provider,
        model=call.model_id,
        reply=_askers(tunedrop)[provider](call, question),
    )


def _askers(tunedrop: Tunedrop) -> dict[str, Callable[[CallRecord, Question], Reply]]:
    from tunedrop.client.asking_bedrock import ask_bedrock
    from tunedrop.client.asking_http import ask_databricks, ask_openai

    return {
        "bedrock": lambda call, question: ask_bedrock(tunedrop.connection, call, question),
        "databricks": ask_databricks,
        "openai": ask_openai,
    }


def _call(job: Job) -> CallRecord:
    """What to call. Raises AskingError, which says how to come to something that can be called."""
    record = job.record
    if record.model_deleted_at is not None:
        raise AskingError(f"The model of job {job.job_id} was deleted: train it again.")
    if record.status != "succeeded":
        raise AskingError(_no_model(job))
    endpoint = job.endpoint()
    if endpoint.status != "ready" or endpoint.call is None:
        raise AskingError(_not_served(job.job_id, endpoint))
    return endpoint.call


def _no_model(job: Job) -> str:
    record = job.record
    if record.status == "failed":
        reason = f": {record.error.message}" if record.error is not None else "."
        return f"Job {job.job_id} failed, so there is no model to ask{reason}"
    if record.status == "cancelled":
        return f"Job {job.job_id} was cancelled, so there is no model to ask. Train again: tunedrop retry {job.job_id}"
    return (
        f"Job {job.job_id} is {record.status} ({record.phase}), so there is no model to ask yet. "
        f"Follow it: tunedrop watch {job.job_id}"
    )


def _not_served(job_id: str, endpoint: EndpointRecord) -> str:
    whose, start = f"The endpoint of job {job_id}", f"tunedrop endpoint start {job_id}"
    reason = f": {endpoint.error.message.rstrip('.')}." if endpoint.error is not None else "."
    by_status = {
        "starting": f"is starting: ask again when it is ready. Look: tunedrop endpoint show {job_id}",
        "stopping": f"is stopping. Start it again when it has stopped: {start}",
        "failed": f"did not come up{reason} Start it again: {start}",
        "stopped": f"has stopped. Start it again: {start}",
    }
    return f"{whose} {by_status.get(endpoint.status, f'was never started. Start it: {start}')}"
