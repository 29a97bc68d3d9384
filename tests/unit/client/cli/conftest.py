"""A stack for the commands: the real function of the API over an account in moto."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from werkzeug.serving import make_server

import api
from tests.api.account import Account, account
from tests.api.gateway import STAGE, Gateway
from tests.api.states import state
from tunedrop.client import tunedrop as client
from tunedrop.client.waiting import Waiting
from tunedrop.domain.endpoint import Endpoint
from tunedrop.domain.job import Job

URL = f"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/{STAGE}"


class Stack:
    """What the commands of this process call."""

    def __init__(self, account: Account, gateway: Gateway) -> None:
        self.account = account
        self.gateway = gateway
        self.meanwhile: list[Callable[[], object]] = []
        """What happens while a command waits: one of them at each pause."""

    def hold(self, job: Job | str, endpoint: Endpoint | None = None) -> str:
        """Records a job as it is, or one in a state of `tests.api.states`; its id."""
        if isinstance(job, str):
            return self.account.hold(*state(job))
        return self.account.hold(job, endpoint)

    def pause(self, _: float) -> None:
        assert self.meanwhile, "the command waits, and nothing is going to happen"
        self.meanwhile.pop(0)()

    def tunedrop(self, *arguments: Any, **keywords: Any) -> client.Tunedrop:
        made = _REAL(*arguments, **keywords, transport=httpx.WSGITransport(app=self.gateway))
        made.waiting = Waiting(sleep=self.pause)
        return made


_REAL = client.Tunedrop


@pytest.fixture(scope="package")
def shared_account() -> Iterator[Account]:
    """It takes a second to make."""
    with account() as made:
        yield made


@pytest.fixture
def aws(shared_account: Account) -> Account:
    """Without a job."""
    shared_account.forget_everything()
    return shared_account


@pytest.fixture
def gateway(aws: Account) -> Gateway:
    return Gateway(api.handler)


@pytest.fixture
def stack(aws: Account, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Stack:
    made = Stack(aws, gateway)
    monkeypatch.setenv("TUNEDROP_URL", URL)
    monkeypatch.setattr(client, "Tunedrop", made.tunedrop)
    return made


@pytest.fixture
def served(gateway: Gateway) -> Iterator[str]:
    """The URL of the same API on loopback, for commands that are processes of their own."""
    server = make_server("127.0.0.1", 0, gateway, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{STAGE}"
    server.shutdown()
    thread.join()
    server.server_close()
