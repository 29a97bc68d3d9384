"""Databricks: each job is a run of the training job that the user saved in the workspace."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cached_property
from typing import Any, BinaryIO

import msgspec
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidState

from tunedrop.domain.errors import ProviderRejectedError
from tunedrop.domain.ports import ObjectStore
from tunedrop.domain.provider_ports import ProviderJob, ProviderState, TrainingOrder
from tunedrop.providers.databricks_errors import translated
from tunedrop.providers.databricks_results import failure_words, progress_of, succeeded
from tunedrop.providers.databricks_runs import Run
from tunedrop.providers.databricks_training_job import DOCUMENT, Place, Settings, parameters, place
from tunedrop.providers.databricks_workspace import checked, connect, read_document


class DatabricksProvider:
    """A FineTuningProvider. `secret` holds {host, client_id, client_secret} or {host, token}; the settings may be
    missing until a job is created. Raises CredentialsError when the secret cannot be used."""

    lookup_settle_seconds = 0.0
    found_by_creating = True
    tells_news = False

    def __init__(
        self,
        *,
        secret: Mapping[str, str],
        objects: ObjectStore,
        training_job_id: str | None,
        volume: str | None,
        schema: str | None,
        http_timeout_seconds: float = 10.0,
    ) -> None:
        self._credentials = checked(secret)
        self._objects = objects
        self._settings = Settings(training_job_id=training_job_id, volume=volume, schema=schema)
        self._http_timeout_seconds = http_timeout_seconds

    @cached_property
    def _workspace(self) -> WorkspaceClient:
        return connect(self._credentials, http_timeout_seconds=self._http_timeout_seconds)

    def find(self, order: TrainingOrder) -> str | None:
        """None: runs cannot be looked up by token. `create` is the look, since a token's second run is its first."""
        place(order, self._settings)
        return None

    def create(self, order: TrainingOrder) -> str:
        at = place(order, self._settings)
        self._upload(order, at)
        asking = f"starting a run of job {at.training_job_id}"
        try:
            with translated(asking, creating=True):
                started = self._workspace.jobs.run_now(
                    at.training_job_id, job_parameters=parameters(order, at), idempotency_token=order.token
                )
        except ProviderRejectedError as error:
            raise ProviderRejectedError(
                f"{error} (The job comes from the setting tunedrop:databricks_training_job_id; {DOCUMENT} lists the "
                "parameters that it must declare.)",
                provider_code=error.provider_code,
            ) from error
        return str(started.bind()["run_id"])

    def _upload(self, order: TrainingOrder, at: Place) -> None:
        with translated(f"writing to {at.folder}"):
            self._workspace.files.create_directory(at.folder)
            self._upload_file(order.training_uri, at.train_data_path)
            if order.validation_uri:
                self._upload_file(order.validation_uri, at.eval_data_path)

    def _upload_file(self, uri: str, path: str) -> None:
        with self._objects.open(uri) as stream:
            whole = io.BufferedReader(_Unbuffered(stream))
            # One part at a time, so that memory stays the same whatever the file's size.
            self._workspace.files.upload(path, whole, overwrite=True, use_parallel=False)

    def status(self, provider_job_id: str) -> ProviderJob:
        with translated(f"reading run {provider_job_id}"):
            run = self._run(provider_job_id)
            state = run.provider_state
            progress = None if state is ProviderState.QUEUED else progress_of(self._workspace, run)
            if state is ProviderState.SUCCEEDED:
                return succeeded(self._workspace, run, progress)
            error_message = failure_words(self._workspace, run) if state is ProviderState.FAILED else None
        return ProviderJob(
            state=state,
            raw_status=run.raw_status,
            error_code=run.end_code if state is ProviderState.FAILED else None,
            error_message=error_message,
            progress=progress,
        )

    def stop(self, provider_job_id: str) -> None:
        with translated(f"cancelling run {provider_job_id}"):
            try:
                self._workspace.jobs.cancel_run(int(provider_job_id))
            except InvalidState:
                # It ended before it could be cancelled.
                return

    def _run(self, run_id: str) -> Run:
        return msgspec.convert(read_document(self._workspace, "/api/2.2/jobs/runs/get", {"run_id": run_id}), Run)


class _Unbuffered(io.RawIOBase):
    """Lets BufferedReader fill its reads: the SDK takes a read that comes back short for the end of the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
