"""What cannot be used ends as a failed job that says why, at no provider; what asks for nothing makes no job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from tests.local.deployed.account import Account
from tests.local.deployed.conftest import riddles
from tests.local.deployed.subscriptions import News
from tunedrop.domain.job import Job, JobStatus, Phase, as_document

GOOD = riddles("What is good?", "This file.")
BROKEN_LINE = GOOD.splitlines(keepends=True)
BROKEN_LINE[6] = b'{"messages": [{"role": "user", "content": "and then"\n'


CSV = b"question,answer\n1,2\n"


def manifest(**fields: object) -> bytes:
    return json.dumps({"provider": "openai", "model": "gpt-4.1-mini", "training_file": "data.jsonl", **fields}).encode()


BAD: Mapping[str, tuple[str, bytes, str]] = {
    "a broken row": (
        "inbox/openai/gpt-4.1-mini/broken.jsonl",
        b"".join(BROKEN_LINE),
        r"broken\.jsonl:7: .*",
    ),
    "an empty file": ("inbox/bedrock/nova-lite/empty.jsonl", b"", r"(?i)empty\.jsonl.*(empty|no rows)"),
    "a CSV by name": (
        "inbox/openai/gpt-4.1-mini/rows.csv",
        CSV,
        r"does not end in \.jsonl.*JSON Lines",
    ),
    "a CSV in disguise": ("inbox/databricks/llama-3.2-3b/rows.jsonl", CSV, r"rows\.jsonl:1: "),
    "an unknown provider": (
        "inbox/opnai/gpt-4.1-mini/a.jsonl",
        GOOD,
        r"Unknown provider 'opnai'\. Did you mean openai\? Known: openai, bedrock, databricks",
    ),
    "an unknown model": (
        "inbox/bedrock/nova-huge/a.jsonl",
        GOOD,
        r"Unknown bedrock model 'nova-huge'.*Known: .*nova-lite",
    ),
    "no model": ("inbox/openai/a.jsonl", GOOD, r"names no model.*inbox/<provider>/<model>/a\.jsonl"),
    "a manifest that is not JSON": ("inbox/not-json.job.json", b"provider: openai", r"not-json\.job\.json: not JSON"),
    "an unknown field": (
        "inbox/unknown-field.job.json",
        manifest(hyperparams={}),
        r"unknown field 'hyperparams'\. Did you mean 'hyperparameters'\? Known fields: ",
    ),
    "a bucket of somebody else": (
        "inbox/elsewhere.job.json",
        manifest(training_file="s3://of-somebody-else/data.jsonl"),
        r"'of-somebody-else', which this stack may not read.*tunedrop:readable_buckets",
    ),
    "a secret": (
        "inbox/secret.job.json",
        manifest(api_key="made-up"),
        r"'api_key' is a secret.*Secrets Manager",
    ),
}
NOTHING = (
    "inbox/",
    "inbox/openai/gpt-4.1-mini/",
    "inbox/data.jsonl",
    "uploads/abc/data.jsonl",
    "elsewhere/openai/a.jsonl",
)
NOTHING_AMONG_ARTIFACTS = (
    "inbox/openai/gpt-4.1-mini/again.jsonl",
    "outputs/abc/inbox/openai/gpt-4.1-mini/again.jsonl",
    "jobs/abc/training.jsonl",
)


@pytest.fixture(scope="module")
def nothing(account: Account) -> set[str]:
    """The versions of objects that ask for no job."""
    artifacts = account.stack.outputs.artifacts_bucket
    put = [account.put(key, b"" if key.endswith("/") else GOOD) for key in NOTHING]
    put += [account.put(key, GOOD, bucket=artifacts) for key in NOTHING_AMONG_ARTIFACTS]
    return {source.version for source in put}


@pytest.fixture(scope="module")
def bad(account: Account, news: News, nothing: set[str]) -> Mapping[str, Job]:
    """All of them dropped at once, after what asks for nothing; none may reach a provider."""
    before = account.jobs_at_providers()
    ids = [account.drop(key, content) for key, content, _ in BAD.values()]
    jobs = account.when(ids, lambda job: job.is_final, "bad drops end")
    assert account.jobs_at_providers() == before
    return dict(zip(BAD, jobs, strict=True))


@pytest.mark.parametrize("what", BAD)
def test_it_ends_as_failed_and_record_event_message_and_report_say_why(
    what: str, account: Account, news: News, bad: Mapping[str, Job]
) -> None:
    job, pattern = bad[what], BAD[what][2]
    assert (job.status, job.phase) == (JobStatus.FAILED, Phase.DONE)
    assert (job.submission, job.provider_job_id) == (None, None)
    assert job.error
    report = account.report(job)
    event = news.events(job.job_id, until="failed")[-1]["detail"]
    message = news.messages(job.job_id, 2)[-1]
    assert report["job"]["error"] == event["error"] == as_document(job.error)
    assert event["report_uri"] == job.report_uri
    assert job.error.message in message
    assert re.search(pattern, job.error.message, re.DOTALL), job.error.message


def test_what_asks_for_nothing_makes_no_job(account: Account, nothing: set[str], bad: Mapping[str, Job]) -> None:
    """The bad drops came after it and have ended, so that its turn is over."""
    versions = {record["source"]["M"]["version"]["S"] for record in account.records() if "source" in record}
    assert versions
    assert not versions & nothing
