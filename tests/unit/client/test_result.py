"""The name by which a tuned model is called, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.unit.client.pretended_time import BEGIN, PretendedTime
from tests.unit.client.urls import URL
from tunedrop.client.errors import (
    EndpointFailedError,
    JobCancelledError,
    JobFailedError,
    NotAllowedError,
    TunedropError,
    WaitTimeoutError,
)
from tunedrop.client.job import Job
from tunedrop.client.tunedrop import Tunedrop

JOB_ID = "jzvdoef3b2g5cia5vwgy4ufrw7"
MODEL = "arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.nova-lite-v1:0:300k/9e8c4ebb35e3"
DEPLOYMENT = "arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/9a64a0e99115"
CALL = {"model_id": DEPLOYMENT, "litellm_model": f"bedrock/converse/{DEPLOYMENT}", "url": None}
pytestmark = pytest.mark.usefixtures("aws_config")


class Api(httpx.MockTransport):
    """Answers as the stack does of one job and its endpoint, whose records a test changes as time passes."""

    def __init__(self, passing: PretendedTime) -> None:
        self.job: dict[str, Any] = {
            "job_id": JOB_ID,
            "provider": "bedrock",
            "model": "nova-lite",
            "status": "running",
            "phase": "training",
            "created_at": BEGIN.isoformat(),
            "updated_at": BEGIN.isoformat(),
            "starts_endpoint": True,
        }
        self.endpoint: dict[str, Any] = {"job_id": JOB_ID, "status": "none"}
        self.clock: Callable[[], datetime] | None = None
        """Says when an answer was sent; None: nothing does."""
        self.broken = False
        self.endpoint_broken = False
        self.asked = 0
        self._passing = passing
        super().__init__(self._answer)

    def ends(self, status: str, **more: Any) -> None:
        model = MODEL if status == "succeeded" else None
        finished = self._passing.now().isoformat()
        self.job |= {"status": status, "phase": "done", "finished_at": finished, "tuned_model": model, **more}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        asks_endpoint = request.url.path.endswith("/endpoint")
        if self.broken or (self.endpoint_broken and asks_endpoint):
            return httpx.Response(500, json={"detail": "A defect.", "code": "internal"})
        headers = {"Date": format_datetime(self.clock(), usegmt=True)} if self.clock else {}
        document = self.endpoint if asks_endpoint else self.job
        return httpx.Response(200, json=document, headers=headers)


@pytest.fixture
def api(passing: PretendedTime) -> Api:
    return Api(passing)


@pytest.fixture
def job(api: Api, passing: PretendedTime, monkeypatch: pytest.MonkeyPatch) -> Job:
    tunedrop = Tunedrop(URL, transport=api)
    tunedrop.waiting = passing.waiting()
    monkeypatch.setattr(tunedrop.api, "_sleep", passing.sleep)
    return tunedrop.attach(JOB_ID)


def test_it_is_the_endpoints_name_once_the_endpoint_is_up(job: Job, api: Api, passing: PretendedTime) -> None:
    passing.after(60, lambda: api.ends("succeeded"))
    passing.after(75, lambda: api.endpoint.update(status="starting"))  # its record comes after the job's
    passing.after(120, lambda: api.endpoint.update(status="ready", call=CALL))
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"
    assert 120 <= passing.seconds < 136
    assert job.record.status == "succeeded"


def test_it_is_the_models_id_where_the_job_starts_no_endpoint(job: Job, api: Api, passing: PretendedTime) -> None:
    api.job["starts_endpoint"] = False
    api.ends("succeeded")
    assert job.result() == MODEL
    assert passing.seconds == 0


def test_an_endpoint_that_somebody_started_is_the_name_to_call_too(job: Job, api: Api, passing: PretendedTime) -> None:
    api.job["starts_endpoint"] = False
    api.ends("succeeded")
    api.endpoint["status"] = "starting"
    passing.after(30, lambda: api.endpoint.update(status="ready", call=CALL))
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"


@pytest.mark.parametrize("status", ["stopping", "stopped"])
def test_it_is_the_models_id_once_the_endpoint_was_stopped(job: Job, api: Api, status: str) -> None:
    api.ends("succeeded")
    api.endpoint["status"] = status
    assert job.result() == MODEL


def test_a_job_that_failed_raises_with_the_providers_words(job: Job, api: Api) -> None:
    error = {"code": "training_failed", "message": "The model diverged at step 12.", "provider_code": "ServerError"}
    api.ends("failed", error=error)
    with pytest.raises(JobFailedError) as raised:
        job.result()
    assert str(raised.value) == "The model diverged at step 12."
    caught = raised.value
    assert (caught.job_id, caught.code, caught.provider_code) == (JOB_ID, "training_failed", "ServerError")
    assert job.wait().status == "failed"  # which does not raise


def test_a_job_that_was_cancelled_says_so_and_why(job: Job, api: Api) -> None:
    api.ends("cancelled")
    with pytest.raises(JobCancelledError, match=rf"{JOB_ID} was cancelled.*retry\(\)"):
        job.result()
    api.job["cancel_cause"] = {"code": "execution_lost", "message": "Its execution was aborted."}
    with pytest.raises(JobCancelledError, match="Its execution was aborted"):
        job.result()


def test_an_endpoint_that_failed_names_the_model_and_the_way_out(job: Job, api: Api) -> None:
    api.ends("succeeded")
    api.endpoint |= {"status": "failed", "error": {"code": "endpoint_failed", "message": "There is no capacity."}}
    with pytest.raises(EndpointFailedError) as raised:
        job.result()
    for words in ("There is no capacity.", MODEL, "start_endpoint()"):
        assert words in str(raised.value)


def test_an_endpoint_that_nobody_starts_is_given_up_a_minute_after_the_end(
    job: Job, api: Api, passing: PretendedTime
) -> None:
    passing.after(10, lambda: api.ends("succeeded"))
    with pytest.raises(EndpointFailedError, match=r"not been started.*start_endpoint\(\)"):
        job.result()
    assert 60 < passing.seconds < 95


def test_a_job_that_ended_long_ago_without_an_endpoint_is_told_at_once(
    job: Job, api: Api, passing: PretendedTime
) -> None:
    api.ends("succeeded")
    passing.seconds += 3600
    with pytest.raises(EndpointFailedError):
        job.result()
    assert passing.slept == []


def test_the_minute_is_one_of_the_apis_clock_not_of_this_machines(job: Job, api: Api, passing: PretendedTime) -> None:
    ahead = timedelta(minutes=4)  # of the API's; more could not sign
    api.clock = lambda: passing.now() - ahead
    api.ends("succeeded", finished_at=(BEGIN - ahead).isoformat())
    passing.after(30, lambda: api.endpoint.update(status="ready", call=CALL))
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_a_date_that_is_none_is_not_gone_by(
    job: Job, api: Api, passing: PretendedTime, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    monkeypatch.setattr("tests.unit.client.test_result.format_datetime", lambda *_, **__: date)
    api.clock = lambda: datetime.now(UTC)
    api.ends("succeeded")
    passing.after(30, lambda: api.endpoint.update(status="ready", call=CALL))
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"


def test_one_timeout_is_for_the_training_and_the_endpoint_together(job: Job, api: Api, passing: PretendedTime) -> None:
    passing.after(50, lambda: api.ends("succeeded"))
    passing.after(55, lambda: api.endpoint.update(status="starting"))
    with pytest.raises(WaitTimeoutError, match="endpoint is starting"):
        job.result(timeout=80)
    assert passing.seconds == 80


def test_a_wait_outlives_a_network_that_is_away_for_a_while(job: Job, api: Api, passing: PretendedTime) -> None:
    def away(is_so: bool) -> None:
        api.broken = is_so

    passing.after(60, lambda: away(True))
    passing.after(400, lambda: away(False))
    passing.after(420, lambda: api.ends("succeeded"))
    passing.after(430, lambda: away(True))
    passing.after(500, lambda: away(False))
    passing.after(510, lambda: api.endpoint.update(status="ready", call=CALL))
    api.endpoint["status"] = "starting"
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"


def test_a_wait_outlives_trouble_at_the_very_first_question_for_the_endpoint(
    job: Job, api: Api, passing: PretendedTime
) -> None:
    api.ends("succeeded")
    api.endpoint |= {"status": "ready", "call": CALL}
    api.endpoint_broken = True
    passing.after(100, lambda: setattr(api, "endpoint_broken", False))
    assert job.result() == f"bedrock/converse/{DEPLOYMENT}"


def test_a_status_that_is_not_known_is_waited_through(job: Job, api: Api, passing: PretendedTime) -> None:
    api.job |= {"status": "paused", "phase": "napping"}
    with pytest.raises(TunedropError, match=r"'paused'.*upgrade"):
        job.status()
    passing.after(30, lambda: api.ends("expired"))
    with pytest.raises(TunedropError, match="'expired'"):
        job.result()


def test_a_model_that_was_deleted_has_no_name_to_call(job: Job, api: Api) -> None:
    api.ends("succeeded", model_deleted_at="2026-11-23T00:00:00Z")
    api.endpoint["status"] = "stopped"
    with pytest.raises(TunedropError, match="deleted on 2026-11-23"):
        job.result()


def test_waiting_for_the_job_alone_does_not_ask_for_its_endpoint(job: Job, api: Api) -> None:
    api.ends("succeeded")
    before = api.asked
    assert job.wait(endpoint=False).status == "succeeded"
    assert api.asked == before + 1


def test_it_asks_no_more_often_than_it_should(job: Job, api: Api, passing: PretendedTime) -> None:
    passing.after(3600, lambda: api.ends("failed"))
    with pytest.raises(JobFailedError, match="does not say why"):
        job.result()
    assert api.asked < 260


def test_who_loses_the_permission_while_waiting_is_told(job: Job, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = httpx.Response(403, json={"detail": "The credentials have expired.", "code": "credentials_expired"})
    monkeypatch.setattr(api, "handler", lambda _: denied)
    with pytest.raises(NotAllowedError, match="expired") as raised:
        job.result()
    assert "attach" in raised.value.__notes__[0]
