"""An execution that is lost takes nothing with it: another one goes on, or stops the job and says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.local.deployed.account import Account, eventually
from tunedrop.domain.job import Job, JobStatus, Phase

AT_THE_PROVIDER = {Phase.QUEUED, Phase.TRAINING}
SHORT_SECONDS = 10
"""Of an execution that is to time out, but not before its file has come, on a busy machine as well."""
OUTLIVING_SECONDS = 14
"""Of a training that is not over by then."""


@contextmanager
def short_executions(account: Account, provider: str, seconds: int) -> Iterator[None]:
    """Executions that start within the block time out so soon; that is part of a machine's definition."""
    machine = account.stack.outputs.state_machine_arn(provider)
    definition = account.executions.describe_state_machine(stateMachineArn=machine)["definition"]
    short = json.dumps({**json.loads(definition), "TimeoutSeconds": seconds})
    account.executions.update_state_machine(stateMachineArn=machine, definition=short)
    try:
        yield
    finally:
        account.executions.update_state_machine(stateMachineArn=machine, definition=definition)


def assert_ended(account: Account, job: Job, lost: str) -> None:
    """The job's first execution was lost so, and its second one came to its end."""
    machine = account.stack.outputs.state_machine_arn(job.provider)

    def executions() -> bool:
        statuses = account.machine_executions(machine)
        return (statuses.get(job.job_id), statuses.get(f"{job.job_id}-r1")) == (lost, "SUCCEEDED")

    eventually(executions, f"one execution is {lost}, and the next one has succeeded")


def test_a_job_whose_execution_was_aborted_by_hand_is_cancelled_at_its_provider_and_says_so(account: Account) -> None:
    with account.long_trainings():
        job_id = account.create(provider="bedrock", model="nova-lite")
        [job] = account.when([job_id], lambda job: job.phase in AT_THE_PROVIDER, "the job is at the provider")
    aborted = job.execution_arn
    account.executions.stop_execution(executionArn=aborted, error="ByHand", cause="a test")
    [job] = account.when([job_id], lambda job: job.is_final, "the job ends")
    assert job.status is JobStatus.CANCELLED
    assert job.error
    assert job.error.code == "execution_aborted"
    assert job.execution_arn != aborted
    assert_ended(account, job, "ABORTED")
    described = account.stack.aws.client("bedrock").get_model_customization_job(jobIdentifier=job.provider_job_id)
    assert described["status"] == "Stopped"


def test_a_job_whose_execution_timed_out_goes_on_and_succeeds(account: Account) -> None:
    with account.stack.providers.training_for(OUTLIVING_SECONDS):
        with short_executions(account, "openai", seconds=SHORT_SECONDS):
            job_id = account.create()
            # Executions read the definition a moment after they have been started.
            account.when([job_id], lambda job: job.phase is not Phase.AWAITING_UPLOAD, "the execution has begun")
        account.when([job_id], lambda job: job.provider_job_id is not None, "the job is at the provider")
    [job] = account.when([job_id], lambda job: job.is_final, "the job ends")
    assert_ended(account, job, "TIMED_OUT")
    assert (job.status, job.error, job.recoveries) == (JobStatus.SUCCEEDED, None, 1)
    of_this_job = [told for told in account.openai_jobs().values() if job_id in told]
    assert len(of_this_job) == 1  # it was not submitted again
