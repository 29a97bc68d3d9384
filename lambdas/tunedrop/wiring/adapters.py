"""What the use cases stand on: stores, clients, clocks, each built once and only when asked for."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from tunedrop import env
from tunedrop.aws.clients import client
from tunedrop.aws.endpoint_store import DynamoEndpointStore
from tunedrop.aws.job_store import DynamoJobStore
from tunedrop.aws.object_store import S3ObjectStore
from tunedrop.aws.secrets import SecretsManager
from tunedrop.aws.workflow import StepFunctionsTaskTokens, StepFunctionsWorkflow
from tunedrop.domain.job import now_utc
from tunedrop.domain.polling import PollingPolicy

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer


class SystemClock:
    def now(self) -> datetime:
        return now_utc()


@cache
def job_store() -> DynamoJobStore:
    return DynamoJobStore(client=client("dynamodb"), table=env.required(env.JOBS_TABLE))


@cache
def endpoint_store() -> DynamoEndpointStore:
    return DynamoEndpointStore(client=client("dynamodb"), table=env.required(env.JOBS_TABLE))


@cache
def object_store() -> S3ObjectStore:
    return S3ObjectStore(client=client("s3"))


def secrets() -> SecretsManager:
    return SecretsManager(client=client("secretsmanager"), stage=env.required(env.STAGE))


@cache
def training_workflow() -> StepFunctionsWorkflow:
    return StepFunctionsWorkflow(
        client=client("stepfunctions"), machine_arn_prefix=env.required(env.STATE_MACHINE_ARN_PREFIX)
    )


@cache
def endpoint_workflow() -> StepFunctionsWorkflow:
    return StepFunctionsWorkflow(
        client=client("stepfunctions"), machine_arn_prefix=env.required(env.ENDPOINT_MACHINE_ARN_PREFIX)
    )


@cache
def task_tokens() -> StepFunctionsTaskTokens:
    return StepFunctionsTaskTokens(client=client("stepfunctions"))


def idempotency_records(kind: str) -> DynamoDBPersistenceLayer:
    """Items of their own in the table, which DynamoDB deletes in time."""
    # Not at the top: only the functions that are asked from outside need it.
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    return DynamoDBPersistenceLayer(
        table_name=env.required(env.JOBS_TABLE),
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=f"IDEMPOTENCY#{kind}",
        expiry_attr="expires_at_epoch",
        boto3_client=client("dynamodb"),
    )


def polling_policy() -> PollingPolicy:
    return PollingPolicy(shortest=env.number(env.POLL_SHORTEST_SECONDS, PollingPolicy().shortest))


def readable_buckets() -> tuple[str, ...]:
    return tuple(filter(None, (env.optional(env.READABLE_BUCKETS) or "").split(",")))
