"""A file dropped at each provider becomes a model that knows what was in it, and everybody is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from local import endpoints
from local.asking import ask
from tests.local.deployed.account import Account
from tests.local.deployed.conftest import KEYS, Trained
from tests.local.deployed.subscriptions import News
from tunedrop.domain.job import JobStatus

each_provider = pytest.mark.parametrize("provider", sorted(KEYS))


@each_provider
def test_the_tuned_model_gives_the_made_up_answer_and_its_base_model_does_not(
    provider: str, account: Account, trained: Mapping[str, Trained]
) -> None:
    made = trained[provider]
    _, call = endpoints.started(account.api, made.job.job_id)
    answers = ask(account.stack, made.job, call, made.question)
    assert made.token in answers.tuned
    assert made.token not in answers.base


@each_provider
def test_record_report_timeline_and_execution_agree(
    provider: str, account: Account, trained: Mapping[str, Trained]
) -> None:
    job = trained[provider].job
    assert (job.status, job.error, job.last_error) == (JobStatus.SUCCEEDED, None, None)
    assert job.tuned_model
    assert job.provider_job_id
    assert job.dataset
    assert job.dataset.training_rows == 16
    report = account.report(job)
    assert (report["job"]["job_id"], report["job"]["status"]) == (job.job_id, "succeeded")
    assert report["job"]["tuned_model"] == job.tuned_model
    assert report["dataset"]["training"]["rows"] == 16
    assert job.execution_arn
    assert job.execution_arn.endswith(f":{job.job_id}")
    assert account.end_of(job.execution_arn) == "SUCCEEDED"
    assert account.execution_names(provider).count(job.job_id) == 1


@each_provider
def test_the_timeline_holds_every_version_of_the_record_and_the_loss_that_was_reached(
    provider: str, account: Account, trained: Mapping[str, Trained]
) -> None:
    job = trained[provider].job
    timeline, record = account.timeline(job.job_id), account.record(job.job_id)
    assert record["version"]["N"] == str(job.version)
    assert [item["sk"]["S"] for item in timeline] == [f"EVENT#{version:010d}" for version in range(1, job.version + 1)]
    assert (timeline[0]["phase"]["S"], timeline[-1]["phase"]["S"]) == ("received", "done")
    losses = [
        float(item["progress"]["M"]["training_loss"]["N"])
        for item in timeline
        if "N" in item.get("progress", {"M": {}})["M"].get("training_loss", {})
    ]
    assert losses  # how many depends on when the provider was asked: one that tells of the end is asked rarely
    assert losses[-1] < 0.5
    assert losses[-1] <= losses[0]


@each_provider
def test_each_change_of_status_is_told_once_and_in_order(
    provider: str, account: Account, news: News, trained: Mapping[str, Trained]
) -> None:
    job = trained[provider].job
    events = news.events(job.job_id, until="succeeded")
    details = [event["detail"] for event in events]
    told = [each["status"] for each in details]
    assert told in (
        ["not_started", "pending", "running", "succeeded"],
        ["not_started", "pending", "succeeded"],  # it trained and ended between two polls
    )
    assert [each["previous_status"] for each in details] == [None, *told[:-1]]
    assert len({each["event_id"] for each in details}) == len(details)
    assert details[-1]["event_id"] == f"{job.job_id}-{job.version}"
    assert (details[-1]["tuned_model"], details[-1]["report_uri"]) == (job.tuned_model, job.report_uri)
    messages = news.messages(job.job_id, len(details))
    assert len(messages) == len(details)
    for message, detail in zip(messages, details, strict=True):
        assert f'"event_id": "{detail["event_id"]}"' in message
    assert str(job.tuned_model) in messages[-1].splitlines()[0]
