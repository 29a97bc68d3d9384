"""Fine-tuning at OpenAI, and at hosts that are compatible with its API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from tunedrop.domain.errors import (
    CredentialsError,
    PermanentError,
    ProviderThrottledError,
    ProviderUnavailableError,
    RequestInvalidError,
    SubmissionUncertainError,
    TransientError,
)
from tunedrop.domain.job import Progress
from tunedrop.domain.ports import ObjectStore
from tunedrop.domain.provider_ports import ProviderJob, ProviderState, TrainingOrder
from tunedrop.providers.openai_connection import connect, signing_secret
from tunedrop.providers.openai_errors import openai_errors
from tunedrop.providers.openai_progress import read_progress
from tunedrop.providers.openai_upload import OPENAI_SIZES, UploadSizes, upload_file

JOB_ID_KEY = "tunedrop_job_id"
"""The metadata key by which a job is found again: OpenAI's create call has no idempotency token."""

STATES: Mapping[str, ProviderState] = {
    "validating_files": ProviderState.QUEUED,
    "pending": ProviderState.QUEUED,  # Azure
    "queued": ProviderState.QUEUED,
    "running": ProviderState.TRAINING,
    # Not in the SDK's Literal, but in OpenAI's guide since jobs can be paused. A paused job waits for its owner.
    "pausing": ProviderState.TRAINING,
    "paused": ProviderState.TRAINING,
    "succeeded": ProviderState.SUCCEEDED,
    "failed": ProviderState.FAILED,
    "cancelled": ProviderState.CANCELLED,
}
_ENDED = frozenset({ProviderState.SUCCEEDED, ProviderState.FAILED, ProviderState.CANCELLED})

_LONGEST_SUFFIX = 40
"""OpenAI takes 64 characters; a shorter one keeps the model's name readable."""
_EVENTS_READ = 20


_Item = TypeVar("_Item", FileObject, FineTuningJob)


