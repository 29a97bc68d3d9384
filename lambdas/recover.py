"""Recover: Step Functions tells that an execution was aborted, failed or timed out, at least once and in any order."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.lost_executions import LostStatus, Recovery
from tunedrop.observability import logger, metrics


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    detail = EventBridgeEvent(event).detail
    arn, status = detail["executionArn"], LostStatus(detail["status"])
    recovery = wiring.recover_execution()(arn, status)
    # Most of these events are of jobs that failed as they should: their records are final.
    lost = recovery in (Recovery.RESUMED, Recovery.STOPPING, Recovery.GIVEN_UP)
    log = logger.error if recovery is Recovery.GIVEN_UP else logger.warning if lost else logger.info
    log("looked", extra={"lost_execution_arn": arn, "execution_status": status, "recovery": recovery})
    metrics.add_metric("ExecutionsLost", MetricUnit.Count, int(lost))
    return {"recovery": recovery.value}
