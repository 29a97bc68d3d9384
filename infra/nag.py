"""cdk-nag's rules for the stack, and each finding that is meant to be as it is, with its reason.

Acknowledgements name one finding on one construct: a new wildcard anywhere else stays a finding.
"""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
import cdk_nag
from constructs import Construct

from infra.api import ROUTES, WEBHOOK
from infra.settings import Settings
from infra.state_machines import PROVIDERS, SERVING_PROVIDERS

TRACING = "X-Ray's and CloudWatch Logs' delivery actions have no resource to name."
OBJECTS = "The keys of objects that do not exist yet can be named by their prefix only."
READABLE = "Whoever deploys the stack named this bucket in its settings."
OTHER_JOBS = "Bedrock makes the id of a job, model or deployment on creation; the account and the kind are named."
LATEST = "The layers are built for python3.13; a newer runtime comes with a release of Tunedrop."
SECRETS = "A job names one of its provider's secrets; the prefix is one provider's, in one stage."
ROTATION = "The keys are made in the provider's console, where Secrets Manager cannot rotate them."
LOG_ROLE = "API Gateway refuses a role for its logs that may not write to log groups which do not exist yet."
VALIDATION = "The function checks bodies and parameters by its models and names what is wrong; the gateway could not."
FIREWALL = "Callers are signed in by IAM; the webhook has its own throttling, and its signature is checked."
EXECUTION_LOG = "Execution logs hold headers and bodies; the access log has what is needed, without them."
IAM_AUTHORIZATION = "Callers are principals of AWS accounts: IAM authorizes them, there is no user pool."
SIGNED_WEBHOOK = "OpenAI has no AWS credentials: it signs what it sends, and the function checks signature and age."
DEAD_LETTERS = "This queue is where undeliverable messages end: it has no dead-letter queue of its own."
INVOKED_BY = {
    "Intake": "What fails goes to a destination queue, which also holds the error; a dead-letter queue would not.",
    "Notify": "Invoked by the stream's mapping, which sends what fails to a queue.",
    "Prepare": "Invoked synchronously by the state machine, which retries and catches.",
    "OpenaiTasks": "Invoked synchronously by the state machine, which retries and catches.",
    "BedrockTasks": "Invoked synchronously by the state machine, which retries and catches.",
    "DatabricksTasks": "Invoked synchronously by the state machine, which retries and catches.",
    "Finish": "Invoked synchronously by the state machine, which retries and catches.",
    "Api": "Invoked synchronously by API Gateway, whose caller gets the answer.",
    "Webhook": "Invoked synchronously by API Gateway; OpenAI sends again what was not answered with 2xx.",
    "Wake": "What fails goes to a destination queue, which also holds the error; a dead-letter queue would not.",
    "Recover": "What fails goes to a destination queue, which also holds the error; a dead-letter queue would not.",
}
DEAD_LETTER_QUEUES = (
    "UndeliveredDrops",
    "UnhandledDrops",
    "UndeliveredBedrockNews",
    "UnhandledBedrockNews",
    "UndeliveredLostExecutions",
    "UnhandledLostExecutions",
    "UnpublishedChanges",
)

_INBOX = "<StorageInbox618003E1.Arn>"
_ARTIFACTS = "<StorageArtifacts08431D1F.Arn>"
_BEDROCK = "arn:<AWS::Partition>:bedrock:us-east-1"


def add_checks(app: cdk.App, stack: cdk.Stack, *, settings: Settings) -> None:
    """Makes synthesis fail on findings of the packs AwsSolutions and Serverless that are not acknowledged here."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.ServerlessChecks(app))
    for path, finding, reason in _acknowledgements(settings):
        construct = _find(stack, path)
        # `acknowledge()` refuses ids with tokens in them; what it writes is this metadata.
        construct.node.add_metadata(cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY, {finding: reason})


def _acknowledgements(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """The construct's path in the stack, the finding, and why it is meant to be so."""
    yield from _of_functions(settings)
    yield from _of_bedrock()
    yield from _of_the_api(settings)
    for provider in PROVIDERS:
        yield f"{provider.capitalize()}FineTuning/Role", _wildcard("*"), TRACING
    for provider in SERVING_PROVIDERS:
        yield f"{provider.capitalize()}Endpoint/Role", _wildcard("*"), TRACING
    for provider in ("Openai", "Databricks"):
        yield f"Credentials/{provider}", "AwsSolutions-SMG4", ROTATION
    for queue in DEAD_LETTER_QUEUES:
        yield f"Events/{queue}", "AwsSolutions-SQS3", DEAD_LETTERS
        yield f"Events/{queue}", "Serverless-SQSRedrivePolicy", DEAD_LETTERS


