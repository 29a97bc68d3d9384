"""A stack from Python: its jobs, and who calls it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.api.account import Account
from tests.api.gateway import Gateway
from tests.api.states import state
from tests.unit.client.urls import URL
from tunedrop.client.errors import NotFoundError, RequestRefusedError
from tunedrop.client.tunedrop import Tunedrop


def held(aws: Account, count: int, name: str = "training") -> set[str]:
    return {aws.hold(*state(name, of=f"tunedrop {number}")) for number in range(count)}


def paths(gateway: Gateway) -> list[str]:
    return [event["path"] for event in gateway.events]


def test_a_job_is_attached_to_by_its_id(tunedrop: Tunedrop, aws: Account, gateway: Gateway) -> None:
    [job_id] = held(aws, 1)
    job = tunedrop.attach(f" {job_id}\n")
    assert (job.job_id, job.record.phase, job.record.deadline_at is not None) == (job_id, "training", True)
    assert paths(gateway) == [f"/v1/jobs/{job_id}"]


def test_a_job_that_is_not_there_is_told(tunedrop: Tunedrop) -> None:
    with pytest.raises(NotFoundError, match="a" * 26) as raised:
        tunedrop.attach("a" * 26)
    assert raised.value.code == "job_not_found"


@pytest.mark.parametrize("wrong", ["", "jzvd", "A" * 26, "../../v1/openapi.json", "a" * 27, "1" * 26])
def test_what_is_no_id_is_told_without_asking(tunedrop: Tunedrop, gateway: Gateway, wrong: str) -> None:
    with pytest.raises(NotFoundError, match="26 characters"):
        tunedrop.attach(wrong)
    assert gateway.events == []


def test_jobs_come_page_by_page_as_they_are_used(tunedrop: Tunedrop, aws: Account, gateway: Gateway) -> None:
    ids = held(aws, 103)
    jobs = tunedrop.jobs()
    assert gateway.events == []
    first = [next(jobs) for _ in range(100)]
    assert len(gateway.events) == 1
    assert {job.job_id for job in [*first, *jobs]} == ids
    assert len(gateway.events) == 2


def test_no_more_jobs_are_asked_for_than_wanted(tunedrop: Tunedrop, aws: Account, gateway: Gateway) -> None:
    held(aws, 5)
    assert len(list(tunedrop.jobs(limit=3))) == 3
    [event] = gateway.events
    assert event["queryStringParameters"] == {"limit": "3"}
    assert len(list(tunedrop.jobs(limit=9))) == 5


def test_a_limit_over_several_pages_is_kept(tunedrop: Tunedrop, aws: Account, gateway: Gateway) -> None:
    held(aws, 103)
    assert len(list(tunedrop.jobs(limit=102))) == 102
    assert [event["queryStringParameters"]["limit"] for event in gateway.events] == ["100", "2"]


def test_a_limit_of_nothing_is_refused_at_once(tunedrop: Tunedrop) -> None:
    with pytest.raises(ValueError, match="limit"):
        tunedrop.jobs(limit=0)


def test_jobs_are_chosen_by_status_and_provider(tunedrop: Tunedrop, aws: Account) -> None:
    [running] = held(aws, 1)
    [succeeded] = held(aws, 1, "succeeded")
    assert [job.job_id for job in tunedrop.jobs(status="running")] == [running]
    assert [job.job_id for job in tunedrop.jobs(provider="bedrock")] == [succeeded]
    assert list(tunedrop.jobs(status="running", provider="bedrock")) == []
    with pytest.raises(RequestRefusedError, match="status"):
        list(tunedrop.jobs(status="walking"))


@pytest.mark.usefixtures("aws_config")
def test_another_profile_calls_the_same_stack_and_is_closed_with_it(aws_config: Path) -> None:
    aws_config.write_text("[profile team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = s\n")
    callers: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        callers.append(request.headers["authorization"].partition("Credential=")[2].partition("/")[0])
        return httpx.Response(200, json={"jobs": [], "next_token": None})

    with Tunedrop(URL, transport=httpx.MockTransport(answer)) as tunedrop:
        team = tunedrop.with_profile("team")
        assert tunedrop.with_profile(None) is tunedrop
        assert tunedrop.with_profile("team") is team
        assert team.with_profile("team") is team
        assert list(team.jobs()) == list(tunedrop.jobs()) == []
    assert callers == ["AKIDTEAM", "AKIDEXAMPLE"]
    with pytest.raises(RuntimeError, match="closed"):
        list(team.jobs())


@pytest.mark.usefixtures("aws_config")
def test_it_prints_where_it_calls_and_nothing_secret(aws_config: Path) -> None:
    aws_config.write_text("[profile team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = hunter2\n")
    assert repr(Tunedrop(URL)) == f"Tunedrop({URL!r}, region='us-east-1')"
    assert repr(Tunedrop(URL, profile="team")) == f"Tunedrop({URL!r}, profile='team', region='us-east-1')"
