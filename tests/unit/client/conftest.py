"""A stack in this process, and a client of it whose waiting takes no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import api
from tests.api.account import Account, account
from tests.api.gateway import Gateway
from tests.unit.client.pretended_time import PretendedTime
from tests.unit.client.urls import URL
from tunedrop.client.tunedrop import Tunedrop

SETTINGS = ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "TUNEDROP_URL")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def aws_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where AWS's tools look for profiles: there are none, and the environment has credentials and no more."""
    for name in (*SETTINGS, *PROXIES, *map(str.lower, PROXIES)):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")
    return config


@pytest.fixture(scope="module")
def made_account() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def aws(made_account: Account) -> Account:
    """Without a job."""
    made_account.forget_everything()
    return made_account


@pytest.fixture
def gateway(aws: Account) -> Gateway:
    return Gateway(api.handler)


@pytest.fixture
def passing() -> PretendedTime:
    return PretendedTime()


@pytest.fixture
def tunedrop(gateway: Gateway, passing: PretendedTime) -> Iterator[Tunedrop]:
    with Tunedrop(URL, transport=httpx.WSGITransport(app=gateway)) as made:
        made.waiting = passing.waiting()
        yield made