def _of_functions(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for function, reason in INVOKED_BY.items():
        yield f"Functions/{function}", "AwsSolutions-L1", LATEST
        yield f"Functions/{function}", "Serverless-LambdaLatestVersion", LATEST
        yield f"Functions/{function}", "Serverless-LambdaDLQ", reason
        yield f"Functions/{function}Role", _wildcard("*"), TRACING
    secrets = f"arn:<AWS::Partition>:secretsmanager:us-east-1:<AWS::AccountId>:secret:tunedrop/{settings.stage}"
    for function, provider in (("OpenaiTasks", "openai"), ("Webhook", "openai"), ("DatabricksTasks", "databricks")):
        yield f"Functions/{function}Role", _wildcard(f"{secrets}/{provider}/*"), SECRETS
    yield "Functions/IntakeRole", _wildcard(f"{_INBOX}/inbox/*.job.json"), OBJECTS
    for role in ("PrepareRole", "ApiRole"):
        for keys in ("inbox/*", "uploads/*"):
            yield f"Functions/{role}", _wildcard(f"{_INBOX}/{keys}"), OBJECTS
        for bucket in settings.readable_buckets:
            yield f"Functions/{role}", _wildcard(f"arn:<AWS::Partition>:s3:::{bucket}/*"), READABLE
    for role in ("IntakeRole", "PrepareRole", "OpenaiTasksRole", "DatabricksTasksRole", "FinishRole", "ApiRole"):
        yield f"Functions/{role}", _wildcard(f"{_ARTIFACTS}/jobs/*"), OBJECTS


def _of_bedrock() -> Iterator[tuple[str, str, str]]:
    yield "Functions/BedrockTasksRole", _wildcard(f"{_ARTIFACTS}/outputs/*"), OBJECTS
    yield "Bedrock/TrainingRole", _wildcard(f"{_ARTIFACTS}/jobs/*"), OBJECTS
    yield "Bedrock/TrainingRole", _wildcard(f"{_ARTIFACTS}/outputs/*"), OBJECTS
    for resource in (
        f"{_BEDROCK}:<AWS::AccountId>:custom-model/*",
        f"{_BEDROCK}:<AWS::AccountId>:custom-model-deployment/*",
        f"{_BEDROCK}:<AWS::AccountId>:model-customization-job/*",
        f"{_BEDROCK}:<AWS::AccountId>:provisioned-model/*",
        f"{_BEDROCK}::foundation-model/*",
    ):
        yield "Functions/BedrockTasksRole", _wildcard(resource), OTHER_JOBS
    yield "Functions/ApiRole", _wildcard(f"{_BEDROCK}:<AWS::AccountId>:custom-model/*"), OTHER_JOBS


def _of_the_api(settings: Settings) -> Iterator[tuple[str, str, str]]:
    yield "Api/LogRole", _wildcard("*"), LOG_ROLE
    yield "Api/RestApi", "AwsSolutions-APIG2", VALIDATION
    stage = f"Api/RestApi/DeploymentStage.{settings.stage}"
    yield stage, "AwsSolutions-APIG3", FIREWALL
    yield stage, "AwsSolutions-APIG6", EXECUTION_LOG
    for path, methods in ROUTES.items():
        for method in methods:
            yield f"Api/RestApi/Default{path}/{method}", "AwsSolutions-COG4", IAM_AUTHORIZATION
    webhook = f"Api/RestApi/Default{WEBHOOK}/POST"
    yield webhook, "AwsSolutions-COG4", SIGNED_WEBHOOK
    yield webhook, "AwsSolutions-APIG4", SIGNED_WEBHOOK


def _wildcard(resource: str) -> str:
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def _find(stack: cdk.Stack, path: str) -> Construct:
    found: Construct = stack
    for name in path.split("/"):
        child = found.node.find_child(name)
        assert isinstance(child, Construct)  # noqa: S101
        found = child
    return found
