"""The operations of the providers' functions."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from tunedrop.aws.clients import client
from tunedrop.endpoints.bring_up import BringUpEndpoint
from tunedrop.endpoints.look import LookAtEndpoint
from tunedrop.endpoints.step import EndpointStep
from tunedrop.endpoints.take_down import TakeDownEndpoint
from tunedrop.jobs.cancel import CancelJob
from tunedrop.jobs.poll import PollJob
from tunedrop.jobs.step import StepResult
from tunedrop.jobs.submit import SubmitJob
from tunedrop.observability import count
from tunedrop.providers.registry import ProviderConnections, ServingConnections
from tunedrop.wiring.adapters import SystemClock, endpoint_store, job_store, object_store, polling_policy, secrets

Operation = Literal["submit", "poll", "cancel", "start_endpoint", "poll_endpoint", "stop_endpoint"]


@cache
def provider_task(operation: Operation) -> Callable[[str], StepResult | EndpointStep]:
    """The use case of one operation, for whichever provider the job names."""
    match operation:
        case "submit":
            return SubmitJob(**_training())
        case "poll":
            return PollJob(**_training())
        case "cancel":
            return CancelJob(**_training())
        case "start_endpoint":
            return BringUpEndpoint(**_serving())
        case "poll_endpoint":
            return LookAtEndpoint(**_serving())
        case "stop_endpoint":
            return TakeDownEndpoint(trouble=_count_deletion_trouble, **_serving())


def _training() -> dict[str, Any]:
    """What the steps of a job at its provider have in common."""
    connect = ProviderConnections(secrets=secrets(), objects=object_store(), client=client, environ=os.environ)
    return {"store": job_store(), "connect": connect, "clock": SystemClock(), "polling": polling_policy()}


def _serving() -> dict[str, Any]:
    """What the steps of an endpoint at its provider have in common."""
    return {
        "jobs": job_store(),
        "endpoints": endpoint_store(),
        "connect": ServingConnections(secrets=secrets(), client=client),
        "clock": SystemClock(),
        "polling": polling_policy(),
    }


def _count_deletion_trouble(provider: str) -> None:
    count("EndpointDeletionTrouble", provider=provider)
