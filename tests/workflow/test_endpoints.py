"""An endpoint's life under the engine, at each provider that serves: up, held to its end, and down, whatever is in the
way."""

from __future__ import annotations

import json
import time as real_time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from local.simulators.faults import FaultKind
from tests.workflow.account import ENDPOINT_MACHINES, Account
from tests.workflow.test_outcomes import add_fault, drop, rows
from tunedrop import wiring
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.errors import ConflictError
from tunedrop.domain.job import Job, JobStatus
from tunedrop.domain.job_request import EndpointRequest

MODELS = {"bedrock": "nova-lite", "databricks": "llama-3.2-3b"}
CREATE = {"bedrock": "CreateCustomModelDeployment", "databricks": "serving_endpoints.create"}
DELETE = {"bedrock": "DeleteCustomModelDeployment", "databricks": "serving_endpoints.delete"}
DOWN = ["Stop", "IsGone", "WaitUntilGone", "Poll", "HowIsIt", "Gone"]

every_server = pytest.mark.parametrize("provider", MODELS)


def trained(account: Account, provider: str = "bedrock", **fields: Any) -> Job:
    """A job that has succeeded; without `fields` nothing is served yet."""
    account.put("inbox/train.jsonl", rows(provider))
    manifest = {
        "provider": provider,
        "model": MODELS[provider],
        "training_file": "train.jsonl",
        **(fields or {"start_endpoint": False}),
    }
    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode())
    assert job.status is JobStatus.SUCCEEDED, job
    return job


def start(job: Job, **request: Any) -> Endpoint:
    return wiring.start_endpoint()(job.job_id, EndpointRequest(**request))


def stop(job: Job) -> Endpoint:
    return wiring.stop_endpoint()(job.job_id)


def endpoint_of(job: Job) -> Endpoint:
    endpoint = wiring.show_endpoint()(job.job_id)
    assert endpoint is not None
    return endpoint


def over(account: Account, job: Job, number: str = "1") -> Endpoint:
    """The endpoint, when the execution of that number is over."""
    deadline = real_time.monotonic() + 30
    while execution(account, job, number)["status"] == "RUNNING":
        assert real_time.monotonic() < deadline, states(account, job, number)[-10:]
        real_time.sleep(0.02)
    return endpoint_of(job)


def execution(account: Account, job: Job, number: str = "1") -> dict[str, Any]:
    return account.execution(f"{job.job_id}-{number}", machines=ENDPOINT_MACHINES)


def states(account: Account, job: Job, number: str = "1") -> list[str]:
    return account.states(f"{job.job_id}-{number}", machines=ENDPOINT_MACHINES)


def at_the_provider(account: Account, provider: str) -> list[str]:
    """The names of what is served there now."""
    if provider == "databricks":
        return [name for name in account.databricks.serving.endpoints if name.startswith("tunedrop-")]
    bedrock = boto3.client("bedrock")
    deployments = bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
    throughputs = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    return [each["customModelDeploymentName"] for each in deployments] + [
        each["provisionedModelName"] for each in throughputs
    ]


def in_seconds(account: Account, seconds: float, action: Callable[[], object]) -> None:
    account.time.at(account.time.seconds + seconds, action)


@every_server
def test_a_job_that_succeeded_is_served_by_an_execution_that_its_own_starts(account: Account, provider: str) -> None:
    job = drop(account, provider)

    assert account.states(job.job_id)[-3:] == ["IsServed", "StartEndpoint", "Succeeded"]
    endpoint = over(account, job)
    assert endpoint.status is EndpointStatus.READY
    assert states(account, job)[:5] == ["WhatIsAsked", "Start", "IsCreated", "Wait", "Poll"]
    assert states(account, job)[-1] == "Ready"
    assert execution(account, job)["status"] == "SUCCEEDED"
    assert execution(account, job)["executionArn"] == endpoint.execution_arn
    assert json.loads(execution(account, job)["input"]) == {"job_id": job.job_id, "action": "start"}
    assert len(at_the_provider(account, provider)) == 1
    assert endpoint.call is not None
    assert endpoint.call.model_id == endpoint.resource_id
    assert endpoint.hourly_cost_usd == 0


def test_openai_serves_its_models_itself(account: Account) -> None:
    job = drop(account, "openai")

    endpoint = endpoint_of(job)
    assert (endpoint.status, endpoint.kind, endpoint.execution_arn) == (EndpointStatus.READY, "hosted", None)
    assert endpoint.call is not None
    assert endpoint.call.model_id == job.tuned_model
    assert account.states(job.job_id)[-1] == "Succeeded"
    with pytest.raises(ConflictError, match="OpenAI serves every tuned model itself"):
        stop(job)


