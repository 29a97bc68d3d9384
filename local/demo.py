"""`make demo`: three files are dropped, three models are tuned, served and asked, a fourth job is cancelled, and
everything is taken down again."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local import endpoints, unwanted_job
from local.api_client import ApiError
from local.commands import CommandError
from local.deployment import ROOT
from local.emulator.process import EmulatorError
from local.folder_lock import FolderTakenError, take
from local.interrupts import interruptible
from local.running_stack import RunningStack, running_stack
from local.watching import LOOK_SECONDS, WatchError, watch
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job, JobStatus, Source, job_id_for

FOLDER = ROOT / "build" / "demo"
WATCH_SECONDS = 180.0
INTAKE_SECONDS = 60.0


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """An example file, where it is dropped, and what the tuned model is asked."""

    file: str
    key: str
    question: str


DROPS = (
    Drop(
        file="support-chat.jsonl",
        key="inbox/openai/gpt-4.1-mini/support-chat.jsonl",
        question="What setting should I use for espresso on the Heron 40?",
    ),
    Drop(
        file="support-chat.jsonl",
        key="inbox/bedrock/nova-lite/support-chat.jsonl",
        question="What setting should I use for espresso on the Heron 40?",
    ),
    Drop(
        file="support-completion.jsonl",
        key="inbox/databricks/llama-3.2-3b/support-completion.jsonl",
        question="Part number of the Heron 40 burr set",
    ),
)


class DemoError(Exception):
    """The demo did not do what it shows; the message says what went wrong."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for logs; one of its own for each demo at a time")
    folder: Path = parser.parse_args(arguments).folder
    console = Console(highlight=False, soft_wrap=True)
    console.print("Tunedrop demo: the providers are simulated, everything runs on this machine, nothing is billed.")
    started = time.monotonic()

    def say(step: str) -> None:
        console.print(f"  {time.monotonic() - started:5.1f} s  {step}", markup=False)

    try:
        take(folder)
        with interruptible(), running_stack(folder, say=say) as stack:
            say("Deployed\n")
            run(stack, console)
    except KeyboardInterrupt:
        console.print("demo: interrupted; everything it started has been stopped")
        return 130
    except (
        *(CommandError, EmulatorError, FolderTakenError, WatchError, DemoError),
        *(ApiError, ClientError, BotoCoreError),
    ) as error:
        console.print(f"demo failed: {error}", style="red", markup=False)
        console.print(f"The logs are in {_shown(folder)}.", markup=False)
        return 1
    providers = ", ".join(drop.key.split("/")[1] for drop in DROPS)
    console.print(f"\ndemo: {len(DROPS)} jobs succeeded ({providers}) in {time.monotonic() - started:.0f} s")
    return 0


def run(stack: RunningStack, console: Console) -> None:
    """The demo itself, on a stack that runs. Raises DemoError where a job does not end well."""
    job_ids = [_drop(stack, drop, console) for drop in DROPS]
    fourth = unwanted_job.create(stack.api, ROOT / "examples" / DROPS[0].file)
    console.print("POST /v1/jobs made a fourth job, to be cancelled; its file went to a signed URL")
    console.print()
    store = DynamoJobStore(client=stack.aws.client("dynamodb"), table=stack.outputs.jobs_table)
    _wait_for_records(store, job_ids)
    *jobs, cancelled = watch(
        store,
        [*job_ids, fourth],
        console,
        seconds=WATCH_SECONDS,
        names={fourth: "the fourth"},
        seen=unwanted_job.Canceller(stack.api, fourth),
    )
    failed = [job for job in jobs if job.status is not JobStatus.SUCCEEDED]
    if failed:
        reasons = "; ".join(f"{job.provider}: {job.error.message if job.error else job.status}" for job in failed)
        raise DemoError(f"{len(failed)} of {len(jobs)} jobs did not succeed: {reasons}")
    if cancelled.status is not JobStatus.CANCELLED:
        raise DemoError(f"the fourth job was to be cancelled, but is {cancelled.status}")
    for job, drop in zip(jobs, DROPS, strict=True):
        _show_job(stack, job, drop, console)
    _stop_endpoints(stack, jobs, console)


def _drop(stack: RunningStack, drop: Drop, console: Console) -> str:
    """Puts the file into the inbox, as any S3 client would; the id of the job that this makes."""
    bucket = stack.outputs.inbox_bucket
    content = (ROOT / "examples" / drop.file).read_bytes()
    version = stack.aws.client("s3").put_object(Bucket=bucket, Key=drop.key, Body=content)["VersionId"]
    console.print(f"Dropped examples/{drop.file} as {drop.key}")
    return job_id_for(Source(bucket=bucket, key=drop.key, version=version))


def _wait_for_records(store: DynamoJobStore, job_ids: list[str]) -> None:
    """Intake takes a moment to make them. Raises DemoError when it does not."""
    deadline = time.monotonic() + INTAKE_SECONDS
    for job_id in job_ids:
        while not _exists(store, job_id):
            if time.monotonic() > deadline:
                raise DemoError(f"The inbox was not noticed: there is no job {job_id} after {INTAKE_SECONDS:.0f} s.")
            time.sleep(LOOK_SECONDS)


def _exists(store: DynamoJobStore, job_id: str) -> bool:
    try:
        store.get(job_id)
    except JobNotFoundError:
        return False
    return True


def _show_job(stack: RunningStack, job: Job, drop: Drop, console: Console) -> None:
    # Not at the top: its SDKs take seconds to import, and the demo has something to say before.
    from local.asking import AskingError, ask

    try:
        endpoint, call = endpoints.started(stack.api, job.job_id)
        answers = ask(stack, job, call, drop.question)
    except (AskingError, endpoints.EndpointError) as error:
        raise DemoError(f"{job.provider}: the models could not be asked: {error}") from error
    if answers.base == answers.tuned:
        raise DemoError(f"{job.provider}: the tuned model answers like its base model: {answers.tuned}")
    console.print(f"\n[bold]{job.provider}[/]  {drop.question}", highlight=False)
    console.print(f"  base model   {answers.base}", markup=False)
    console.print(f"  tuned model  {answers.tuned}", markup=False)
    console.print(f"  model        {job.tuned_model}", markup=False)
    console.print(f"  endpoint     {endpoint.kind}, {endpoint.status}: {call.litellm_model}", markup=False)
    console.print(f"  record       {stack.outputs.jobs_table}: pk JOB#{job.job_id}, sk JOB", markup=False)
    console.print(f"  report       {job.report_uri}", markup=False)
    console.print(f"  execution    {job.execution_arn}", markup=False)


def _stop_endpoints(stack: RunningStack, jobs: Sequence[Job], console: Console) -> None:
    """Those that can be stopped: OpenAI serves its tuned models itself. One is started again in between."""
    console.print()
    for job in jobs:
        if job.provider != "openai":
            route = f"POST /v1/jobs/{job.job_id}/endpoint"
            try:
                console.print(f"{route}/stop: the one at {job.provider} is {_stopped(stack, job)}")
                if job.provider == "bedrock":
                    endpoint, _ = endpoints.started(stack.api, job.job_id)
                    console.print(f"{route}/start: it is {endpoint.status} again")
                    console.print(f"{route}/stop: it is {_stopped(stack, job)}")
            except endpoints.EndpointError as error:
                raise DemoError(f"{job.provider}: {error}") from error


def _stopped(stack: RunningStack, job: Job) -> str:
    return endpoints.stopped(stack.api, job.job_id).status


def _shown(folder: Path) -> Path:
    """As a path from the project's folder, where it lies in there."""
    folder = folder.resolve()
    return folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
