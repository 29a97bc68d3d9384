"""Finish: writes the report and the final status of a job, and begins its endpoint."""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.endpoint import EndpointStatus, endpoint_execution
from tunedrop.domain.job import as_document
from tunedrop.jobs.finish import Caught
from tunedrop.observability import logger, metrics


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.append_keys(job_id=event["job_id"])
    failure = event.get("failure")
    caught = msgspec.convert(failure, Caught) if failure is not None else None
    finished = wiring.finish_job()(event["job_id"], caught)
    job, endpoint = finished.job, finished.endpoint
    logger.info("finished", extra={"status": job.status, "reason": job.error and job.error.message})
    metrics.add_dimension("provider", job.provider)
    metrics.add_metric(f"Jobs{job.status.capitalize()}", MetricUnit.Count, 1)
    result: dict[str, Any] = {"job_id": job.job_id, "status": job.status.value}
    if job.error is not None:
        result["error"] = as_document(job.error)
    if endpoint is not None and endpoint.status is EndpointStatus.STARTING:
        result["endpoint_execution"] = endpoint_execution(endpoint)
    return result