@pytest.mark.parametrize("unwanted", [{"start_endpoint": False}, {"skip_deploy": True}])
def test_what_is_not_wanted_is_not_started(account: Account, unwanted: dict[str, bool]) -> None:
    job = trained(account, "databricks", **unwanted)

    assert account.states(job.job_id)[-2:] == ["IsServed", "Succeeded"]
    assert wiring.show_endpoint()(job.job_id) is None
    assert at_the_provider(account, "databricks") == []


def test_one_that_bills_is_an_execution_that_runs_until_its_end(account: Account) -> None:
    running: list[str] = []
    job = trained(account)
    began = account.time.now()
    in_seconds(account, 5 * 3600, lambda: running.append(execution(account, job)["status"]))

    start(job, kind="provisioned", model_units=1, ttl_hours=14)
    endpoint = over(account, job)

    assert running == ["RUNNING"]
    assert (endpoint.status, endpoint.error) == (EndpointStatus.STOPPED, None)
    assert states(account, job).count("Hold") == 3, "a look every six hours"
    assert states(account, job)[-len(DOWN) :] == DOWN
    assert endpoint.stop_requested_at is not None
    assert timedelta(0) <= endpoint.stop_requested_at - began - timedelta(hours=14) < timedelta(minutes=1)
    assert at_the_provider(account, "bedrock") == []
    assert execution(account, job)["status"] == "SUCCEEDED"


def test_one_that_a_manifest_spells_out_starts_with_the_success_and_is_held(account: Account) -> None:
    job = trained(account, endpoint={"kind": "provisioned", "model_units": 1, "ttl_hours": 2})

    endpoint = over(account, job)
    assert (endpoint.kind, endpoint.status, endpoint.ttl_hours) == ("provisioned", EndpointStatus.STOPPED, 2)
    assert "Hold" in states(account, job)


def test_an_end_can_be_moved_while_it_is_held(account: Account) -> None:
    job = trained(account)
    began = account.time.now()
    moved: list[Endpoint] = []
    in_seconds(account, 2 * 3600, lambda: moved.append(start(job, ttl_hours=10)))
    in_seconds(account, 3 * 3600, lambda: moved.append(start(job, ttl_hours=1)))

    start(job, ttl_hours=4)
    endpoint = over(account, job)

    assert [each.expires_at and each.expires_at - began for each in moved] == [timedelta(hours=12), timedelta(hours=4)]
    assert endpoint.stop_requested_at is not None
    assert timedelta(0) <= endpoint.stop_requested_at - began - timedelta(hours=4) < timedelta(minutes=1)
    assert states(account, job).count("Hold") == 2, "moving it away wakes nobody; moving it nearer does"


@every_server
def test_a_stop_ends_the_holding_at_once(account: Account, provider: str) -> None:
    job = trained(account, provider)
    asked: list[Endpoint] = []
    in_seconds(account, 3600, lambda: asked.append(stop(job)))

    start(job, ttl_hours=5)
    endpoint = over(account, job)

    assert (asked[0].status, asked[0].call) == (EndpointStatus.STOPPING, None)
    assert endpoint.status is EndpointStatus.STOPPED
    assert endpoint.stopped_at is not None
    assert asked[0].stop_requested_at is not None
    assert endpoint.stopped_at - asked[0].stop_requested_at < timedelta(minutes=2)
    assert states(account, job)[-len(DOWN) - 2 :] == ["Poll", "HowIsIt", *DOWN]
    assert at_the_provider(account, provider) == []


@every_server
def test_one_that_nobody_watches_is_stopped_by_an_execution_of_its_own_and_started_again(
    account: Account, provider: str
) -> None:
    job = drop(account, provider)
    over(account, job)

    stop(job)
    assert over(account, job, "1-2").status is EndpointStatus.STOPPED
    assert states(account, job, "1-2") == ["WhatIsAsked", *DOWN]
    assert at_the_provider(account, provider) == []

    assert start(job).generation == 2
    endpoint = over(account, job, "2")
    assert endpoint.status is EndpointStatus.READY
    assert len(at_the_provider(account, provider)) == 1


@every_server
def test_a_stop_while_it_comes_up_leaves_nothing(account: Account, provider: str) -> None:
    job = trained(account, provider)
    in_seconds(account, 5, lambda: stop(job))

    start(job)
    endpoint = over(account, job)

    assert (endpoint.status, endpoint.ready_at) == (EndpointStatus.STOPPED, None)
    assert at_the_provider(account, provider) == []


