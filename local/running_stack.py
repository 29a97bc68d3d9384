"""The whole of it on this machine: the embedded AWS, the three simulated providers, and the deployed stack."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.api_client import ApiClient, embedded_url
from local.deployment import ROOT, StackOutputs, bootstrap, deploy, synthesizing
from local.emulator.connection import EmbeddedAws
from local.emulator.process import embedded_aws
from local.interrupts import disturbable, undisturbed
from local.simulated_providers import SCHEMA, TRAINING_JOB_ID, VOLUME, SimulatedProviders, simulated_providers
from local.simulators.openai.webhooks import WebhookEndpoint
from local.simulators.pace import Pace

SHORTEST_POLL_SECONDS = 1
"""A training takes seconds here, not hours, so its provider is asked every second."""
WEBHOOK_PATH = "/v1/webhooks/openai"

DATABRICKS_SETTINGS = {
    "tunedrop:databricks_training_job_id": str(TRAINING_JOB_ID),
    "tunedrop:databricks_volume": VOLUME,
    "tunedrop:databricks_schema": SCHEMA,
}
OWN_BUCKET = "tunedrop-own-rows"
"""A bucket of the user's own, which the stack may read."""
GUIDE_BUCKET = "your-bucket"
"""The same, under the name that the guide's code has, so that it can be pasted as it stands."""
READABLE_BUCKETS = (OWN_BUCKET, GUIDE_BUCKET)
SETTINGS = {**DATABRICKS_SETTINGS, "tunedrop:readable_buckets": ",".join(READABLE_BUCKETS)}
STAGE = "dev"


@dataclass(frozen=True, kw_only=True)
class RunningStack:
    aws: EmbeddedAws
    api: ApiClient
    outputs: StackOutputs
    providers: SimulatedProviders
    webhooks: WebhookEndpoint
    """How the simulated OpenAI tells the stack of its jobs' ends."""
    folder: Path
    """Logs, the synthesized template, and what the CDK said."""


@contextmanager
def running_stack(
    folder: Path,
    *,
    say: Callable[[str], None] = print,
    shortest_poll_seconds: int = SHORTEST_POLL_SECONDS,
    pace: Pace | None = None,
) -> Iterator[RunningStack]:
    """Starts everything on free loopback ports, deploys, and takes it all down at the end, however that comes.

    An interrupt comes while something is waited for, and in the block; not while something is started or ended.
    `say` is told of each step; `pace` is that of the simulated providers. Raises EmulatorError or CommandError, which
    say where the logs are.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "cdk.out", ignore_errors=True)
    with undisturbed(), ExitStack() as cleanup:
        say("Starting the embedded AWS and the simulated providers; synthesizing the stack meanwhile")
        synth = cleanup.enter_context(synthesizing(folder, environment=os.environ, context=SETTINGS))
        providers = cleanup.enter_context(simulated_providers(pace))
        aws = cleanup.enter_context(
            embedded_aws(
                state_dir=folder / "aws",
                function_environment={"POLL_SHORTEST_SECONDS": str(shortest_poll_seconds)},
                endpoints=providers.aws_endpoints,
                packages_dir=ROOT / "build" / "packages",
            )
        )
        providers.aws.connect(aws)
        for bucket in READABLE_BUCKETS:
            aws.client("s3").create_bucket(Bucket=bucket)
        bootstrap(aws, folder)
        synth.wait()
        say("Deploying the stack with cdk deploy")
        outputs = deploy(aws, folder)
        api = ApiClient(embedded_url(aws.url, outputs.api_url))
        _store_credentials(aws, providers)
        webhooks = _send_webhooks(providers, api)
        cleanup.callback(providers.openai.close)  # before the API that they are sent to goes
        with disturbable():
            yield RunningStack(aws=aws, api=api, outputs=outputs, providers=providers, webhooks=webhooks, folder=folder)


def _store_credentials(aws: EmbeddedAws, providers: SimulatedProviders) -> None:
    """What a user does once after deploying: put the providers' keys where the functions look for them."""
    client = aws.client("secretsmanager")
    for provider, secret in providers.credentials.items():
        client.put_secret_value(SecretId=f"tunedrop/{STAGE}/{provider}/default", SecretString=json.dumps(secret))


def _send_webhooks(providers: SimulatedProviders, api: ApiClient) -> WebhookEndpoint:
    """What a user does once in OpenAI's console: name the address, and get the secret that was stored above."""
    secret = providers.credentials["openai"]["webhook_secret"]
    return providers.openai.send_webhooks_to(api.base_url + WEBHOOK_PATH, secret)
