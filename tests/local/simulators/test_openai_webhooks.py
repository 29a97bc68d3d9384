"""The simulated account tells of its jobs' ends, signed, until it is heard; and the function believes nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import openai
import pytest
from flask import Flask, Response, redirect, request

from local.simulators.faults import Fault, FaultKind
from local.simulators.openai.webhooks import WebhookEndpoint, WebhookEvent, job_event, new_secret, signed_headers
from local.simulators.serving import serving
from tests.local.simulators.openai_account import FINISHED, HALF_TRAINED, Account, account_served, row
from tunedrop.providers.openai_webhook import OpenAIWebhooks, WebhookRefusedError

SECRET = new_secret()
SOON = 10.0
"""Seconds by which what is to come has come, also on a busy machine."""


class Receiver:
    """Somebody's server: it hears what passes the function's own checks, and answers as it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        """Webhook-id, type and job, in order."""
        self.refused: list[str] = []
        self.answers: list[int] = []
        """Of the next requests; then 200."""
        self.url = ""
        self.app = Flask("receiver")
        self.app.add_url_rule("/hook", "hook", self._hook, methods=["POST"])
        self.app.add_url_rule("/moved", "moved", lambda: redirect("/hook", 307), methods=["POST"])
        self._webhooks = OpenAIWebhooks(secrets=self)

    def read(self, provider: str, credentials: str) -> Mapping[str, str]:
        return {"api_key": "k", "webhook_secret": SECRET}

    def _hook(self) -> Response:
        try:
            event = self._webhooks.read(request.get_data(), dict(request.headers), credentials="default")
        except WebhookRefusedError as refusal:
            self.refused.append(str(refusal))
            return Response(status=400)
        self.heard.append((event.webhook_id, event.type, str(event.provider_job_id)))
        return Response(status=self.answers.pop(0) if self.answers else 200)


class Rig:
    def __init__(self, account: Account, receiver: Receiver) -> None:
        self.account = account
        self.receiver = receiver
        self.endpoint = self.set_up()

    def set_up(self) -> WebhookEndpoint:
        return self.account.simulator.send_webhooks_to(f"{self.receiver.url}/hook", SECRET, look_seconds=0.01)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(kind, job_id) for _, kind, job_id in self.receiver.heard]

    def fault(self, kind: FaultKind, **fields: Any) -> None:
        self.account.simulator.faults.add(Fault(operation="webhooks.deliver", kind=kind, **fields))


@contextmanager
def rig_served() -> Iterator[Rig]:
    receiver = Receiver()
    with account_served() as account, serving(receiver.app) as receiver.url:
        yield Rig(account, receiver)
        account.simulator.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    with rig_served() as rig:
        yield rig


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.01)


def test_who_succeeds_fails_or_is_cancelled_is_told_once_and_whoever_runs_is_not(rig: Rig) -> None:
    succeeding, cancelled = rig.account.train(), rig.account.train()
    failing = rig.account.train(row("too", "few"))
    rig.account.client.fine_tuning.jobs.cancel(cancelled.id)
    until(lambda: len(rig.told) == 1)
    rig.account.now += HALF_TRAINED
    until(lambda: len(rig.told) == 2)
    rig.account.now += FINISHED
    until(lambda: len(rig.told) == 3)
    time.sleep(0.1)

    assert rig.told == [
        ("fine_tuning.job.cancelled", cancelled.id),
        ("fine_tuning.job.failed", failing.id),
        ("fine_tuning.job.succeeded", succeeding.id),
    ]
    assert rig.receiver.refused == []


def test_an_end_is_noticed_without_a_call_of_anybody(rig: Rig) -> None:
    job = rig.account.train()
    rig.account.now += FINISHED

    until(lambda: rig.told == [("fine_tuning.job.succeeded", job.id)])


def test_what_ended_before_webhooks_were_set_up_is_not_told(rig: Rig) -> None:
    rig.account.simulator.close()
    before = rig.account.train()
    rig.account.now += FINISHED
    rig.set_up()
    after = rig.account.train()
    rig.account.now += FINISHED

    until(lambda: rig.told == [("fine_tuning.job.succeeded", after.id)])
    assert before.id not in str(rig.told)


