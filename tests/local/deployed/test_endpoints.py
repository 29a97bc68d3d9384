"""Endpoints: started with the end of a job where that costs nothing, stopped and started over the API, or held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local import endpoints
from local.asking import ask
from tests.local.deployed.account import Account, eventually
from tests.local.deployed.conftest import Trained

HOURS = 4 / 3600


def show(account: Account, job_id: str) -> Any:
    """What the API says of the endpoint."""
    return account.api.get(f"/v1/jobs/{job_id}/endpoint").expect(200)


def until(account: Account, job_id: str, status: str) -> Any:
    """The endpoint, once it has this status."""

    def look() -> Any:
        endpoint = show(account, job_id)
        return endpoint if endpoint["status"] == status else None

    return eventually(look, f"the endpoint is {status}")


def left_at_provider(account: Account, provider: str, resource_id: str) -> bool:
    """Whether the provider still has it."""
    if provider == "bedrock":
        bedrock = account.stack.aws.client("bedrock")
        deployed = bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
        provisioned = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
        return resource_id in str([*deployed, *provisioned])
    return resource_id in str(account.databricks.serving_endpoints.list())


@pytest.mark.parametrize("provider", ["bedrock", "databricks"])
def test_it_is_started_by_the_jobs_own_machine_asked_stopped_and_started_again(
    provider: str, account: Account, trained: Mapping[str, Trained]
) -> None:
    made = trained[provider]
    job_id = made.job.job_id
    machine = account.stack.outputs.endpoint_machine_arn(provider)
    _, call = endpoints.started(account.api, job_id)
    assert made.token in ask(account.stack, made.job, call, made.question).tuned
    execution = machine.replace(":stateMachine:", ":execution:") + f":{job_id}-1"  # nobody asked for it
    assert account.end_of(execution) == "SUCCEEDED"  # nobody holds it
    resource = show(account, job_id)["resource_id"]
    assert left_at_provider(account, provider, resource)

    endpoints.stopped(account.api, job_id)
    assert not left_at_provider(account, provider, resource)
    account.api.post(f"/v1/jobs/{job_id}/endpoint/stop").expect(200)

    account.api.post(f"/v1/jobs/{job_id}/endpoint/start").expect(202)
    again = account.api.post(f"/v1/jobs/{job_id}/endpoint/start").expect(200, 202)  # while it starts: the same one
    _, call = endpoints.started(account.api, job_id)
    assert show(account, job_id)["created_at"] == again["created_at"]
    assert made.token in ask(account.stack, made.job, call, made.question).tuned


def test_one_that_is_billed_by_the_hour_is_held_by_its_execution_until_its_time_is_over(
    account: Account, trained: Mapping[str, Trained]
) -> None:
    made = trained["bedrock"]
    job_id, path = made.job.job_id, f"/v1/jobs/{made.job.job_id}/endpoint/start"
    # Its own one is there a moment after the job's end.
    eventually(lambda: show(account, job_id)["status"] != "none", "the endpoint begins")
    if show(account, job_id)["status"] in {"starting", "ready"}:
        reply = account.api.post(path, {"kind": "provisioned", "model_units": 1, "ttl_hours": HOURS})
        assert (reply.status, reply.document["code"]) == (409, "endpoint_differs")
        endpoints.stopped(account.api, job_id)
    reply = account.api.post(path, {"kind": "provisioned", "model_units": 1})
    assert reply.status == 422
    assert "ttl_hours" in reply.document["detail"]

    account.api.post(path, {"kind": "provisioned", "model_units": 1, "ttl_hours": 8}).expect(202)
    ready = until(account, job_id, "ready")
    assert ready["expires_at"]
    execution = ready["execution_arn"]
    assert account.executions.describe_execution(executionArn=execution)["status"] == "RUNNING"
    answers = ask(account.stack, made.job, endpoints.started(account.api, job_id)[1], made.question)
    assert made.token in answers.tuned

    moved = account.api.post(path, {"kind": "provisioned", "model_units": 1, "ttl_hours": HOURS}).expect(200)
    assert moved["expires_at"] < ready["expires_at"]
    gone = until(account, job_id, "stopped")
    assert gone["stopped_at"] >= moved["expires_at"]
    assert not left_at_provider(account, "bedrock", ready["resource_id"])
    assert account.end_of(execution) == "SUCCEEDED"


def test_openai_serves_a_model_from_the_start_and_it_cannot_be_stopped(
    account: Account, trained: Mapping[str, Trained]
) -> None:
    made = trained["openai"]
    endpoint, call = endpoints.started(account.api, made.job.job_id)
    assert (endpoint.kind, endpoint.status) == ("hosted", "ready")
    assert made.token in ask(account.stack, made.job, call, made.question).tuned
    reply = account.api.post(f"/v1/jobs/{made.job.job_id}/endpoint/stop")
    assert (reply.status, reply.document["code"]) == (409, "endpoint_hosted")
