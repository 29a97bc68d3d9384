"""The function wake: Bedrock's events, as EventBridge brings them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import wake
from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.workflow import MemoryTaskTokens
from tunedrop import wiring
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.job import JobStatus, Outcome, Phase
from tunedrop.domain.transitions import close
from tunedrop.jobs.wake import HearNews, WakeJob

OTHER_STAGES_JOB = "z" * 26


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryJobStore:
    store = MemoryJobStore()
    store.create(job_in(Phase.TRAINING, provider="bedrock"))
    store.tokens[JOB_ID] = "token-of-the-wait"
    return store


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, store: MemoryJobStore) -> MemoryTaskTokens:
    tokens = MemoryTaskTokens()
    hear = HearNews(store=store, wake=WakeJob(store=store, tokens=tokens, clock=FakeClock()))
    monkeypatch.setattr(wiring, "hear_news", lambda: hear)
    return tokens


def state_change(name: str | None, status: str = "Completed") -> dict[str, Any]:
    """As docs.aws.amazon.com/bedrock/latest/userguide/monitoring-eventbridge-how-it-works.html shows it."""
    detail = {
        "version": "0.0",
        "jobName": name,
        "jobArn": "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-lite-v1:0:300k/abc",
        "outputModelName": f"{name}-model",
        "jobStatus": status,
        "failureMessage": "",
        "creationTime": 1763802000,
    }
    return {
        "version": "0",
        "id": "8a0f1f6c-0000-4365-b021-0ce6b2e64ab0",
        "detail-type": "Model Customization Job State Change",
        "source": "aws.bedrock",
        "account": "123456789012",
        "time": "2026-11-22T10:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {key: value for key, value in detail.items() if value is not None},
    }


@pytest.mark.parametrize("status", ["InProgress", "Completed", "Failed", "Stopping", "Stopped", "Dancing"])
def test_whatever_bedrock_tells_of_a_job_makes_somebody_look(
    store: MemoryJobStore, tokens: MemoryTaskTokens, context: LambdaContext, status: str
) -> None:
    before = store.get(JOB_ID)

    answer = wake.handler(state_change(f"tunedrop-{JOB_ID}", status), context)

    assert answer == {"job_id": JOB_ID, "heard": "woken"}
    assert tokens.sent == ["token-of-the-wait"]
    # The event itself is not believed.
    assert (store.get(JOB_ID).phase, store.get(JOB_ID).provider_status) == (before.phase, before.provider_status)


@pytest.mark.parametrize("name", ["nightly-tuning", f"tunedrop-{OTHER_STAGES_JOB}", f"tunedrop-{JOB_ID}-1", None])
def test_jobs_that_are_not_this_stacks_are_ignored_and_logged(
    tokens: MemoryTaskTokens, context: LambdaContext, function_log: io.StringIO, name: str | None
) -> None:
    assert wake.handler(state_change(name), context)["heard"] == "unknown"

    assert tokens.sent == []
    line = json.loads(function_log.getvalue())
    assert (line["level"], line["job_name"], line["heard"]) == ("INFO", name or "", "unknown")


def test_a_name_that_no_order_gives_makes_nobody_look_for_a_record(
    monkeypatch: pytest.MonkeyPatch, context: LambdaContext
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(wiring, "hear_news", lambda: looked.append)

    wake.handler(state_change("nightly-tuning"), context)

    assert looked == []


def test_a_job_that_has_ended_is_left_alone(
    store: MemoryJobStore, tokens: MemoryTaskTokens, context: LambdaContext
) -> None:
    store.change(JOB_ID, lambda job: close(job, Outcome(status=JobStatus.SUCCEEDED), at=CREATED))

    assert wake.handler(state_change(f"tunedrop-{JOB_ID}"), context)["heard"] == "ended"
    assert tokens.sent == []


def test_trouble_escapes_so_that_the_event_comes_again(monkeypatch: pytest.MonkeyPatch, context: LambdaContext) -> None:
    def fail(job_id: str) -> None:
        raise StoreUnavailableError("no answer")

    monkeypatch.setattr(wiring, "hear_news", lambda: fail)

    with pytest.raises(StoreUnavailableError):
        wake.handler(state_change(f"tunedrop-{JOB_ID}"), context)
