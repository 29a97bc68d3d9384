"""A generation of an endpoint: its record as it begins, its execution, and its order to the provider."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tunedrop.domain.endpoint import Endpoint, EndpointStatus, endpoint_execution, endpoint_token
from tunedrop.domain.endpoint_rules import EndpointPlan, hosted_call, rules_of
from tunedrop.domain.errors import ConflictError, RequestInvalidError
from tunedrop.domain.job import Job, JobStatus
from tunedrop.domain.ports import Workflow
from tunedrop.domain.serving_ports import EndpointOrder
from tunedrop.endpoints.step import Action, first_state


def tuned_model_of(job: Job) -> str:
    """What the job's endpoint serves. Raises ConflictError where there is nothing to serve."""
    if not job.is_final:
        raise ConflictError(
            "job_not_finished", f"Job {job.job_id} is {job.status}: there is no tuned model before it has succeeded."
        )
    if job.status is not JobStatus.SUCCEEDED or job.tuned_model is None:
        raise ConflictError("job_not_succeeded", f"Job {job.job_id} {job.status}: it has no tuned model.")
    if job.model_deleted_at is not None:
        raise ConflictError(
            "model_deleted",
            f"The tuned model of job {job.job_id} was deleted on {job.model_deleted_at:%Y-%m-%d}. Create a new job to "
            "train it again.",
        )
    return job.tuned_model


def new_endpoint(job: Job, plan: EndpointPlan, *, workflow: Workflow, at: datetime) -> Endpoint:
    """The first generation: starting, or ready at once where the provider serves every tuned model itself.

    Raises ConflictError where the job has nothing to serve.
    """
    tuned_model = tuned_model_of(job)
    rules = rules_of(job.provider, plan.kind)
    endpoint = Endpoint(
        job_id=job.job_id,
        provider=job.provider,
        status=EndpointStatus.STARTING,
        version=1,
        generation=1,
        kind=plan.kind,
        created_at=at,
        updated_at=at,
        model_units=plan.model_units,
        ttl_hours=plan.ttl_hours,
        expires_at=expiry(plan.ttl_hours, at),
        hourly_cost_usd=rules.hourly_cost_usd,
        cost_note=rules.cost_note,
    )
    if plan.kind == "hosted":
        return msgspec.structs.replace(
            endpoint, status=EndpointStatus.READY, ready_at=at, call=hosted_call(tuned_model)
        )
    return with_execution(endpoint, workflow)


def expiry(ttl_hours: float | None, at: datetime) -> datetime | None:
    return None if ttl_hours is None else at + timedelta(hours=ttl_hours)


def with_execution(endpoint: Endpoint, workflow: Workflow) -> Endpoint:
    """The endpoint with the address of its present execution."""
    name = endpoint_execution(endpoint)
    return msgspec.structs.replace(
        endpoint,
        execution_arn=workflow.execution_arn(endpoint.provider, name),
        console_url=workflow.console_url(endpoint.provider, name),
    )


def needs_execution(endpoint: Endpoint) -> bool:
    """Whether an execution has to be at work on it: not after its end, and not while it is up without an end."""
    up_for_good = endpoint.status is EndpointStatus.READY and endpoint.expires_at is None
    return not (endpoint.has_ended or up_for_good or endpoint.kind == "hosted")


def run(endpoint: Endpoint, workflow: Workflow) -> None:
    """Makes sure that the endpoint's present execution was started, where it needs one."""
    if not needs_execution(endpoint):
        return
    action: Action = "start"
    if endpoint.executions > 1:
        action = "stop" if endpoint.status is EndpointStatus.STOPPING else "resume"
    workflow.start(endpoint.provider, endpoint_execution(endpoint), first_state(endpoint, action))


def order_for(job: Job, endpoint: Endpoint) -> EndpointOrder:
    """The same at every attempt of one generation."""
    if job.tuned_model is None:
        raise RequestInvalidError(f"Job {job.job_id} has no tuned model, so there is nothing to serve.")
    return EndpointOrder(
        job_id=job.job_id,
        token=endpoint_token(job.job_id, endpoint.generation),
        tuned_model=job.tuned_model,
        kind=endpoint.kind,
        model_units=endpoint.model_units,
    )
