"""Wake: Bedrock tells on the event bus that a job of the account has changed, at least once, or not at all."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.jobs.order import job_id_of
from tunedrop.jobs.wake import NewsHeard
from tunedrop.observability import logger


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    detail = EventBridgeEvent(event).detail
    name = str(detail.get("jobName", ""))
    job_id = job_id_of(name)
    # The account may have other jobs, and other stages of this stack: their names and ids are not known here.
    heard = NewsHeard.UNKNOWN if job_id is None else wiring.hear_news()(job_id)
    # The status is logged and not believed: the provider is asked.
    logger.info("heard", extra={"job_name": name, "told_status": detail.get("jobStatus"), "heard": heard})
    return {"job_id": job_id, "heard": heard.value}
