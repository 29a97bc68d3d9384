"""The events of the simulated Bedrock: one for each change of a job's state, in EventBridge's form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from local.simulators.bedrock.news import OPERATION
from local.simulators.faults import Fault, FaultKind
from tests.contracts.bedrock_rig import MODEL, BedrockRig, bedrock_rig

SECONDS = 10.0
"""How long an event may take that must come, and in which it must come many times over."""


class Listener:
    """Keeps the events in the order in which they came."""

    def __init__(self) -> None:
        self.events: Queue[dict[str, Any]] = Queue()

    def __call__(self, event: dict[str, Any]) -> None:
        self.events.put(event)

    def next(self) -> dict[str, Any]:
        return self.events.get(timeout=SECONDS)

    def status(self) -> str:
        status: str = self.next()["detail"]["jobStatus"]
        return status

    def expect_silence(self) -> None:
        """For several times as long as the simulator takes to notice a change."""
        with pytest.raises(Empty):
            self.events.get(timeout=0.3)


@contextmanager
def listened(tmp_path: Path, tell: Callable[[dict[str, Any]], None]) -> Iterator[BedrockRig]:
    with bedrock_rig(tmp_path, on_job_state_change=tell) as rig:
        try:
            yield rig
        finally:
            rig.simulator.close()


@pytest.fixture(autouse=True)
def others() -> set[threading.Thread]:
    """Those of a stack that other tests in this process have deployed."""
    return news_threads()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def rig(tmp_path: Path, listener: Listener) -> Iterator[BedrockRig]:
    with listened(tmp_path, listener) as rig:
        yield rig


def test_an_event_has_the_form_that_aws_documents(rig: BedrockRig, listener: Listener) -> None:
    order = rig.order("a")
    job = rig.provider.create(order)
    listener.next()
    rig.advance(60)
    event = listener.next()
    described = rig.client.get_model_customization_job(jobIdentifier=job)

    assert {name: event[name] for name in ("version", "detail-type", "source", "account", "region", "resources")} == {
        "version": "0",
        "detail-type": "Model Customization Job State Change",
        "source": "aws.bedrock",
        "account": "000000000000",
        "region": "us-east-1",
        "resources": [job],
    }
    detail = event["detail"]
    assert (detail["jobName"], detail["jobArn"], detail["jobStatus"]) == ("tunedrop-a", job, "Completed")
    assert detail["outputModelArn"] == described["outputModelArn"]
    assert detail["endTime"] == f"{described['endTime']:%Y-%m-%dT%H:%M:%SZ}"
    assert detail["hyperParameters"] == described["hyperParameters"]
    assert detail["baseModelArn"].endswith(MODEL)
    assert "status" not in detail


def test_the_clock_alone_makes_news_and_each_change_is_told_once(rig: BedrockRig, listener: Listener) -> None:
    rig.provider.create(rig.order("a"))
    assert listener.status() == "InProgress"
    listener.expect_silence()
    rig.advance(60)
    assert listener.status() == "Completed"
    listener.expect_silence()


def test_a_job_that_fails_says_why(rig: BedrockRig, listener: Listener) -> None:
    rig.faults.add(
        Fault(operation="CreateModelCustomizationJob", kind=FaultKind.FAIL_JOB, message="the gradient exploded")
    )
    rig.provider.create(rig.order("a"))
    assert listener.status() == "InProgress"
    rig.advance(60)
    detail = listener.next()["detail"]

    assert (detail["jobStatus"], detail["failureMessage"]) == ("Failed", "the gradient exploded")


def test_a_job_that_is_stopped_is_told_of_twice(rig: BedrockRig, listener: Listener) -> None:
    job = rig.provider.create(rig.order("a"))
    assert listener.status() == "InProgress"
    rig.stop_in_console(job)
    assert listener.status() == "Stopping"
    rig.advance(60)
    assert listener.status() == "Stopped"


def test_an_event_can_be_lost_on_purpose(rig: BedrockRig, listener: Listener) -> None:
    rig.provider.create(rig.order("a"))
    assert listener.status() == "InProgress"
    rig.faults.add(Fault(operation=OPERATION, kind=FaultKind.LOSE_REPLY))
    rig.advance(60)
    rig.provider.create(rig.order("b"))

    # The end of the first job, which came before, was not told.
    assert listener.next()["detail"]["jobName"] == "tunedrop-b"


def test_a_listener_that_fails_loses_its_event_and_hears_of_the_next(
    tmp_path: Path, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()

    def tell(event: dict[str, Any]) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("the bus is not there yet")
        listener(event)

    with listened(tmp_path, tell) as rig:
        rig.provider.create(rig.order("a"))
        assert failed.wait(SECONDS)
        rig.advance(60)
        assert listener.status() == "Completed"
    assert "An event of job tunedrop-a was not delivered" in caplog.text


def test_a_listener_may_ask_the_simulator_while_it_is_told(tmp_path: Path) -> None:
    """As the embedded AWS does, whose functions look at the job as soon as they hear of it."""
    seen: Queue[str] = Queue()
    rigs: list[BedrockRig] = []

    def look(event: dict[str, Any]) -> None:
        answer = rigs[0].client.get_model_customization_job(jobIdentifier=event["detail"]["jobName"])
        seen.put(answer["status"])

    with listened(tmp_path, look) as rig:
        rigs.append(rig)
        rig.provider.create(rig.order("a"))
        assert seen.get(timeout=SECONDS) == "InProgress"


def test_nothing_is_told_after_it_was_closed_and_no_thread_is_left(
    others: set[threading.Thread], rig: BedrockRig, listener: Listener
) -> None:
    rig.provider.create(rig.order("a"))
    assert listener.status() == "InProgress"
    rig.simulator.close()
    rig.advance(60)

    assert rig.client.get_model_customization_job(jobIdentifier="tunedrop-a")["status"] == "Completed"
    listener.expect_silence()
    assert news_threads() - others == set()


def test_without_a_listener_there_is_no_thread(others: set[threading.Thread], tmp_path: Path) -> None:
    with bedrock_rig(tmp_path) as rig:
        assert news_threads() - others == set()
        rig.simulator.close()


def news_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "bedrock-news"}
