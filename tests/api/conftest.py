"""The API as its users see it: HTTP in front, the real function behind, an account in moto beneath."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

import api
from tests.api.account import Account, account
from tests.api.gateway import Gateway


@pytest.fixture(scope="package")
def aws() -> Iterator[Account]:
    """Shared, since it takes a second to make: a test has jobs of its own in it, and asks for those only."""
    with account() as made:
        yield made


@pytest.fixture
def empty_aws(aws: Account) -> Account:
    """Without a job."""
    aws.forget_everything()
    return aws


@pytest.fixture
def gateway(aws: Account) -> Gateway:
    return Gateway(api.handler)


@pytest.fixture
def http(gateway: Gateway) -> Client:
    return Client(gateway)
