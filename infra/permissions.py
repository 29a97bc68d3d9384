"""What the functions may do, one statement a need: named actions on the narrowest resource that the service allows."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.functions import allow
from infra.storage import LISTED_BY, PROVIDER_JOB_INDEX, Storage

READ_OBJECT = ("s3:GetObject", "s3:GetObjectVersion")
WRITE_OBJECT = ("s3:PutObject", "s3:AbortMultipartUpload")
JOBS = "jobs/*"
"""Prepared files and reports, in the artifacts bucket."""
OUTPUTS = "outputs/*"
"""What Bedrock writes there: metrics."""
INBOX = "inbox/*"
MANIFESTS = "inbox/*.job.json"
UPLOADS = "uploads/*"
"""In the inbox bucket: where a job that was made over the API waits for its file."""


def records(storage: Storage) -> iam.PolicyStatement:
    """Read and write records with their events; no list, no deletion."""
    return allow(
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"],
        [storage.jobs.table_arn],
    )


def wake(storage: Storage) -> iam.PolicyStatement:
    """Look at a record, and count a reason to look at the provider."""
    return allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [storage.jobs.table_arn])


def lists(storage: Storage) -> iam.PolicyStatement:
    """A job's timeline, and the lists of jobs: queries, never scans."""
    indexes = [f"{storage.jobs.table_arn}/index/by-{name}" for name in LISTED_BY]
    return allow(["dynamodb:Query"], [storage.jobs.table_arn, *indexes])


def find_by_provider_job(storage: Storage) -> iam.PolicyStatement:
    return allow(["dynamodb:Query"], [f"{storage.jobs.table_arn}/index/{PROVIDER_JOB_INDEX}"])


def remember_once(storage: Storage, what: str) -> iam.PolicyStatement:
    """Powertools' idempotency: items of their own, forgotten where an attempt failed. Nobody may delete anything else
    in the table."""
    return iam.PolicyStatement(
        actions=["dynamodb:PutItem", "dynamodb:DeleteItem"],
        resources=[storage.jobs.table_arn],
        conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"IDEMPOTENCY#{what}"]}},
    )


def read_inbox(storage: Storage, *keys: str) -> list[iam.PolicyStatement]:
    """Without ListBucket, S3 answers 403 instead of 404 for a file that is not there yet."""
    return [
        allow(READ_OBJECT, [storage.inbox.arn_for_objects(each) for each in keys]),
        allow(["s3:ListBucket"], [storage.inbox.bucket_arn]),
    ]


def sign_uploads(storage: Storage) -> iam.PolicyStatement:
    """A presigned PUT carries the permissions of who signed it."""
    return allow(["s3:PutObject"], [storage.inbox.arn_for_objects(UPLOADS)])


def read_buckets(scope: Construct, names: Sequence[str]) -> list[iam.PolicyStatement]:
    """The buckets of the settings; a KMS key or another account's bucket policy is their owner's part."""
    if not names:
        return []
    stack = Stack.of(scope)
    buckets = [stack.format_arn(service="s3", region="", account="", resource=name) for name in names]
    return [allow(READ_OBJECT, [f"{bucket}/*" for bucket in buckets]), allow(["s3:ListBucket"], buckets)]


def read_artifacts(storage: Storage, keys: str) -> iam.PolicyStatement:
    return allow(READ_OBJECT, [storage.artifacts.arn_for_objects(keys)])


def write_artifacts(storage: Storage, keys: str) -> iam.PolicyStatement:
    return allow(WRITE_OBJECT, [storage.artifacts.arn_for_objects(keys)])


def list_artifacts(storage: Storage, prefixes: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[storage.artifacts.bucket_arn],
        conditions={"StringLike": {"s3:prefix": list(prefixes)}},
    )


def read_secrets(scope: Construct, stage: str, provider: str) -> iam.PolicyStatement:
    """One provider's credentials and no other's; a job names one of them."""
    stack = Stack.of(scope)
    arn = f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}:secret:tunedrop/{stage}/{provider}/*"
    return allow(["secretsmanager:GetSecretValue"], [arn])


def start_executions(machines: Sequence[str]) -> iam.PolicyStatement:
    """`machines` are ARNs."""
    return allow(["states:StartExecution"], machines)


def end_waits(machines: Sequence[str]) -> iam.PolicyStatement:
    """The Service Authorization Reference names no resource for SendTaskSuccess, but Step Functions authorizes it on
    the token's state machine, as CDK's `grant_task_response` has it, too."""
    return allow(["states:SendTaskSuccess"], machines)


def publish_events(scope: Construct) -> iam.PolicyStatement:
    stack = Stack.of(scope)
    bus = f"arn:{stack.partition}:events:{stack.region}:{stack.account}:event-bus/default"
    return allow(["events:PutEvents"], [bus])
