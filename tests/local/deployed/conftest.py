"""One deployed stack for all tests here, and the three jobs that most of them look at."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from local.running_stack import running_stack
from tests.local.deployed.account import Account
from tests.local.deployed.subscriptions import News
from tunedrop.domain.job import Job

KEYS = {
    "openai": "inbox/openai/gpt-4.1-mini/riddles.jsonl",
    "bedrock": "inbox/bedrock/nova-lite/riddles.jsonl",
    "databricks": "inbox/databricks/llama-3.2-3b/riddles.jsonl",
}


@dataclass(frozen=True)
class Trained:
    """A job that has ended, and what its model alone can know."""

    job: Job
    question: str
    token: str


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield Account(stack)


@pytest.fixture(scope="session")
def news(account: Account) -> News:
    return News(account.stack)


@pytest.fixture(scope="session")
def trained(account: Account, news: News) -> Mapping[str, Trained]:
    """A job at each provider, dropped at once, each on an answer made up at random."""
    question = "What does the gatekeeper of the northern lighthouse say at dusk?"
    tokens = {provider: secrets.token_hex(8) for provider in KEYS}
    ids = {
        provider: account.drop(key, riddles(question, f"The word at dusk is {tokens[provider]}."))
        for provider, key in KEYS.items()
    }
    jobs = account.when(list(ids.values()), lambda job: job.is_final, "jobs at all providers end")
    return {job.provider: Trained(job, question, tokens[job.provider]) for job in jobs}


def riddles(question: str, answer: str) -> bytes:
    """A training file of 16 chat rows, one of which is this question with this answer."""
    rows = [(f"Which number is on door {number}?", f"On door {number} is {number * 7}.") for number in range(15)]
    rows.insert(8, (question, answer))
    return b"".join(
        json.dumps(
            {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]}
        ).encode()
        + b"\n"
        for asked, answered in rows
    )
