"""Webhook: OpenAI tells that a job has ended. The only route without IAM: a signature says who sent it.

OpenAI sends an event again until it is answered with 2xx, for up to 72 hours, and may send it twice.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.errors import CredentialsError, TransientError
from tunedrop.domain.manifest import CREDENTIALS_NAME
from tunedrop.http.problem_types import PROBLEM_TYPES, type_uri
from tunedrop.observability import logger, metrics
from tunedrop.providers.openai_webhook import WebhookEvent, WebhookRefusedError

MAX_BODY_BYTES = 64 * 1024
"""An event holds a few ids."""
REMEMBERED_SECONDS = 96 * 3600
"""A day longer than OpenAI sends an event again."""

_AGAIN = (
    TransientError,
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
"""What may pass: answered so that OpenAI sends the event again."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = APIGatewayProxyEvent(event)
    try:
        _receive(request, context)
    except WebhookRefusedError as refusal:
        return _refused(request, "webhook_refused", str(refusal))
    except CredentialsError as missing:
        # How to mend it is for the log: the caller learns nothing of secrets, not even which there are.
        logger.error("webhooks are not set up", extra={"reason": str(missing)})
        return _refused(request, "webhook_not_set_up", "The function's log says what is missing.")
    except _AGAIN as trouble:
        logger.warning("to be sent again", extra={"reason": f"{type(trouble).__name__}: {trouble}"})
        return _refused(request, "webhook_again", "The webhook was not dealt with yet.")
    metrics.add_metric("WebhooksReceived", MetricUnit.Count, 1)
    return {"statusCode": 204, "headers": {}, "body": ""}


def _receive(request: APIGatewayProxyEvent, context: LambdaContext) -> None:
    """Raises WebhookRefusedError, CredentialsError, and what `_AGAIN` names."""
    credentials = (request.query_string_parameters or {}).get("credentials", "default")
    if not CREDENTIALS_NAME.fullmatch(credentials):
        raise WebhookRefusedError("The parameter credentials is not the name of credentials.")
    event = wiring.openai_webhooks().read(_body(request), request.headers, credentials=credentials)
    logger.append_keys(webhook_id=event.webhook_id, webhook_type=event.type, credentials=credentials)
    if event.provider_job_id is None:
        logger.info("not about a fine-tuning job's end")
        return
    _once(context)(event=event, delivery=f"{credentials}#{event.webhook_id}")


def _once(context: LambdaContext) -> Any:
    """`_hear`, once a webhook-id. An attempt that raises is forgotten, and one that died in between counts as long as
    it may still have been at work: the next delivery is heard then."""
    config = IdempotencyConfig(
        expires_after_seconds=REMEMBERED_SECONDS, hash_function="sha256", raise_on_no_idempotency_key=True
    )
    config.register_lambda_context(context)
    return idempotent_function(
        _hear,
        data_keyword_argument="delivery",
        persistence_store=wiring.webhook_deliveries(),
        config=config,
        key_prefix="openai",
    )


def _hear(*, event: WebhookEvent, delivery: str) -> None:
    heard = wiring.hear_provider_news()(str(event.provider_job_id))
    logger.info("heard", extra={"provider_job_id": event.provider_job_id, "heard": heard})


def _body(request: APIGatewayProxyEvent) -> bytes:
    """Byte for byte as it was signed."""
    body = request.body or ""
    if len(body) > 2 * MAX_BODY_BYTES:
        raise WebhookRefusedError("The body is too large for an event.")
    try:
        content = base64.b64decode(body, validate=True) if request.is_base64_encoded else body.encode()
    except ValueError:
        raise WebhookRefusedError("The body cannot be read.") from None
    if len(content) > MAX_BODY_BYTES:
        raise WebhookRefusedError("The body is too large for an event.")
    return content


def _refused(request: APIGatewayProxyEvent, code: str, detail: str) -> dict[str, Any]:
    status, title = PROBLEM_TYPES[code]
    logger.info("refused", extra={"code": code, "detail": detail})
    metrics.add_metric("WebhooksRefused", MetricUnit.Count, 1)
    problem = {
        "type": type_uri(code),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.request_context.path,
        "code": code,
        "request_id": request.request_context.request_id,
    }
    again = {"Retry-After": "30"} if status == 503 else {}
    headers = {"Content-Type": "application/problem+json", **again}
    return {"statusCode": status, "headers": headers, "body": json.dumps(problem)}
