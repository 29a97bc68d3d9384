"""What is told, and what is made of what others tell: notices, wake-ups, webhooks, lost executions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tunedrop import env
from tunedrop.aws.clients import client
from tunedrop.aws.provider_job_index import ProviderJobIndex
from tunedrop.aws.publisher import EventPublisher
from tunedrop.endpoints.notify import NotifyEndpointChange
from tunedrop.endpoints.recover import RecoverEndpoint
from tunedrop.jobs.notify import NotifyChange
from tunedrop.jobs.recover import RecoverExecution, RecoverJob
from tunedrop.jobs.wake import HearNews, HearProviderNews, WakeJob
from tunedrop.wiring.adapters import (
    SystemClock,
    endpoint_store,
    endpoint_workflow,
    idempotency_records,
    job_store,
    secrets,
    task_tokens,
    training_workflow,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    from tunedrop.providers.openai_webhook import OpenAIWebhooks


@cache
def _publisher() -> EventPublisher:
    return EventPublisher(events=client("events"), sns=client("sns"), topic_arn=env.required(env.TOPIC_ARN))


@cache
def notify_change() -> NotifyChange:
    return NotifyChange(publisher=_publisher())


@cache
def notify_endpoint_change() -> NotifyEndpointChange:
    return NotifyEndpointChange(publisher=_publisher())


@cache
def wake_job() -> WakeJob:
    return WakeJob(store=job_store(), tokens=task_tokens(), clock=SystemClock())


@cache
def hear_news() -> HearNews:
    return HearNews(store=job_store(), wake=wake_job())


@cache
def hear_provider_news() -> HearProviderNews:
    index = ProviderJobIndex(client=client("dynamodb"), table=env.required(env.JOBS_TABLE))
    return HearProviderNews(index=index, hear=hear_news())


@cache
def webhook_deliveries() -> DynamoDBPersistenceLayer:
    """Which webhooks have been dealt with."""
    return idempotency_records("webhook")


@cache
def openai_webhooks() -> OpenAIWebhooks:
    # Not at the top: the provider's SDK is in the layer of its own functions only.
    from tunedrop.providers.openai_webhook import OpenAIWebhooks

    return OpenAIWebhooks(secrets=secrets())


@cache
def recover_execution() -> RecoverExecution:
    trainings, endpoints, clock = training_workflow(), endpoint_workflow(), SystemClock()
    return RecoverExecution(
        store=job_store(),
        trainings=trainings,
        endpoints=endpoints,
        recover_training=RecoverJob(store=job_store(), workflow=trainings, clock=clock),
        recover_endpoint=RecoverEndpoint(store=endpoint_store(), workflow=endpoints, clock=clock),
    )
