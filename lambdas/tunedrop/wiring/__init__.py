"""Builds the use cases with their adapters, once per cold start and only when asked for."""

from tunedrop.wiring.adapters import SystemClock
from tunedrop.wiring.endpoints import delete_model, show_endpoint, start_endpoint, stop_endpoint, wake_endpoint
from tunedrop.wiring.jobs import (
    create_answers,
    create_job,
    finish_job,
    hear_of_upload,
    job_list,
    prepare_job,
    receive_upload,
    refresh_job,
    request_cancel,
    retry_job,
    show_job,
    sign_uploads,
    timeline,
    validate_request,
)
from tunedrop.wiring.news import (
    hear_news,
    hear_provider_news,
    notify_change,
    notify_endpoint_change,
    openai_webhooks,
    recover_execution,
    wake_job,
    webhook_deliveries,
)
from tunedrop.wiring.tasks import Operation, provider_task

__all__ = [
    "Operation",
    "SystemClock",
    "create_answers",
    "create_job",
    "delete_model",
    "finish_job",
    "hear_news",
    "hear_of_upload",
    "hear_provider_news",
    "job_list",
    "notify_change",
    "notify_endpoint_change",
    "openai_webhooks",
    "prepare_job",
    "provider_task",
    "receive_upload",
    "recover_execution",
    "refresh_job",
    "request_cancel",
    "retry_job",
    "show_endpoint",
    "show_job",
    "sign_uploads",
    "start_endpoint",
    "stop_endpoint",
    "timeline",
    "validate_request",
    "wake_endpoint",
    "wake_job",
    "webhook_deliveries",
]
