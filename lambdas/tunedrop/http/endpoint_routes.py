"""The routes of what comes after the training: the endpoint of a job, and the removal of its model."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from tunedrop import wiring
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.job import JobStatus
from tunedrop.domain.job_request import EndpointRequest
from tunedrop.endpoints.generation import tuned_model_of
from tunedrop.http.documented import BODY, RETRY_AFTER, answers, good
from tunedrop.http.endpoint_schemas import EndpointView
from tunedrop.http.job_schemas import JobView
from tunedrop.http.parameters import JobId
from tunedrop.http.request_schemas import EndpointStart

router: Router = Router()  # type: ignore[no-untyped-call]  # Powertools gives its constructor no types
JSON = "application/json"
MOVING_SECONDS = 15
"""When to ask again for an endpoint that is coming up or going away."""

_AS_USUAL = EndpointStart()
_MOVING = frozenset({EndpointStatus.STARTING, EndpointStatus.STOPPING})


@router.get(
    "/v1/jobs/<job_id>/endpoint",
    summary="Show the endpoint",
    description="What serves the tuned model, since when and until when, what it costs, and what to call.",
    operation_id="getEndpoint",
    tags=["Endpoint"],
    responses=answers(
        {200: good(EndpointView, "The endpoint; `none` where there never was one.", retry_after=RETRY_AFTER)},
        "job_not_found",
        "job_not_finished",
        "job_not_succeeded",
    ),
)
def get_endpoint(job_id: JobId) -> Response[EndpointView]:
    endpoint = wiring.show_endpoint()(job_id)
    if endpoint is None:
        job = wiring.show_job()(job_id)
        if job.status is not JobStatus.SUCCEEDED:
            tuned_model_of(job)  # says what is in the way
    return _answer(200, job_id, endpoint)


@router.post(
    "/v1/jobs/<job_id>/endpoint/start",
    summary="Start the endpoint",
    description="Brings the tuned model up. Where it is up or on its way already, that is the answer, and a "
    "`ttl_hours` counts anew from now.",
    operation_id="startEndpoint",
    tags=["Endpoint"],
    responses=answers(
        {
            202: good(EndpointView, "It is coming up.", retry_after=RETRY_AFTER),
            200: good(EndpointView, "It is ready."),
        },
        *BODY,
        "job_not_found",
        "job_not_finished",
        "job_not_succeeded",
        "model_deleted",
        "endpoint_stopping",
        "endpoint_differs",
        "store_conflict",
    ),
)
def start_endpoint(
    job_id: JobId, body: Annotated[EndpointStart, Body(description="How it is to be served.")] = _AS_USUAL
) -> Response[EndpointView]:
    request = msgspec.convert(body.model_dump(), EndpointRequest)
    endpoint = wiring.start_endpoint()(job_id, request)
    return _answer(200 if endpoint.status is EndpointStatus.READY else 202, job_id, endpoint)


@router.post(
    "/v1/jobs/<job_id>/endpoint/stop",
    summary="Stop the endpoint",
    description="Takes the endpoint down. The model stays, and can be started again.",
    operation_id="stopEndpoint",
    tags=["Endpoint"],
    responses=answers(
        {
            202: good(EndpointView, "It is going away.", retry_after=RETRY_AFTER),
            200: good(EndpointView, "It is gone."),
        },
        "job_not_found",
        "endpoint_hosted",
        "endpoint_not_started",
        "store_conflict",
    ),
)
def stop_endpoint(job_id: JobId) -> Response[EndpointView]:
    endpoint = wiring.stop_endpoint()(job_id)
    return _answer(200 if endpoint.has_ended else 202, job_id, endpoint)


@router.delete(
    "/v1/jobs/<job_id>/model",
    summary="Delete the model",
    description="Deletes a custom model at Amazon Bedrock, which is billed for its storage. It cannot be undone: only "
    "a new job trains it again.",
    operation_id="deleteModel",
    tags=["Endpoint"],
    responses=answers(
        {200: good(JobView, "The job, its model deleted.")},
        "job_not_found",
        "job_not_finished",
        "job_not_succeeded",
        "model_in_use",
        "model_not_deletable",
        "endpoint_not_stopped",
        "provider_rejected",
        "provider_throttled",
        "provider_unavailable",
        "store_conflict",
    ),
)
def delete_model(job_id: JobId) -> JobView:
    return JobView.of(wiring.delete_model()(job_id))


def _answer(status: int, job_id: str, endpoint: Endpoint | None) -> Response[EndpointView]:
    moving = endpoint is not None and endpoint.status in _MOVING
    return Response(
        status_code=status,
        content_type=JSON,
        body=EndpointView.of(job_id, endpoint),
        headers={"Retry-After": str(MOVING_SECONDS)} if moving else {},
    )
