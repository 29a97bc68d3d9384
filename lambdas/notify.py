"""Notify: reads the table's stream and publishes each change of a job's status, and of an endpoint's."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.aws import endpoint_items, job_items
from tunedrop.observability import logger

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def publish(record: DynamoDBRecord) -> None:
    # The raw images: the event class would turn DynamoDB's JSON into Python's types once more.
    images = record.raw_event["dynamodb"]
    before, after = images.get("OldImage"), images.get("NewImage")
    if after is None:
        return
    change = None
    match after["sk"]["S"]:
        case job_items.RECORD:
            job_of = job_items.job_of
            change = wiring.notify_change()(job_of(before) if before else None, job_of(after))
        case endpoint_items.RECORD:
            endpoint_of = endpoint_items.endpoint_of
            change = wiring.notify_endpoint_change()(endpoint_of(before) if before else None, endpoint_of(after))
    if change is not None:
        logger.info("published", extra={"event_id": change.event_id, "status": change.detail["status"]})


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=publish, processor=processor, context=context)
