"""The use cases of endpoints that are asked for over the API."""

from __future__ import annotations

from functools import cache

from tunedrop.aws.clients import client
from tunedrop.endpoints.delete_model import DeleteModel
from tunedrop.endpoints.show import ShowEndpoint
from tunedrop.endpoints.start import StartEndpoint
from tunedrop.endpoints.stop import StopEndpoint
from tunedrop.endpoints.wake import WakeEndpoint
from tunedrop.providers.registry import bedrock_models
from tunedrop.wiring.adapters import SystemClock, endpoint_store, endpoint_workflow, job_store, task_tokens


@cache
def start_endpoint() -> StartEndpoint:
    return StartEndpoint(
        jobs=job_store(),
        endpoints=endpoint_store(),
        workflow=endpoint_workflow(),
        wake=wake_endpoint(),
        clock=SystemClock(),
    )


@cache
def stop_endpoint() -> StopEndpoint:
    return StopEndpoint(
        jobs=job_store(),
        endpoints=endpoint_store(),
        workflow=endpoint_workflow(),
        wake=wake_endpoint(),
        clock=SystemClock(),
    )


@cache
def show_endpoint() -> ShowEndpoint:
    return ShowEndpoint(jobs=job_store(), endpoints=endpoint_store())


@cache
def delete_model() -> DeleteModel:
    removals = {"bedrock": bedrock_models(client)}
    return DeleteModel(jobs=job_store(), endpoints=endpoint_store(), removals=removals, clock=SystemClock())


@cache
def wake_endpoint() -> WakeEndpoint:
    return WakeEndpoint(endpoints=endpoint_store(), tokens=task_tokens(), clock=SystemClock())
