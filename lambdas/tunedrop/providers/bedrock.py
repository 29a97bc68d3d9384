"""Amazon Bedrock: model customization jobs.

Creating is safe to repeat: the order's token is the client request token and the job's name at once. A name can be
used only once in an account's region, for good, so a job can also be found by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from tunedrop.domain.errors import ProviderRejectedError
from tunedrop.domain.job import Progress
from tunedrop.domain.ports import ObjectStore
from tunedrop.domain.provider_ports import ProviderJob, ProviderState, TrainingOrder
from tunedrop.providers.bedrock_errors import code_of, says_absent, translated
from tunedrop.providers.bedrock_metrics import last_progress, metrics_uri

STATES: Mapping[str, ProviderState] = {
    "InProgress": ProviderState.TRAINING,
    "Completed": ProviderState.SUCCEEDED,
    "Failed": ProviderState.FAILED,
    "Stopping": ProviderState.STOPPING,
    "Stopped": ProviderState.CANCELLED,
}
"""Of `status`; an InProgress job whose data is still being looked at is QUEUED."""

_SUB_TASKS: Mapping[str, str] = {
    "validationDetails": "validating the data",
    "dataProcessingDetails": "processing the data",
    "trainingDetails": "training",
}
JOB_TAG = "tunedrop:job-id"
"""On everything that is made at Bedrock for a job."""

_LONGEST_MODEL_NAME = 63
_NAME_IN_USE = "currently in use"


class BedrockProvider:
    """A FineTuningProvider. `client` is boto3's `bedrock`, in the region where the base model can be tuned."""

    lookup_settle_seconds = 0.0
    found_by_creating = False
    tells_news = True

    def __init__(self, *, client: Any, objects: ObjectStore, role_arn: str, output_uri_prefix: str) -> None:
        """`role_arn`: the role that Bedrock assumes to read and write S3. Each job's output goes to a folder of its
        own under `output_uri_prefix`, an S3 URI."""
        self._client = client
        self._objects = objects
        self._role_arn = role_arn
        self._output_uri_prefix = output_uri_prefix.rstrip("/")

    def find(self, order: TrainingOrder) -> str | None:
        with translated():
            try:
                found = self._client.get_model_customization_job(jobIdentifier=order.token)
            except ClientError as error:
                if says_absent(error):
                    return None
                raise
        # Somebody else's job of the same name is not ours; creating will say that the name is taken.
        return str(found["jobArn"]) if found.get("clientRequestToken") == order.token else None

    def create(self, order: TrainingOrder) -> str:
        try:
            with translated(creates=True):
                created = self._client.create_model_customization_job(**self._request(order))
        except ProviderRejectedError as refusal:
            if not _says_name_taken(refusal):
                raise
            existing = self.find(order)
            if existing is None:
                raise
            return existing
        return str(created["jobArn"])

    def status(self, provider_job_id: str) -> ProviderJob:
        with translated():
            job = self._client.get_model_customization_job(jobIdentifier=provider_job_id)
        raw = str(job.get("status", ""))
        state = STATES.get(raw, ProviderState.UNKNOWN)
        details = job.get("statusDetails", {})
        if state is ProviderState.TRAINING and not _training_began(details):
            state = ProviderState.QUEUED
        failed = state is ProviderState.FAILED
        return ProviderJob(
            state=state,
            raw_status=raw,
            tuned_model=job.get("outputModelArn") if state is ProviderState.SUCCEEDED else None,
            error_code=_failed_sub_task(details) if failed else None,
            error_message=job.get("failureMessage") or "Bedrock gave no reason." if failed else None,
            progress=None if state is ProviderState.UNKNOWN else self._progress(job, state, details),
        )

    def stop(self, provider_job_id: str) -> None:
        with translated():
            try:
                self._client.stop_model_customization_job(jobIdentifier=provider_job_id)
            except ClientError as error:
                # So a job is refused that is stopping or has ended; its status tells whether it was that.
                refused = code_of(error) in ("ConflictException", "ValidationException")
                if not refused or self._is_running(provider_job_id):
                    raise

    def _is_running(self, provider_job_id: str) -> bool:
        return self.status(provider_job_id).state in (ProviderState.QUEUED, ProviderState.TRAINING)

    def _request(self, order: TrainingOrder) -> dict[str, Any]:
        tags = [{"key": JOB_TAG, "value": order.job_id}]
        request: dict[str, Any] = {
            "jobName": order.token,
            "clientRequestToken": order.token,
            "customModelName": model_name(order),
            "customizationType": "FINE_TUNING",
            "roleArn": self._role_arn,
            "baseModelIdentifier": order.base_model,
            "trainingDataConfig": {"s3Uri": _plain_uri(order.training_uri)},
            "outputDataConfig": {"s3Uri": f"{self._output_uri_prefix}/{order.job_id}"},
            "hyperParameters": {name: as_text(value) for name, value in order.hyperparameters.items()},
            "jobTags": tags,
            "customModelTags": tags,
        }
        if order.validation_uri is not None:
            request["validationDataConfig"] = {"validators": [{"s3Uri": _plain_uri(order.validation_uri)}]}
        return request

    def _progress(self, job: Mapping[str, Any], state: ProviderState, details: Mapping[str, Any]) -> Progress | None:
        message = _current_sub_task(details) if state in (ProviderState.QUEUED, ProviderState.TRAINING) else None
        if state is ProviderState.QUEUED:
            return Progress(message=message)
        uri = metrics_uri(job["outputDataConfig"]["s3Uri"], job["jobArn"])
        progress = last_progress(self._objects, uri) or Progress()
        final_loss = job.get("trainingMetrics", {}).get("trainingLoss")
        if progress.training_loss is None and final_loss is not None:
            progress = msgspec.structs.replace(progress, training_loss=final_loss)
        return msgspec.structs.replace(progress, message=message)


def model_name(order: TrainingOrder) -> str:
    """`<job name>-<token>`, in the letters that a custom model's name may have, at most 63 of them."""
    room = _LONGEST_MODEL_NAME - len(order.token) - 1
    label = re.sub(r"[^0-9A-Za-z]+", "-", order.job_name or "").strip("-")[: max(0, room)].strip("-")
    token = re.sub(r"-+", "-", order.token)
    return f"{label}-{token}" if label else token


def as_text(value: float | str) -> str:
    """A hyperparameter as Bedrock takes it: text, without an exponent and without a needless `.0`."""
    if isinstance(value, str):
        return value
    return format(Decimal(repr(value)).normalize(), "f")


def _plain_uri(uri: str) -> str:
    """Bedrock reads the newest version; prepared files are written once."""
    return uri.partition("?versionId=")[0]


def _says_name_taken(refusal: ProviderRejectedError) -> bool:
    # The exact words were seen as "The provided job name is currently in use."
    taken = refusal.provider_code == "ValidationException" and _NAME_IN_USE in str(refusal)
    return taken or refusal.provider_code == "ConflictException"


def _training_began(details: Mapping[str, Any]) -> bool:
    """True also for a job without details, as jobs of other kinds have none."""
    training = details.get("trainingDetails")
    return training is None or training.get("status") != "NotStarted"


def _current_sub_task(details: Mapping[str, Any]) -> str | None:
    running = (words for name, words in _SUB_TASKS.items() if details.get(name, {}).get("status") == "InProgress")
    return next(running, None)


def _failed_sub_task(details: Mapping[str, Any]) -> str | None:
    """Bedrock has no codes for a job's failure: the part that failed is the nearest to one."""
    return next(
        (name.removesuffix("Details") for name, part in details.items() if part.get("status") == "Failed"), None
    )
