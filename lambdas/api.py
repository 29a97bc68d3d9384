"""API: a request of API Gateway is answered. What routes there are stands in tunedrop.http."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.http.app import respond
from tunedrop.observability import logger


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    job_id = (event.get("pathParameters") or {}).get("job_id")
    if job_id is not None:
        logger.append_keys(job_id=job_id)
    answer = respond(event, context)
    identity = event["requestContext"].get("identity") or {}
    logger.info(
        "answered",
        extra={
            "method": event["httpMethod"],
            "path": event["path"],
            "status": answer["statusCode"],
            "caller": identity.get("userArn"),
        },
    )
    return answer