class OpenAIProvider:
    """A FineTuningProvider.

    `secret` holds `api_key`, `base_url` for another host, and `webhook_secret` where webhooks are set up. Raises
    CredentialsError for a secret that cannot be used. No call but that of an upload's part is repeated in here: the
    workflow does that, and knows when it is safe.
    """

    lookup_settle_seconds = 60.0
    found_by_creating = False

    def __init__(
        self, *, secret: Mapping[str, str], objects: ObjectStore, upload_sizes: UploadSizes = OPENAI_SIZES
    ) -> None:
        self._objects = objects
        self._upload_sizes = upload_sizes
        self.tells_news = signing_secret(secret) is not None
        self._client = connect(secret)

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self._client.close()

    def find(self, order: TrainingOrder) -> str | None:
        with openai_errors():
            jobs = list(_each_once(self._client.fine_tuning.jobs.list(metadata={JOB_ID_KEY: order.job_id}, limit=100)))
        # A compatible host may ignore the filter and answer with every job of the account.
        ours = [job for job in jobs if (job.metadata or {}).get(JOB_ID_KEY) == order.job_id]
        return min(ours, key=lambda job: job.created_at).id if ours else None

    def create(self, order: TrainingOrder) -> str:
        names = [f"{order.job_id}-{order.training_sha256[:12]}.jsonl"]
        uris = [order.training_uri]
        if order.validation_uri is not None:
            names.append(f"{order.job_id}-validation-{order.training_sha256[:12]}.jsonl")
            uris.append(order.validation_uri)
        uploaded = self._uploaded(names)
        file_ids = [uploaded.get(name) or self._upload(name, uri) for name, uri in zip(names, uris, strict=True)]
        with openai_errors(creating=True):
            job = self._client.fine_tuning.jobs.create(**_job_parameters(order, file_ids))
        job_id = getattr(job, "id", None)
        if not job_id:
            raise SubmissionUncertainError("OpenAI's answer to the create call names no job. Is base_url right?")
        return str(job_id)

    def status(self, provider_job_id: str) -> ProviderJob:
        job = self._retrieve(provider_job_id)
        state = _state(job)
        progress, patience = Progress(trained_tokens=job.trained_tokens), None
        if state in (ProviderState.TRAINING, ProviderState.SUCCEEDED):
            progress, patience = self._progress(job)
        error = job.error if state is ProviderState.FAILED else None
        return ProviderJob(
            state=state,
            raw_status=str(job.status),
            tuned_model=job.fine_tuned_model if state is ProviderState.SUCCEEDED else None,
            error_code=error.code if error else None,
            error_message=error.message if error else None,
            progress=progress,
            retry_after=patience,
        )

    def stop(self, provider_job_id: str) -> None:
        try:
            with openai_errors():
                self._client.fine_tuning.jobs.cancel(provider_job_id)
        except (PermanentError, ProviderUnavailableError) as refused:
            if isinstance(refused, CredentialsError) or _state(self._retrieve(provider_job_id)) not in _ENDED:
                raise

    def _uploaded(self, names: Sequence[str]) -> dict[str, str]:
        """The ids of the files that an earlier attempt brought here, by name."""
        found: dict[str, str] = {}
        with openai_errors():
            for file in _each_once(self._client.files.list(purpose="fine-tune", order="desc", limit=10_000)):
                if file.filename in names and file.status != "error":
                    found.setdefault(file.filename, file.id)
                if len(found) == len(names):
                    break
        return found

    def _upload(self, name: str, uri: str) -> str:
        info = self._objects.head(uri)
        if info is None:
            raise RequestInvalidError(f"The prepared file {uri} is gone. Drop the training file again.")
        with openai_errors(), self._objects.open(uri) as stream:
            file = upload_file(self._client, stream, name=name, size=info.size, sizes=self._upload_sizes)
        file_id = getattr(file, "id", None)
        if not file_id:
            raise ProviderUnavailableError("OpenAI's answer to the upload names no file. Is base_url right?")
        return str(file_id)

    def _retrieve(self, provider_job_id: str) -> FineTuningJob:
        with openai_errors():
            job = self._client.fine_tuning.jobs.retrieve(provider_job_id)
        if not isinstance(job, FineTuningJob):
            raise ProviderUnavailableError("OpenAI's answer is not a fine-tuning job. Is base_url right?")
        return job

    def _progress(self, job: FineTuningJob) -> tuple[Progress, float | None]:
        """The last step and message, and a Retry-After; a job whose events cannot be read goes on all the same."""
        try:
            with openai_errors():
                events = self._client.fine_tuning.jobs.list_events(job.id, limit=_EVENTS_READ).data
                return read_progress(events, job.trained_tokens), None
        except ProviderThrottledError as throttled:
            return Progress(trained_tokens=job.trained_tokens), throttled.retry_after
        except (TransientError, PermanentError):
            return Progress(trained_tokens=job.trained_tokens), None


def _each_once(items: Iterable[_Item]) -> Iterator[_Item]:
    """All pages; a compatible host that ignores `after` would give the first page for ever."""
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            return
        seen.add(item.id)
        yield item


def suffix_for(job_name: str | None) -> str | None:
    """The readable part of the tuned model's name: a-z, 0-9 and hyphens, at most 40; None for the provider's own."""
    kept = re.sub(r"[^a-z0-9]+", "-", (job_name or "").lower()).strip("-")
    return kept[:_LONGEST_SUFFIX].rstrip("-") or None


def _job_parameters(order: TrainingOrder, file_ids: Sequence[str]) -> dict[str, Any]:
    method = "dpo" if order.format == "preference" else "supervised"
    parameters: dict[str, Any] = {
        "model": order.base_model,
        "training_file": file_ids[0],
        "method": {"type": method, method: {"hyperparameters": dict(order.hyperparameters)}},
        "metadata": {JOB_ID_KEY: order.job_id},
    }
    if len(file_ids) > 1:
        parameters["validation_file"] = file_ids[1]
    if suffix := suffix_for(order.job_name):
        parameters["suffix"] = suffix
    return parameters


def _state(job: FineTuningJob) -> ProviderState:
    return STATES.get(str(job.status), ProviderState.UNKNOWN)
