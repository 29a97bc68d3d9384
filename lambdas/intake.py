"""Intake: an object arrived in the inbox bucket, as a drop or as a file that a job waits for.

S3 tells of it through EventBridge, at least once and in any order.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.inbox import UPLOADS_PREFIX
from tunedrop.domain.job import Source
from tunedrop.observability import logger, metrics


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    detail = S3EventBridgeNotificationEvent(event).detail
    # `version_id` of the event class breaks on an event of a bucket without versions.
    version = detail.object.get("version-id") or detail.object.sequencer
    source = Source(bucket=detail.bucket.name, key=detail.object.key, version=version)
    if source.key.startswith(UPLOADS_PREFIX):
        return _hear_of_upload(source.key)
    job = wiring.receive_upload()(source)
    if job is None:
        logger.info("no job is asked for", extra={"key": source.key})
        metrics.add_metric("UploadsIgnored", MetricUnit.Count, 1)
        return {"job_id": None}
    logger.info("received", extra={"job_id": job.job_id, "key": source.key, "status": job.status})
    metrics.add_dimension("provider", job.provider)
    metrics.add_metric("UploadsReceived", MetricUnit.Count, 1)
    return {"job_id": job.job_id}


def _hear_of_upload(key: str) -> dict[str, Any]:
    job_id = wiring.hear_of_upload()(key)
    if job_id is None:
        logger.info("no job waits for this object", extra={"key": key})
        metrics.add_metric("UploadsIgnored", MetricUnit.Count, 1)
    else:
        logger.info("an upload arrived", extra={"job_id": job_id, "key": key})
        metrics.add_metric("UploadsArrived", MetricUnit.Count, 1)
    return {"job_id": job_id}
