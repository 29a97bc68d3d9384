"""The routes of jobs: create, list, show, follow, cancel, retry."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.job import Job, JobStatus, Phase, as_document
from tunedrop.domain.list_ports import ListPosition
from tunedrop.domain.manifest import read_request
from tunedrop.http.documented import BODY, LOCATION, RETRY_AFTER, answers, good
from tunedrop.http.idempotency import answer_once
from tunedrop.http.job_schemas import CreatedJob, EventPage, EventView, JobPage, JobSummary, JobView
from tunedrop.http.paging import position_in, token_for
from tunedrop.http.parameters import DEFAULT_LIMIT, Flag, JobId, Limit, NextToken
from tunedrop.http.request_schemas import JobCreation, ProviderName
from tunedrop.http.validation_schemas import ValidationView

router: Router = Router()  # type: ignore[no-untyped-call]  # Powertools gives its constructor no types
JSON = "application/json"
LOOK_AGAIN_SHARE, LOOK_AGAIN_SECONDS = 0.05, (15, 300)
"""A client that asks again after 5 % of the job's age so far learns of the end soon enough, whatever the job takes."""


def look_again(job: Job) -> dict[str, str | list[str]]:
    """Retry-After for as long as there is something to wait for."""
    if job.is_final:
        return {}
    age = (wiring.SystemClock().now() - job.created_at).total_seconds()
    shortest, longest = LOOK_AGAIN_SECONDS
    return {"Retry-After": str(round(min(longest, max(shortest, age * LOOK_AGAIN_SHARE))))}


@router.post(
    "/v1/jobs",
    summary="Create a job",
    description="Starts a fine-tuning job. With `upload`, the answer says where to PUT the files, and the job waits "
    "for them for 24 hours. With `validate_only`, the request and the beginning of its files are checked at once, and "
    "nothing is recorded.",
    operation_id="createJob",
    tags=["Jobs"],
    responses=answers(
        {
            202: good(CreatedJob, "The job was made.", location=LOCATION, retry_after=RETRY_AFTER),
            200: good(ValidationView, "`validate_only`: what can be said at once."),
        },
        *BODY,
        "dataset_invalid",
        "cost_limit",
        "credentials_invalid",
        "settings_missing",
        "idempotency_key_reused",
        "idempotency_in_progress",
        "store_conflict",
    ),
)
def create_job(
    body: Annotated[JobCreation, Body(description="What to train, on what.")],
    validate_only: Annotated[Flag, Query(description="Check only; no job is made.")] = False,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
            description="A new one for each request (a UUID, say): to repeat a request with its key is safe. For 24 "
            "hours the same key and body get the same answer; the same key with another body is refused.",
            examples=["0f7d2a7e-6c0e-4bd7-9d2f-3c1b8b9d4e55"],
        ),
    ] = None,
) -> Response[CreatedJob | ValidationView]:
    asked = body.model_dump(exclude={"upload"}, exclude_unset=True)
    request = read_request(asked, name="The request")
    if validate_only:
        validation = wiring.validate_request()(request, upload=body.upload)
        return Response(status_code=200, content_type=JSON, body=ValidationView.of(validation))

    def create() -> dict[str, Any]:
        job = wiring.create_job()(request, upload=body.upload, idempotency_key=idempotency_key)
        return JobView.of(job).model_dump(mode="json")

    context: LambdaContext = router.lambda_context
    made = answer_once(idempotency_key, {**asked, "upload": body.upload}, create, context)
    return _accepted(made, location=f"jobs/{made['job_id']}")


