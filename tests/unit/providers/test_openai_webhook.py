"""What is taken for a webhook of OpenAI's: what it signed, as it signed it, and not long ago."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import get_args

import msgspec
import pytest
from openai.types.webhooks.unwrap_webhook_event import UnwrapWebhookEvent

from local.simulators.openai.webhooks import WebhookEvent, job_event, new_secret, signed_headers
from tunedrop.domain.errors import CredentialsError, PermanentError
from tunedrop.providers.openai_connection import signing_secret
from tunedrop.providers.openai_webhook import (
    JOB_EVENTS,
    WEBHOOK_HEADERS,
    OpenAIWebhooks,
    WebhookRefusedError,
)

SECRET = new_secret()
EVENT = job_event("ftjob-1", "succeeded", created_at=1_763_802_000)


class OneSecret:
    def __init__(self, **fields: str) -> None:
        self.fields = fields
        self.asked: list[tuple[str, str]] = []

    def read(self, provider: str, credentials: str) -> Mapping[str, str]:
        self.asked.append((provider, credentials))
        return self.fields


def read(body: bytes, headers: Mapping[str, str], *, secret: str = SECRET) -> str | None:
    webhooks = OpenAIWebhooks(secrets=OneSecret(api_key="k", webhook_secret=secret))
    return webhooks.read(body, headers, credentials="default").provider_job_id


def signed(event: WebhookEvent = EVENT, *, secret: str = SECRET, ago: int = 0) -> dict[str, str]:
    return signed_headers(event, secret=secret, at=int(time.time()) - ago)


def event_of(document: object) -> WebhookEvent:
    return WebhookEvent(body=document if isinstance(document, bytes) else msgspec.json.encode(document))


def test_a_signed_event_names_the_job_and_its_own_id() -> None:
    secrets = OneSecret(webhook_secret=SECRET)

    event = OpenAIWebhooks(secrets=secrets).read(EVENT.body, signed(), credentials="research")

    assert (event.type, event.provider_job_id) == ("fine_tuning.job.succeeded", "ftjob-1")
    assert event.webhook_id == EVENT.webhook_id
    assert secrets.asked == [("openai", "research")]


@pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
def test_headers_are_found_whatever_their_case(change: object) -> None:
    assert callable(change)
    assert read(EVENT.body, {change(name): value for name, value in signed().items()}) == "ftjob-1"


def test_one_of_many_signatures_is_enough_while_a_secret_is_rotated() -> None:
    headers = signed()
    headers["webhook-signature"] = f"{signed(secret=new_secret())['webhook-signature']} {headers['webhook-signature']}"

    assert read(EVENT.body, headers) == "ftjob-1"


@pytest.mark.parametrize(
    ("body", "headers_now"),
    [
        pytest.param(EVENT.body, lambda: signed(secret=new_secret()), id="signed with another secret"),
        pytest.param(EVENT.body[:-1], lambda: signed(), id="truncated"),
        pytest.param(EVENT.body + b" ", lambda: signed(), id="a space more"),
        pytest.param(EVENT.body.replace(b"ftjob-1", b"ftjob-2"), lambda: signed(), id="another job"),
        pytest.param(EVENT.body, lambda: {**signed(), "webhook-id": "wh_other"}, id="another webhook-id"),
        pytest.param(EVENT.body, lambda: signed(ago=400), id="too old"),
        pytest.param(EVENT.body, lambda: signed(ago=-400), id="from the future"),
        pytest.param(
            EVENT.body,
            lambda: {**signed(ago=400), "webhook-timestamp": str(int(time.time()))},
            id="old, and made young again",
        ),
        pytest.param(EVENT.body, lambda: {**signed(), "webhook-timestamp": "yesterday"}, id="no number"),
        pytest.param(EVENT.body, lambda: {**signed(), "webhook-signature": "v1,é"}, id="no ASCII"),
        pytest.param(EVENT.body, lambda: {**signed(), "webhook-signature": "v1,"}, id="an empty signature"),
        pytest.param(b"\xff\xfe", lambda: signed(), id="no UTF-8"),
        *(
            pytest.param(
                EVENT.body,
                lambda name=name: {k: v for k, v in signed().items() if k != name},
                id=f"without {name}",
            )
            for name in WEBHOOK_HEADERS
        ),
        pytest.param(EVENT.body, dict, id="unsigned"),
    ],
)
def test_anything_else_is_refused_without_a_word_of_it(body: bytes, headers_now: Callable[[], dict[str, str]]) -> None:
    # Signed when the test runs: its moment is a part of it.
    with pytest.raises(WebhookRefusedError) as caught:
        read(body, headers_now())

    assert "ftjob" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("ago", [290, -290])
def test_five_minutes_are_allowed_for_the_way_and_for_clocks(ago: int) -> None:
    assert read(EVENT.body, signed(ago=ago)) == "ftjob-1"


def test_every_event_of_a_job_that_the_sdk_knows_is_known() -> None:
    types = {get_args(event.model_fields["type"].annotation)[0] for event in get_args(get_args(UnwrapWebhookEvent)[0])}

    assert {name for name in types if name.startswith("fine_tuning.job.")} == JOB_EVENTS


@pytest.mark.parametrize("kind", ["response.completed", "fine_tuning.job.paused", "fine_tuning.job.dances", "", "é"])
def test_an_event_of_another_type_is_read_and_names_no_job(kind: str) -> None:
    event = event_of({"id": "evt_1", "object": "event", "type": kind, "data": {"id": "ftjob-1"}})

    found = OpenAIWebhooks(secrets=OneSecret(webhook_secret=SECRET)).read(
        event.body, signed(event), credentials="default"
    )

    assert (found.type, found.provider_job_id) == (kind, None)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[" * 100_000,
        [],
        "fine_tuning.job.failed",
        {"data": {"id": "ftjob-1"}},
        {"type": "fine_tuning.job.failed"},
        {"type": "fine_tuning.job.failed", "data": None},
        {"type": "fine_tuning.job.failed", "data": {"id": 7}},
        {"type": "fine_tuning.job.failed", "data": {"id": ""}},
        {"type": "fine_tuning.job.failed", "data": {"id": "f" * 3000}},
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(document: object) -> None:
    event = event_of(document)

    with pytest.raises(WebhookRefusedError, match="not an event"):
        read(event.body, signed(event))


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("", id="none"),
        pytest.param("whsec_", id="an empty key, with which anybody could sign"),
        pytest.param("whsec_" + base64.b64encode(b"short").decode(), id="one that can be guessed"),
        pytest.param("whsec_*not-base64*", id="not base64"),
        pytest.param("whsec_é", id="not ASCII"),
        pytest.param("sk-an-api-key-by-mistake", id="something else"),
    ],
)
def test_a_secret_that_cannot_be_one_refuses_everybody_and_says_how_to_store_one(secret: str) -> None:
    with pytest.raises(CredentialsError, match="secret-id tunedrop/<stage>/openai/default") as caught:
        read(EVENT.body, signed(), secret=secret)

    assert isinstance(caught.value, PermanentError)
    assert not secret or secret == "whsec_" or secret not in str(caught.value)
    assert signing_secret({"webhook_secret": secret}) is None


def test_a_secret_that_was_stored_with_a_line_break_is_good() -> None:
    assert signing_secret({"webhook_secret": f"{SECRET}\n"}) == SECRET
    assert read(EVENT.body, signed(), secret=f" {SECRET}\n") == "ftjob-1"


def test_who_sends_no_headers_makes_nobody_read_a_secret() -> None:
    secrets = OneSecret(webhook_secret=SECRET)

    with pytest.raises(WebhookRefusedError, match="webhook-id is missing"):
        OpenAIWebhooks(secrets=secrets).read(EVENT.body, {}, credentials="default")

    assert secrets.asked == []
