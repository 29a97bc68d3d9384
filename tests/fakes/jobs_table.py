"""The jobs table in moto, with the keys and indexes that the stack gives it."""

from __future__ import annotations

from typing import Any

import boto3

_LISTS = ("created", "status", "provider")


def create_jobs_table(name: str) -> Any:
    """The DynamoDB client that made it."""
    attributes = ["pk", "sk", "created_key", "provider_job_id", *(f"{index}_month" for index in _LISTS)]
    lists: list[dict[str, Any]] = [
        {
            "IndexName": f"by-{index}",
            "KeySchema": [
                {"AttributeName": f"{index}_month", "KeyType": "HASH"},
                {"AttributeName": "created_key", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
        for index in _LISTS
    ]
    by_provider_job = {
        "IndexName": "by-provider-job",
        "KeySchema": [{"AttributeName": "provider_job_id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        GlobalSecondaryIndexes=[*lists, by_provider_job],
        BillingMode="PAY_PER_REQUEST",
    )
    return client