@every_server
def test_one_that_does_not_come_up_is_deleted_and_the_job_has_succeeded_all_the_same(
    account: Account, provider: str
) -> None:
    add_fault(account, provider, CREATE[provider], FaultKind.FAIL_JOB, message="no capacity")

    job = drop(account, provider)
    endpoint = over(account, job)

    assert endpoint.status is EndpointStatus.FAILED
    assert endpoint.error is not None
    assert (endpoint.error.code, "no capacity" in endpoint.error.message) == ("endpoint_failed", True)
    failed = execution(account, job)
    assert (failed["status"], failed["error"]) == ("FAILED", "endpoint_failed")
    assert "no capacity" in failed["cause"]
    assert at_the_provider(account, provider) == []
    assert account.store.get(job.job_id).status is JobStatus.SUCCEEDED

    start(job)
    assert over(account, job, "2").status is EndpointStatus.READY


@every_server
def test_a_deletion_that_is_refused_is_repeated_until_it_is_gone(account: Account, provider: str) -> None:
    job = drop(account, provider)
    over(account, job)
    add_fault(account, provider, DELETE[provider], FaultKind.FAIL_JOB, times=3, message="it is in use")

    stop(job)
    endpoint = over(account, job, "1-2")

    assert endpoint.status is EndpointStatus.STOPPED
    assert states(account, job, "1-2").count("Stop") == 4
    assert at_the_provider(account, provider) == []


def test_a_deletion_without_effect_is_repeated_loudly(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    job = drop(account, "bedrock")
    over(account, job)
    add_fault(account, "bedrock", DELETE["bedrock"], FaultKind.FAIL_JOB)

    stop(job)
    endpoint = over(account, job, "1-2")

    assert (endpoint.status, endpoint.last_error) == (EndpointStatus.STOPPED, None)
    assert states(account, job, "1-2").count("Stop") == 2
    assert at_the_provider(account, "bedrock") == []
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    [metric] = [each for each in printed if "EndpointDeletionTrouble" in each]
    assert metric["provider"] == "bedrock"


def test_what_vanishes_while_it_is_held_is_noticed(account: Account) -> None:
    job = trained(account, "databricks")
    in_seconds(account, 3600, lambda: account.databricks.serving.endpoints.pop(f"tunedrop-{job.job_id}"))

    start(job, ttl_hours=48)
    endpoint = over(account, job)

    assert endpoint.status is EndpointStatus.STOPPED
    assert endpoint.error is not None
    assert endpoint.error.code == "endpoint_gone"
    assert states(account, job)[-1] == "Gone"
    assert endpoint.stopped_at is not None
    assert endpoint.stopped_at - endpoint.created_at < timedelta(hours=7)


@pytest.mark.parametrize(
    ("provider", "kind"),
    [("bedrock", FaultKind.THROTTLE), ("bedrock", FaultKind.LOSE_REPLY), ("databricks", FaultKind.LOSE_REPLY)],
)
def test_trouble_with_the_create_call_makes_no_second_one(account: Account, provider: str, kind: FaultKind) -> None:
    add_fault(account, provider, CREATE[provider], kind, times=2)

    job = drop(account, provider)
    endpoint = over(account, job)

    assert endpoint.status is EndpointStatus.READY
    assert len(at_the_provider(account, provider)) == 1
    assert endpoint.last_error is None


def test_a_provider_that_does_not_answer_for_long_is_asked_again_later(account: Account) -> None:
    job = trained(account, "databricks")
    add_fault(account, "databricks", "serving_endpoints.get", FaultKind.ERROR, times=9)

    start(job)
    endpoint = over(account, job)

    assert endpoint.status is EndpointStatus.READY
    assert "NotePollTrouble" in states(account, job)


def test_a_model_is_deleted_when_nothing_serves_it(account: Account) -> None:
    job = drop(account, "bedrock")
    over(account, job)
    with pytest.raises(ConflictError) as caught:
        wiring.delete_model()(job.job_id)
    assert caught.value.code == "endpoint_not_stopped"

    stop(job)
    over(account, job, "1-2")
    assert wiring.delete_model()(job.job_id).model_deleted_at == account.time.now()

    assert boto3.client("bedrock").list_custom_models()["modelSummaries"] == []
    with pytest.raises(ConflictError) as caught:
        start(job)
    assert caught.value.code == "model_deleted"
