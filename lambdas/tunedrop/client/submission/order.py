"""Submits a job: everything that can be known is known before anything is uploaded."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from os import PathLike
from typing import TYPE_CHECKING, Any

from tunedrop.client.errors import SubmissionInDoubtError, TrainKwargsError, TunedropError, UploadError
from tunedrop.client.job import Job
from tunedrop.client.records import JobRecord, read
from tunedrop.client.repeating import IDEMPOTENCY_KEY
from tunedrop.client.submission import databricks_token
from tunedrop.client.submission.data_formats import read_format
from tunedrop.client.submission.files_of_job import Files, lay_out
from tunedrop.client.submission.local_checks import check_locally
from tunedrop.client.submission.model_names import training_model
from tunedrop.client.submission.stack_checks import ask_stack
from tunedrop.client.submission.train_kwargs import Asked, read_train_kwargs
from tunedrop.client.submission.training_rows import Data, Rows, opened
from tunedrop.client.submission.uploads import upload
from tunedrop.domain.job import job_id_for_key
from tunedrop.domain.models import find_model

if TYPE_CHECKING:
    from tunedrop.client.tunedrop import Tunedrop

_LOG = logging.getLogger(__name__)


def submit(
    tunedrop: Tunedrop,
    *,
    model: str,
    train_data: Rows | str | PathLike[str],
    train_data_format: str | None = None,
    train_kwargs: Mapping[str, Any] | None = None,
    provider: str | None = None,
    validation_data: Rows | str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> Job:
    """The job that was created, its files uploaded; `train_kwargs` stay as they are.

    Raises TrainKwargsError and TrainingDataError before anything is uploaded, UploadError, ConfigurationError,
    ApiError, ConnectionFailedError; SubmissionInDoubtError where there may be a job all the same.
    """
    owner, model_id = training_model(model, provider)
    rules = find_model(owner, model_id)
    data_format = read_format(train_data_format, owner)
    asked = read_train_kwargs(train_kwargs, rules, data_format=data_format)
    validation_data = _one_of(validation_data, asked)
    if validation_data is not None and not rules.takes_validation_file:
        raise TrainKwargsError(f"{owner}: {model_id} takes no validation data: leave 'validation_data' out.")
    tunedrop = tunedrop.with_profile(asked.aws_profile)
    with ExitStack() as stack:
        training = stack.enter_context(opened(train_data, argument="train_data"))
        validation: Data | None = None
        if validation_data is not None:
            validation = stack.enter_context(opened(validation_data, argument="validation_data"))
        checked = check_locally(rules, asked.fields, training=training, validation=validation, data_format=data_format)
        files = lay_out(training, validation, asked.place, checked.digests, provider=owner)
        fields = {**asked.fields, "provider": owner, "model": model_id}
        if data_format is not None:
            fields["format"] = data_format
        warnings = ask_stack(tunedrop.api, fields, files)
        for warning in dict.fromkeys((*checked.report.warnings, *warnings)):
            _LOG.warning("%s", warning)
        return _send(tunedrop, fields, files, asked, progress)


def _one_of(validation_data: Any, asked: Asked) -> Any:
    if validation_data is not None and asked.validation_file is not None:
        raise TrainKwargsError(
            "train_kwargs['validation_file'] and the argument 'validation_data' mean the same: give one of them."
        )
    return asked.validation_file if validation_data is None else validation_data


def _send(tunedrop: Tunedrop, fields: dict[str, Any], files: Files, asked: Asked, progress: bool | None) -> Job:
    """What changes something, in an order in which nothing is left behind that bills or waits."""
    if asked.workspace is not None:
        databricks_token.store(asked.workspace, tunedrop.connection)
    for data, target in files.to_place:
        upload(data, target, tunedrop.connection, progress=progress)
    job = _created(tunedrop, files.named_in(fields))
    try:
        for data, target in files.awaited_by(job.record):
            upload(data, target, tunedrop.connection, progress=progress)
    except UploadError as error:
        raise UploadError(f"{error} {_cancelled(job)}") from error
    except BaseException:  # interrupted: the job would wait for its file for a day
        _cancelled(job)
        raise
    return job


def _created(tunedrop: Tunedrop, request: dict[str, Any]) -> Job:
    """Where it may have been made though no answer says so, the caller is told its id, lest it is made twice."""
    key = str(uuid.uuid4())
    job_id = job_id_for_key(key)
    in_doubt = f"If it made a job, that is {job_id}: see `tunedrop show {job_id}` before you submit it again."
    try:
        answer = tunedrop.api.request("POST", "/v1/jobs", body=request, headers={IDEMPOTENCY_KEY: key})
    except TunedropError as error:
        if not error.may_have_been_carried_out:
            raise
        raise SubmissionInDoubtError(f"{error} {in_doubt}", job_id=job_id) from error
    except KeyboardInterrupt:
        _LOG.warning("%s", in_doubt)
        raise
    return Job(tunedrop, read(answer.document, JobRecord))


def _cancelled(job: Job) -> str:
    """Cancels a job that does not get its file; what became of it."""
    with suppress(TunedropError):
        job.cancel()
        return f"Job {job.job_id}, which was to train on it, is cancelled."
    return f"Job {job.job_id}, which was to train on it, could not be cancelled: it gives up after 24 hours."
