"""The Python client against the deployed stack: jobs that outlive the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from local.client_environment import client_environment
from local.deployment import ROOT
from tests.local.deployed.account import Account
from tests.local.deployed.conftest import riddles
from tunedrop.client import ConflictError, Job, JobCancelledError, NotFoundError, RequestRefusedError, Tunedrop
from tunedrop.domain.job import JobStatus

LONGEST_SECONDS = 90
OUTLIVING_SECONDS = 20
"""Of a training that goes on after the process that waits for it was seen to wait, and killed."""
QUESTION, ANSWER = "Who keeps the lighthouse?", "Maria keeps it."

START_AND_WAIT = """
import sys
from tunedrop.client import Tunedrop

job = Tunedrop().finetune(model="bedrock/amazon.nova-lite-v1", train_data=sys.argv[1])
print(job.job_id, flush=True)
job.result()
print("it was waited for to the end", flush=True)
"""
ATTACH = """
import sys
from tunedrop.client import Tunedrop

print(Tunedrop().attach(sys.argv[1]).result(timeout=90))
"""


class User(NamedTuple):
    """Somebody who uses the stack."""

    tunedrop: Tunedrop
    environment: dict[str, str]


@pytest.fixture(scope="module")
def user(account: Account) -> Iterator[User]:
    """Of whose machine nothing else has an influence: no profile, no other provider's key."""
    ours = ("AWS_", "OPENAI_", "DATABRICKS_", "TUNEDROP_")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {**others, **client_environment(account.stack), "PYTHONPATH": str(ROOT / "lambdas")}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name not in environment]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        with Tunedrop() as tunedrop:
            yield User(tunedrop, environment)


@pytest.fixture(autouse=True)
def environment_of_the_user(user: User, made_up_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also within a test, where every other one has an account that does not exist."""
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def training_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("client") / "riddles.jsonl"
    file.write_bytes(riddles(QUESTION, ANSWER))
    return str(file)


@pytest.fixture(scope="module")
def trained(user: User, training_file: str) -> Job:
    """A job that was started, waited for and served. Each time that its endpoint starts, its result is another one."""
    job = user.tunedrop.finetune(
        model="bedrock/amazon.nova-lite-v1", train_data=training_file, train_kwargs={"job_name": "the-lighthouse"}
    )
    job.wait(timeout=LONGEST_SECONDS)
    return job


def asked(account: Account, model_id: str) -> str:
    """What the model answers, asked with the provider's own SDK."""
    runtime = account.stack.aws.client("bedrock-runtime")
    messages = [{"role": "user", "content": [{"text": QUESTION}]}]
    answer: dict[str, Any] = runtime.converse(modelId=model_id, messages=messages)
    return str(answer["output"]["message"]["content"][0]["text"])


def test_the_result_of_a_job_is_the_name_by_which_its_model_is_called(account: Account, trained: Job) -> None:
    route, _, model_id = trained.result(LONGEST_SECONDS).partition("/converse/")
    assert route == "bedrock"
    assert asked(account, model_id) == ANSWER
    assert trained.status() is JobStatus.SUCCEEDED
    assert trained.record.job_name == "the-lighthouse"
    assert "succeeded" in repr(trained)


def test_a_job_tells_what_happened_what_it_learnt_and_what_it_found(trained: Job) -> None:
    events = list(trained.events())
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {"status", "endpoint"} <= {event.type for event in events}
    points = trained.metrics()
    assert points
    assert all(point.training_loss is not None for point in points)
    assert trained.report()["job"]["job_id"] == trained.job_id


def test_any_process_finds_the_job(user: User, trained: Job) -> None:
    assert trained.job_id in [found.job_id for found in user.tunedrop.jobs(status="succeeded", provider="bedrock")]
    assert user.tunedrop.attach(trained.job_id).result() == trained.result()


def test_an_endpoint_is_stopped_and_started_again(account: Account, trained: Job) -> None:
    stopped = trained.stop_endpoint(timeout=LONGEST_SECONDS)
    assert (stopped.status, stopped.stopped_at is not None) == ("stopped", True)
    assert trained.result() == trained.record.tuned_model
    started = trained.start_endpoint(timeout=LONGEST_SECONDS)
    assert started.call is not None
    assert asked(account, started.call.model_id) == ANSWER
    assert trained.endpoint().status == "ready"
    assert trained.result() == started.call.litellm_model


def test_a_job_is_cancelled_and_tried_again(account: Account, user: User, training_file: str) -> None:
    with account.long_trainings():
        job = user.tunedrop.finetune(model="bedrock/amazon.nova-lite-v1", train_data=training_file)
        account.when([job.job_id], lambda job: job.provider_job_id is not None, "the job is at its provider")
        assert job.cancel().cancel_requested_at is not None
        assert job.wait(timeout=LONGEST_SECONDS).status == "cancelled"
        with pytest.raises(JobCancelledError, match=job.job_id):
            job.result()
        again = job.retry()
        assert again.record.retry_of == job.job_id
        again.cancel()
        assert again.wait(timeout=LONGEST_SECONDS).status == "cancelled"


def test_a_job_that_ended_is_not_cancelled(trained: Job) -> None:
    with pytest.raises(ConflictError, match="has ended as succeeded"):
        trained.cancel()


def test_what_the_api_refuses_is_told_in_its_own_words(user: User) -> None:
    with pytest.raises(NotFoundError, match="a" * 26):
        user.tunedrop.attach("a" * 26)
    with pytest.raises(RequestRefusedError, match="/modle"):
        user.tunedrop.api.request("POST", "/v1/jobs", body={"provider": "bedrock", "modle": "nova-lite"})


def test_a_process_that_waits_is_killed_and_a_second_one_gets_the_result(
    account: Account, user: User, training_file: str
) -> None:
    command = [sys.executable, "-c", START_AND_WAIT, training_file]
    with (
        account.stack.providers.training_for(OUTLIVING_SECONDS),
        subprocess.Popen(
            command, env=user.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as first,
    ):
        assert first.stdout is not None
        job_id = first.stdout.readline().strip()
        account.when([job_id], lambda job: job.provider_job_id is not None, "the job is at its provider")
        first.kill()
        said, _ = first.communicate()
    assert first.returncode == -signal.SIGKILL
    assert said == ""  # it was still waiting

    second = subprocess.run(
        [sys.executable, "-c", ATTACH, job_id],
        env=user.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS + 30,
    )
    assert second.returncode == 0, second.stderr
    result = second.stdout.strip()
    assert result.startswith("bedrock/converse/arn:")
    assert asked(account, result.removeprefix("bedrock/converse/")) == ANSWER
