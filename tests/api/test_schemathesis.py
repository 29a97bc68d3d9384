"""Schemathesis over the whole document: whatever is asked, the answer is in the document, and never a server error.

Requests are made up from the document, valid and broken ones; the ids of the valid ones are those of jobs in every
phase and of endpoints in every state. The seed is fixed, and so is the number of examples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth

import api
from tests.api.account import Account
from tests.api.gateway import Gateway
from tests.api.states import STATES, state

EXAMPLES = 30
GOOD_REQUESTS: tuple[dict[str, str], ...] = (
    {"provider": "openai", "model": "gpt-4.1-mini", "training_file": "s3://datasets/train.jsonl"},
    {"provider": "bedrock", "model": "nova-lite", "training_file": "train.jsonl"},
    {"provider": "databricks", "model": "meta-llama/Llama-3.2-3B-Instruct", "training_file": "train.jsonl"},
)
KEPT = ("upload", "job_name", "deadline_hours")
# Whether a model takes what the schema allows, and whether a token is one, no schema says.
MAY_BE_REFUSED = ["2xx", "400", "404", "409", "422"]

config = SchemathesisConfig.from_dict(
    {
        "seed": 20261122,
        "generation": {
            "deterministic": True,
            "max-examples": EXAMPLES,
            "database": "none",
            # API Gateway asks for signatures, before any function is called.
            "with-security-parameters": False,
        },
        "phases": {"stateful": {"enabled": False}},
        "operations": [
            {
                "include-operation-id": ["createJob", "listJobs", "listJobEvents", "startEndpoint"],
                "checks": {"positive_data_acceptance": {"expected-statuses": MAY_BE_REFUSED}},
            }
        ],
    }
)
schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", Gateway(api.handler), config=config)


turns: dict[str, Iterator[int]] = defaultdict(count)
"""Of each operation, so that every one meets every state, whatever is run before it."""


def settle(case: schemathesis.Case[Any]) -> None:
    """Valid requests are about jobs that exist, and about models that can be trained."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    turn = next(turns[case.operation.label])
    if case.path_parameters:
        case.path_parameters["job_id"] = state(STATES[turn % len(STATES)], of="schemathesis")[0].job_id
    if case.query and turn % 2:
        case.query.pop("next_token", None)
    if case.operation.label == "POST /v1/jobs" and isinstance(case.body, dict) and turn % 2:
        kept: dict[str, Any] = {
            name: case.body[name] for name in ("upload", "job_name", "deadline_hours") if name in case.body
        }
        case.body = {**GOOD_REQUESTS[turn // 2 % len(GOOD_REQUESTS)], **kept}


@pytest.fixture(scope="module")
def jobs(aws: Account) -> None:
    aws.put("s3://datasets/train.jsonl")
    aws.put("s3://inbox/inbox/train.jsonl")
    for name in STATES:
        aws.hold(*state(name, of="schemathesis"))


NOT_HERE = [ignored_auth]
"""Signatures are API Gateway's."""


@pytest.mark.usefixtures("jobs")
@schema.parametrize()
def test_every_answer_is_in_the_document(case: schemathesis.Case[Any]) -> None:
    settle(case)
    case.call_and_validate(excluded_checks=NOT_HERE)
