"""The webhooks of the simulated OpenAI API: signed as Standard Webhooks says, and sent until they arrive."""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import msgspec
import urllib3

from local.simulators.faults import FaultKind, Faults
from local.simulators.openai.jobs import ENDED, SimulatedJob

OPERATION = "webhooks.deliver"
"""The name of a delivery, for faults."""
PREFIX = "whsec_"
_TIMEOUT = urllib3.Timeout(5.0)
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 0.2, 30.0
"""Seconds; OpenAI goes on with exponential back-off for 72 hours."""


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """`event_id` is in the body; `webhook_id` is the same in each of its deliveries."""

    body: bytes
    webhook_id: str = field(default_factory=lambda: f"wh_{secrets.token_hex(16)}")


def job_event(job_id: str, status: str, *, created_at: int) -> WebhookEvent:
    """`fine_tuning.job.<status>`, which tells the job's id and nothing else of it. Spec: WebhookFineTuningJobSucceeded
    in github.com/openai/openai-openapi."""
    document = {
        "id": f"evt_{secrets.token_hex(16)}",
        "object": "event",
        "created_at": created_at,
        "type": f"fine_tuning.job.{status}",
        "data": {"id": job_id},
    }
    return WebhookEvent(body=msgspec.json.encode(document))


def new_secret() -> str:
    """A signing secret, as OpenAI gives one with a new endpoint."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(event: WebhookEvent, *, secret: str, at: int | None = None) -> dict[str, str]:
    """HMAC-SHA256 of `id.timestamp.body`; `at` is Unix time in seconds, now unless given."""
    timestamp = str(int(time.time()) if at is None else at)
    signed = b".".join([event.webhook_id.encode(), timestamp.encode(), event.body])
    signature = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": event.webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError(f"A signing secret begins with {PREFIX}.")
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


class Webhooks:
    """Of one account, whose `jobs` are read under `lock`."""

    def __init__(self, *, jobs: Mapping[str, SimulatedJob], lock: threading.Lock, faults: Faults) -> None:
        self._jobs = jobs
        self._lock = lock
        self._faults = faults
        self._endpoint: WebhookEndpoint | None = None

    def send_to(self, url: str, secret: str, *, look_seconds: float) -> WebhookEndpoint:
        self.close()
        self._ends()  # those of before are not told
        self._endpoint = WebhookEndpoint(
            url=url, secret=secret, events=self._ends, faults=self._faults, look_seconds=look_seconds
        )
        return self._endpoint

    def close(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None

    def _ends(self) -> list[WebhookEvent]:
        """Of the jobs that have ended since the last call."""
        with self._lock:
            ended = [job for job in self._jobs.values() if job.status in ENDED and not job.announced]
            for job in ended:
                job.announced = True
            return [job_event(job.id, job.status, created_at=job.unix(job.ended_after)) for job in ended]


class WebhookEndpoint:
    """Where the account's webhooks go. A job ends because time goes by, so one thread looks for ends, and sends; no
    call of the API waits for it.

    Faults of `webhooks.deliver`: `error` loses an event for good, `lose_reply` makes it be sent again although it has
    arrived, `slow` sends it late.
    """

    def __init__(
        self, *, url: str, secret: str, events: Callable[[], list[WebhookEvent]], faults: Faults, look_seconds: float
    ) -> None:
        """`events` gives those that happened since it was last called; it is called every `look_seconds`."""
        _key(secret)
        self.url = url
        self.answers: list[tuple[str, int]] = []
        """The webhook-id and the status code of every delivery, in order; 0 where nobody answered."""
        self._secret = secret
        self._events = events
        self._faults = faults
        self._look_seconds = look_seconds
        # Without retries there are no redirects either: a 3xx is a delivery that failed.
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)
        self._closed = threading.Event()
        self._due: list[tuple[float, int, int, WebhookEvent]] = []
        """When, its place in the queue, which attempt, what."""
        self._places = count()
        self._thread = threading.Thread(target=self._run, name="openai-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """What has not arrived is never sent."""
        self._closed.set()
        self._thread.join()
        self._http.clear()

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """One request, signed or not; the status code of its answer, 0 where nobody answered."""
        try:
            answer = self._http.request("POST", self.url, body=body, headers=dict(headers))
        except urllib3.exceptions.HTTPError:
            return 0
        return answer.status

    def _run(self) -> None:
        while not self._closed.wait(self._look_seconds):
            for event in self._events():
                self._schedule(event, attempt=1, after=0.0)
            while self._due and self._due[0][0] <= time.monotonic() and not self._closed.is_set():
                _, _, attempt, event = heapq.heappop(self._due)
                self._deliver(event, attempt)

    def _schedule(self, event: WebhookEvent, *, attempt: int, after: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + after, next(self._places), attempt, event))

    def _deliver(self, event: WebhookEvent, attempt: int) -> None:
        fault = self._faults.next_for(OPERATION)
        if fault is not None and fault.kind is FaultKind.ERROR:
            return
        # Signed anew each time: a signature is good for five minutes.
        status = self.post(event.body, signed_headers(event, secret=self._secret))
        self.answers.append((event.webhook_id, status))
        arrived = 200 <= status < 300
        if not arrived or (fault is not None and fault.kind is FaultKind.LOSE_REPLY):
            back_off = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2 ** (attempt - 1))
            self._schedule(event, attempt=attempt + 1, after=back_off)
