"""Deploys the stack to the embedded AWS with `cdk deploy`, as it is deployed to AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from local.commands import Command, started
from local.emulator.connection import ACCOUNT, REGION, EmbeddedAws

ROOT = Path(__file__).parents[1]
CDK = ROOT / "node_modules" / ".bin" / "cdk"

_QUIET = {
    "CI": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "1",
}


class StackOutputs(msgspec.Struct, frozen=True, rename="pascal"):
    """What the deployed stack says of itself."""

    api_url: str
    """As on AWS, with the stage behind it; `local.api_client.embedded_url` says where that is here."""
    inbox_bucket: str
    artifacts_bucket: str
    jobs_table: str
    topic_arn: str
    openai_state_machine_arn: str
    bedrock_state_machine_arn: str
    databricks_state_machine_arn: str
    bedrock_endpoint_machine_arn: str
    databricks_endpoint_machine_arn: str

    def state_machine_arn(self, provider: str) -> str:
        """Of the provider's fine-tuning machine."""
        arn: str = getattr(self, f"{provider}_state_machine_arn")
        return arn

    def endpoint_machine_arn(self, provider: str) -> str:
        """Of the provider's endpoint machine; OpenAI has none."""
        arn: str = getattr(self, f"{provider}_endpoint_machine_arn")
        return arn


@contextmanager
def synthesizing(folder: Path, *, environment: Mapping[str, str], context: Mapping[str, str]) -> Iterator[Command]:
    """`cdk synth` for this machine's Python, into `folder`/cdk.out; it runs beside the block."""
    settings = {"tunedrop:target": "host", **context}
    arguments = [part for name, value in settings.items() for part in ("--context", f"{name}={value}")]
    with started(
        # Not staged: the functions' layers are deployed from where they were built, and not copied first.
        [CDK, "synth", "--quiet", "--no-notices", "--no-staging", "--output", folder / "cdk.out", *arguments],
        cwd=ROOT,
        environment={**environment, **_QUIET, "PYTHONPATH": "lambdas:."},
        log_file=folder / "cdk-synth.log",
    ) as command:
        yield command


def bootstrap(aws: EmbeddedAws, folder: Path) -> None:
    """Makes the bucket and the roles that `cdk deploy` needs, as in an account that is new to the CDK."""
    with started(
        [CDK, "bootstrap", "--no-notices", f"aws://{ACCOUNT}/{REGION}"],
        cwd=folder,  # without the project's cdk.json, so that nothing is synthesized for it
        environment={**aws.command_environment(), **_QUIET},
        log_file=folder / "cdk-bootstrap.log",
    ) as command:
        command.wait()


def deploy(aws: EmbeddedAws, folder: Path) -> StackOutputs:
    """Deploys what was synthesized. Raises CommandError with the end of the CDK's own output."""
    outputs_file = folder / "outputs.json"
    with started(
        [
            *(CDK, "deploy", "--all", "--no-notices", "--require-approval", "never", "--progress", "events"),
            *("--app", folder / "cdk.out", "--outputs-file", outputs_file),
        ],
        cwd=ROOT,
        environment={**aws.command_environment(), **_QUIET},
        log_file=folder / "cdk-deploy.log",
    ) as command:
        command.wait()
    [outputs] = json.loads(outputs_file.read_text()).values()
    return msgspec.convert(outputs, StackOutputs)
