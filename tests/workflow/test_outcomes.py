"""Each way that a job can go, at each provider, from the file in the inbox to the end that the record tells of."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.simulators.faults import Fault, FaultKind
from tests.workflow.account import Account
from tunedrop.domain.job import Job, JobStatus

EXAMPLES = Path(__file__).parents[2] / "examples"

KEYS = {
    "openai": "inbox/openai/gpt-4.1-mini/train.jsonl",
    "bedrock": "inbox/bedrock/nova-lite/train.jsonl",
    "databricks": "inbox/databricks/llama-3.2-3b/train.jsonl",
}
CREATE = {
    "openai": "fine_tuning.jobs.create",
    "bedrock": "CreateModelCustomizationJob",
    "databricks": "jobs.run_now",
}
LOOK = {
    "openai": "fine_tuning.jobs.retrieve",
    "bedrock": "GetModelCustomizationJob",
    "databricks": "jobs.get_run",
}

every_provider = pytest.mark.parametrize("provider", KEYS)


def rows(provider: str) -> bytes:
    name = "support-completion.jsonl" if provider == "databricks" else "support-chat.jsonl"
    return (EXAMPLES / name).read_bytes()


def reason(job: Job) -> str:
    assert job.error is not None, job
    return job.error.message


def seconds(job: Job) -> float:
    """From the job's beginning to its end, in compressed time."""
    assert job.finished_at is not None
    return (job.finished_at - job.created_at).total_seconds()


def errors(account: Account, job: Job) -> list[str]:
    """The errors that tasks of the execution met, in order, but for intervals that passed."""
    return [
        details["error"] for event in account.history(job.job_id) if (details := event.get("taskFailedEventDetails"))
    ]


def drop(account: Account, provider: str, **plans: Mapping[Any, Callable[[str], object]]) -> Job:
    return account.drop(KEYS[provider], rows(provider), **plans)


def add_fault(account: Account, provider: str, operation: str, kind: FaultKind, **fields: object) -> None:
    account.faults[provider].add(Fault(operation=operation, kind=kind, **fields))  # type: ignore[arg-type]


@every_provider
def test_success(account: Account, provider: str) -> None:
    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert job.tuned_model
    assert account.execution(job.job_id)["status"] == "SUCCEEDED"
    states = account.states(job.job_id)
    assert states[:5] == ["Prepare", "IsPrepared", "Submit", "IsSubmitted", "Wait"]
    served = [] if provider == "openai" else ["IsServed", "StartEndpoint"]
    end = ["Finish", "HowDidItEnd", *served, "Succeeded"]
    assert states[-len(end) :] == end
    assert errors(account, job) == []
    report = account.report(job)
    assert report["job"]["tuned_model"] == job.tuned_model
    assert report["dataset"]["training"]["rows"] == job.dataset.training_rows  # type: ignore[union-attr]


@every_provider
def test_a_training_that_fails(account: Account, provider: str) -> None:
    add_fault(account, provider, CREATE[provider], FaultKind.FAIL_JOB, message="the gradient exploded")

    job = drop(account, provider)

    assert job.status is JobStatus.FAILED
    assert "the gradient exploded" in reason(job)
    assert "the gradient exploded" in account.report(job)["job"]["error"]["message"]
    execution = account.execution(job.job_id)
    assert (execution["status"], execution["error"]) == ("FAILED", "training_failed")
    assert "the gradient exploded" in execution["cause"]


@every_provider
def test_a_job_stopped_in_the_providers_console(account: Account, provider: str) -> None:
    account.time.at(70, lambda: stop_in_console(account, provider))

    job = drop(account, provider)

    assert job.status is JobStatus.CANCELLED
    assert "not by Tunedrop" in reason(job)
    assert account.states(job.job_id)[-1] == "Cancelled"


def stop_in_console(account: Account, provider: str) -> None:
    if provider == "openai":
        account.openai.cancel_in_console(account.openai.job_ids[0])
    elif provider == "bedrock":
        bedrock = boto3.client("bedrock")
        [job] = bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]
        bedrock.stop_model_customization_job(jobIdentifier=job["jobArn"])
    else:
        [run_id] = account.databricks.scheduler.runs
        account.databricks.stop_in_console(run_id)


@every_provider
def test_a_provider_that_throttles_for_a_while(account: Account, provider: str) -> None:
    add_fault(account, provider, CREATE[provider], FaultKind.THROTTLE, times=8)
    add_fault(account, provider, LOOK[provider], FaultKind.THROTTLE, times=8)

    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert "WaitToSubmit" in account.states(job.job_id)
    assert account.jobs_created(provider) == 1


@every_provider
def test_lost_replies_to_looks(account: Account, provider: str) -> None:
    add_fault(account, provider, LOOK[provider], FaultKind.LOSE_REPLY, times=5)

    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert account.jobs_created(provider) == 1


@every_provider
def test_a_lost_reply_to_the_create_call_is_not_paid_twice(account: Account, provider: str) -> None:
    add_fault(account, provider, CREATE[provider], FaultKind.LOSE_REPLY)

    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert account.jobs_created(provider) == 1


