"""The use cases of jobs: how they are made, shown, steered, prepared and ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from tunedrop import env
from tunedrop.aws.clients import client
from tunedrop.aws.job_list import DynamoJobList
from tunedrop.aws.timeline import DynamoTimeline
from tunedrop.aws.upload_signer import SIGNING_CONFIG, S3UploadSigner
from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import Job
from tunedrop.endpoints.serve import ServeModel
from tunedrop.jobs.accept import AcceptJob
from tunedrop.jobs.create import CreateJob
from tunedrop.jobs.finish import FinishJob
from tunedrop.jobs.receive import ReceiveUpload
from tunedrop.jobs.request_cancel import RequestCancel
from tunedrop.jobs.retry import RetryJob
from tunedrop.jobs.uploads import HearOfUpload, SignUploads
from tunedrop.jobs.wake import RefreshJob
from tunedrop.wiring.adapters import (
    SystemClock,
    endpoint_store,
    endpoint_workflow,
    idempotency_records,
    job_store,
    object_store,
    polling_policy,
    readable_buckets,
    task_tokens,
    training_workflow,
)
from tunedrop.wiring.news import wake_job

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from tunedrop.jobs.prepare import PrepareJob
    from tunedrop.jobs.validate import ValidateRequest


@cache
def _accept_job() -> AcceptJob:
    return AcceptJob(
        workflow=training_workflow(),
        inbox_bucket=env.required(env.INBOX_BUCKET),
        readable_buckets=readable_buckets(),
    )


@cache
def receive_upload() -> ReceiveUpload:
    return ReceiveUpload(
        store=job_store(), objects=object_store(), accept=_accept_job(), finish=finish_job(), clock=SystemClock()
    )


@cache
def create_job() -> CreateJob:
    return CreateJob(store=job_store(), accept=_accept_job(), clock=SystemClock())


@cache
def sign_uploads() -> SignUploads:
    signer = S3UploadSigner(client=client("s3", SIGNING_CONFIG))
    return SignUploads(signer=signer, clock=SystemClock(), inbox_bucket=env.required(env.INBOX_BUCKET))


@cache
def hear_of_upload() -> HearOfUpload:
    return HearOfUpload(store=job_store(), wake=wake_job(), inbox_bucket=env.required(env.INBOX_BUCKET))


@cache
def validate_request() -> ValidateRequest:
    # Not at the top: what it needs to read files is in a layer of its own.
    from tunedrop.jobs.validate import ValidateRequest

    return ValidateRequest(objects=object_store(), accept=_accept_job())


@cache
def retry_job() -> RetryJob:
    return RetryJob(
        store=job_store(),
        objects=object_store(),
        accept=_accept_job(),
        clock=SystemClock(),
        inbox_bucket=env.required(env.INBOX_BUCKET),
        artifacts_bucket=env.required(env.ARTIFACTS_BUCKET),
    )


@cache
def request_cancel() -> RequestCancel:
    return RequestCancel(store=job_store(), wake=wake_job(), clock=SystemClock())


@cache
def refresh_job() -> RefreshJob:
    return RefreshJob(store=job_store(), tokens=task_tokens(), clock=SystemClock())


@cache
def job_list() -> DynamoJobList:
    return DynamoJobList(client=client("dynamodb"), table=env.required(env.JOBS_TABLE), clock=SystemClock())


@cache
def timeline() -> DynamoTimeline:
    return DynamoTimeline(client=client("dynamodb"), table=env.required(env.JOBS_TABLE))


def show_job() -> Callable[[str], Job]:
    return job_store().get


@cache
def create_answers() -> DynamoDBPersistenceLayer:
    """What was answered to which Idempotency-Key."""
    return idempotency_records("create")


@cache
def prepare_job() -> PrepareJob:
    # Not at the top: what it needs to read files is in the layer of its own function only.
    from tunedrop.jobs.prepare import PrepareJob

    return PrepareJob(
        store=job_store(),
        objects=object_store(),
        clock=SystemClock(),
        artifacts_bucket=env.required(env.ARTIFACTS_BUCKET),
        polling=polling_policy(),
    )


@cache
def finish_job() -> FinishJob:
    return FinishJob(
        store=job_store(),
        objects=object_store(),
        clock=SystemClock(),
        artifacts_bucket=env.required(env.ARTIFACTS_BUCKET),
        serve=_serve,
    )


def _serve(job: Job) -> Endpoint | None:
    # When it is called, and not before: intake ends jobs too, those that cannot be used, and knows no endpoints.
    return ServeModel(endpoints=endpoint_store(), workflow=endpoint_workflow(), clock=SystemClock())(job)