@pytest.mark.parametrize("answers", [[500], [404, 302], [503, 400, 500]])
def test_an_event_is_sent_again_until_it_is_answered_with_2xx(rig: Rig, answers: list[int]) -> None:
    rig.receiver.answers = list(answers)
    rig.account.train()
    rig.account.now += FINISHED

    until(lambda: len(rig.endpoint.answers) == len(answers) + 1)
    time.sleep(0.1)
    assert len(set(rig.receiver.heard)) == 1
    assert len(rig.receiver.heard) == len(answers) + 1
    assert [status for _, status in rig.endpoint.answers] == [*answers, 200]


def test_nobody_at_the_address_is_tried_again(rig: Rig) -> None:
    rig.endpoint.url = "http://127.0.0.1:9/hook"
    job = rig.account.train()
    rig.account.now += FINISHED
    until(lambda: rig.endpoint.answers)
    rig.endpoint.url = f"{rig.receiver.url}/hook"

    until(lambda: rig.told == [("fine_tuning.job.succeeded", job.id)])
    assert rig.endpoint.answers[0][1] == 0


def test_a_redirect_is_not_followed_and_is_no_success(rig: Rig) -> None:
    rig.endpoint.url = f"{rig.receiver.url}/moved"
    rig.account.train()
    rig.account.now += FINISHED

    until(lambda: len(rig.endpoint.answers) == 2)
    assert {status for _, status in rig.endpoint.answers} == {307}
    assert rig.told == []


def test_an_event_can_be_lost_for_good(rig: Rig) -> None:
    rig.fault(FaultKind.ERROR)
    lost, told = rig.account.train(), rig.account.train()
    rig.account.client.fine_tuning.jobs.cancel(lost.id)
    time.sleep(0.1)
    rig.account.client.fine_tuning.jobs.cancel(told.id)

    until(lambda: rig.told == [("fine_tuning.job.cancelled", told.id)])


def test_an_event_whose_answer_was_lost_comes_twice_under_one_webhook_id(rig: Rig) -> None:
    rig.fault(FaultKind.LOSE_REPLY)
    rig.account.train()
    rig.account.now += FINISHED

    until(lambda: len(rig.receiver.heard) == 2)
    assert len(set(rig.receiver.heard)) == 1


def test_no_answer_of_the_api_waits_for_a_webhook(rig: Rig) -> None:
    rig.fault(FaultKind.SLOW, seconds=4.0)
    job = rig.account.train()
    rig.account.now += FINISHED
    time.sleep(0.1)
    began = time.monotonic()
    rig.account.job(job.id)

    assert time.monotonic() - began < 3
    assert rig.told == []
    until(lambda: rig.told)


def test_the_thread_is_there_only_while_webhooks_are_set_up() -> None:
    others = set(threading.enumerate())

    def threads() -> list[str]:
        return [thread.name for thread in set(threading.enumerate()) - others if thread.name == "openai-webhooks"]

    with rig_served() as rig:
        rig.set_up()
        assert len(threads()) == 1
        rig.account.simulator.close()
        rig.account.simulator.close()
        assert threads() == []


def event_for(rig: Rig) -> WebhookEvent:
    return job_event(rig.account.train().id, "succeeded", created_at=int(time.time()))


def test_the_function_refuses_what_the_account_did_not_send_as_it_is(rig: Rig) -> None:
    event, post = event_for(rig), rig.endpoint.post
    good = signed_headers(event, secret=SECRET)

    assert post(event.body, signed_headers(event, secret=new_secret())) == 400
    assert post(event.body, signed_headers(event, secret=SECRET, at=int(time.time()) - 301)) == 400
    assert post(event.body[:-5], good) == 400
    assert post(event.body, {}) == 400
    assert len(rig.receiver.refused) == 4
    assert rig.told == []
    assert post(event.body, good) == 200


def test_the_sdk_reads_the_event_as_its_own(rig: Rig) -> None:
    event = event_for(rig)

    with openai.OpenAI(api_key="k", webhook_secret=SECRET) as client:
        read = client.webhooks.unwrap(event.body, signed_headers(event, secret=SECRET))

    assert read.type == "fine_tuning.job.succeeded"
    assert read.to_dict() == msgspec.json.decode(event.body)


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of github.com/standard-webhooks/standard-webhooks, in its libraries' tests.
    event = WebhookEvent(body=b'{"test": 2432232314}', webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek")
    # Not a secret of anybody: the specification's own.
    headers = signed_headers(event, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at=1614265330)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_of_another_form_is_refused(rig: Rig) -> None:
    with pytest.raises(ValueError, match="begins with whsec_"):
        rig.account.simulator.send_webhooks_to("http://127.0.0.1:9/hook", "my secret")