@every_provider
def test_server_errors_that_outlast_the_retries(account: Account, provider: str) -> None:
    """The job may be billing: only the provider's answer or the deadline ends it, not our trouble to hear of it."""
    add_fault(account, provider, LOOK[provider], FaultKind.ERROR, times=40)

    job = drop(account, provider)

    assert job.status is JobStatus.SUCCEEDED, job
    assert "NotePollTrouble" in account.states(job.job_id)


@every_provider
def test_a_key_that_the_provider_refuses(account: Account, provider: str) -> None:
    break_credentials(account, provider)

    job = drop(account, provider)

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "credentials_invalid", job.error
    assert account.jobs_created(provider) == 0


def break_credentials(account: Account, provider: str) -> None:
    if provider == "openai":
        account.openai.change_key("another")
    elif provider == "bedrock":
        account.bedrock.access_keys.clear()
    else:
        account.databricks.revoke_credentials()


@every_provider
def test_a_refused_order(account: Account, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    words = refuse_orders(account, monkeypatch, provider)

    job = drop(account, provider)

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "provider_rejected"
    assert words in reason(job)
    assert account.jobs_created(provider) == 0
    assert account.states(job.job_id).count("Submit") == 1


def refuse_orders(account: Account, monkeypatch: pytest.MonkeyPatch, provider: str) -> str:
    """Makes the provider refuse what it is sent; some of its words."""
    if provider == "openai":
        add_fault(account, provider, CREATE[provider], FaultKind.THROTTLE, message="insufficient_quota")
        return "exceeded your current quota"
    if provider == "bedrock":
        boto3.client("iam").delete_role(RoleName="training")
        return "role"
    monkeypatch.setenv("DATABRICKS_TRAINING_JOB_ID", "99")
    return "Job 99 does not exist"


@every_provider
def test_a_bad_row(account: Account, provider: str) -> None:
    lines = rows(provider).splitlines(keepends=True)
    lines[11] = b'{"messages": [{"role": "wizard", "content": "canary-of-the-rows"}]}\n'

    job = account.drop(KEYS[provider], b"".join(lines))

    assert job.status is JobStatus.FAILED
    assert "train.jsonl:12" in reason(job)
    assert "canary-of-the-rows" not in json.dumps(account.report(job))
    assert account.report(job)["dataset"]["training"]["problems"][0]["line"] == 12
    assert account.jobs_created(provider) == 0
    assert account.execution(job.job_id)["error"] == "dataset_invalid"


@every_provider
def test_an_empty_file(account: Account, provider: str) -> None:
    job = account.drop(KEYS[provider], b"")

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "dataset_invalid"
    assert account.jobs_created(provider) == 0


@every_provider
def test_a_deadline_stops_the_job_at_the_provider(account: Account, provider: str) -> None:
    manifest = {
        "provider": provider,
        "model": KEYS[provider].split("/")[2],
        "training_file": "train.jsonl",
        "deadline_hours": 0.02,
    }
    account.put("inbox/train.jsonl", rows(provider))

    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode())

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "deadline_exceeded", job.error
    assert "Cancel" in account.states(job.job_id)
    assert account.jobs_created(provider) == 1


def test_a_file_that_comes_late_is_waited_for(account: Account) -> None:
    manifest = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "late.jsonl"}

    def arrive() -> None:
        account.put("inbox/late.jsonl", rows("openai"))

    account.time.at(600, arrive)

    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode())

    assert job.status is JobStatus.SUCCEEDED, job
    assert "WaitForFile" in account.states(job.job_id)


def test_a_file_that_never_comes(account: Account) -> None:
    manifest = {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "never.jsonl"}

    job = account.drop("inbox/nightly.job.json", json.dumps(manifest).encode())

    assert job.status is JobStatus.FAILED
    assert "never.jsonl did not arrive within 15 minutes" in reason(job)
    assert account.jobs_created("openai") == 0


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("DATABRICKS_TRAINING_JOB_ID", "tunedrop:databricks_training_job_id"),
        ("DATABRICKS_VOLUME", "tunedrop:databricks_volume"),
        ("DATABRICKS_SCHEMA", "tunedrop:databricks_schema"),
    ],
)
def test_a_databricks_drop_without_its_settings(
    account: Account, monkeypatch: pytest.MonkeyPatch, variable: str, setting: str
) -> None:
    monkeypatch.delenv(variable)

    job = drop(account, "databricks")

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "settings_missing"
    assert setting in reason(job)
    assert account.jobs_created("databricks") == 0


def test_a_step_that_breaks_ends_the_job_with_its_error(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, job_id: str) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr("tunedrop.jobs.prepare.PrepareJob.__call__", broken)

    job = drop(account, "openai")

    assert job.status is JobStatus.FAILED
    assert "KeyError" in reason(job)
    assert job.error is not None
    assert job.error.code == "step_failed"


def test_secrets_and_rows_are_in_no_record_state_or_log(account: Account, function_log: io.StringIO) -> None:
    canary = b'{"messages": [{"role": "user", "content": "canary-row"}, {"role": "assistant", "content": "canary"}]}\n'

    job = account.drop(KEYS["openai"], rows("openai") + canary)

    assert job.status is JobStatus.SUCCEEDED, job
    told = function_log.getvalue() + json.dumps(account.history(job.job_id), default=str)
    told += json.dumps([event for _, event in account.invocations]) + repr(account.store.get(job.job_id))
    assert "openai-key" not in told
    assert "canary-row" not in told
    assert job.job_id in told