@router.get(
    "/v1/jobs",
    summary="List jobs",
    description="Newest first. A job that was changed a moment ago may still be shown as before.",
    operation_id="listJobs",
    tags=["Jobs"],
    responses=answers({200: good(JobPage, "A page of jobs.")}, "page_token_invalid"),
)
def list_jobs(
    status: Annotated[JobStatus | None, Query(description="Only jobs with this status.")] = None,
    provider: Annotated[ProviderName | None, Query(description="Only jobs of this provider.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    next_token: NextToken = None,
) -> JobPage:
    filters = (status, provider)
    after = position_in(next_token, ListPosition, of=filters)
    page = wiring.job_list().page(status=status, provider=provider, limit=limit, after=after)
    return JobPage(jobs=[JobSummary.of(job) for job in page.jobs], next_token=token_for(page.next, of=filters))


@router.get(
    "/v1/jobs/<job_id>",
    summary="Show a job",
    description="The job as its record has it. `refresh` has the provider asked at once, unless it was for any "
    "reason in the last 30 seconds; what it says is there a moment later.",
    operation_id="getJob",
    tags=["Jobs"],
    responses=answers({200: good(JobView, "The job.", retry_after=RETRY_AFTER)}, "job_not_found"),
)
def get_job(
    job_id: JobId, refresh: Annotated[Flag, Query(description="Have the provider asked now.")] = False
) -> Response[JobView]:
    job = (wiring.refresh_job() if refresh else wiring.show_job())(job_id)
    return Response(status_code=200, content_type=JSON, body=JobView.of(job), headers=look_again(job))


@router.get(
    "/v1/jobs/<job_id>/events",
    summary="Follow a job",
    description="Its timeline, and that of its endpoint, with what the provider said of the training.",
    operation_id="listJobEvents",
    tags=["Jobs"],
    responses=answers({200: good(EventPage, "A page of events, oldest first.")}, "job_not_found", "page_token_invalid"),
)
def list_events(job_id: JobId, limit: Limit = DEFAULT_LIMIT, next_token: NextToken = None) -> EventPage:
    filters = ("events", job_id)
    after = position_in(next_token, str, of=filters)
    page = wiring.timeline().page(job_id, limit=limit, after=after)
    events = [EventView.of(event) for event in page.events]
    return EventPage(events=events, next_token=token_for(page.next, of=filters))


@router.post(
    "/v1/jobs/<job_id>/cancel",
    summary="Cancel a job",
    description="At any moment before its end, as often as you like. A provider that finished first wins.",
    operation_id="cancelJob",
    tags=["Jobs"],
    responses=answers(
        {
            202: good(JobView, "It is being cancelled.", retry_after=RETRY_AFTER),
            200: good(JobView, "It is cancelled."),
        },
        "job_not_found",
        "job_ended",
        "store_conflict",
    ),
)
def cancel_job(job_id: JobId) -> Response[JobView]:
    job = wiring.request_cancel()(job_id)
    status = 200 if job.is_final else 202
    return Response(status_code=status, content_type=JSON, body=JobView.of(job), headers=look_again(job))


@router.post(
    "/v1/jobs/<job_id>/retry",
    summary="Retry a job",
    description="A new job from the prepared files of one that failed or was cancelled. To retry the same job again "
    "gives the same new job.",
    operation_id="retryJob",
    tags=["Jobs"],
    responses=answers(
        {202: good(CreatedJob, "The new job.", location=LOCATION, retry_after=RETRY_AFTER)},
        "job_not_found",
        "job_not_finished",
        "job_succeeded",
        "request_unknown",
        "store_conflict",
    ),
)
def retry_job(job_id: JobId) -> Response[CreatedJob]:
    job = wiring.retry_job()(job_id)
    made = JobView.of(job).model_dump(mode="json")
    return _accepted(made, location=f"../{job.job_id}")


def _accepted(made: dict[str, Any], *, location: str) -> Response[Any]:
    """A job that was made. The URLs for its files are permissions: signed for each answer, and kept nowhere."""
    uploads = None
    if made["phase"] == Phase.AWAITING_UPLOAD:
        job = wiring.show_job()(made["job_id"])
        uploads = {field: as_document(upload) for field, upload in wiring.sign_uploads()(job).items()}
    body = CreatedJob.model_validate({**made, "uploads": uploads})
    headers: dict[str, str | list[str]] = {"Location": location, "Retry-After": str(LOOK_AGAIN_SECONDS[0])}
    return Response(status_code=202, content_type=JSON, body=body, headers=headers)
