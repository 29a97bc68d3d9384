"""Queries on a table's indexes, as lists of jobs ask them."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator.process import EmbeddedAws

from .conftest import name

TABLE = name()
MONTH = "2026-11"


def text(**fields: str) -> dict[str, dict[str, str]]:
    """As DynamoDB's JSON."""
    return {key: {"S": value} for key, value in fields.items()}


@pytest.fixture(scope="module")
def dynamodb(aws: EmbeddedAws) -> Iterator[Any]:
    """A table with a sorted index of everything and one by attribute, and seven jobs, one not yet in an index."""
    client = aws.client("dynamodb")
    keys = ["pk", "sk", "created_month", "created_key", "provider_job_id"]
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-created",
                "KeySchema": [
                    {"AttributeName": "created_month", "KeyType": "HASH"},
                    {"AttributeName": "created_key", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by-provider-job",
                "KeySchema": [{"AttributeName": "provider_job_id", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )
    for number in range(6):
        job = text(
            pk=f"JOB#{number}", sk="JOB", created_month=MONTH, created_key=f"2026-11-2{number}T00:00:00Z#{number}"
        )
        status = text(status="failed" if number % 2 else "succeeded", provider_job_id=f"ftjob-{number}")
        client.put_item(TableName=TABLE, Item={**job, **status})
    client.put_item(TableName=TABLE, Item=text(pk="JOB#6", sk="JOB", status="failed"))
    yield client
    client.delete_table(TableName=TABLE)


def newest_first(dynamodb: Any, **question: Any) -> Any:
    """A query for the month's jobs."""
    values = {":month": {"S": MONTH}, **question.pop("values", {})}
    return dynamodb.query(
        **{
            "TableName": TABLE,
            "IndexName": "by-created",
            "ScanIndexForward": False,
            "KeyConditionExpression": "created_month = :month",
            "ExpressionAttributeValues": values,
            **question,
        }
    )


def numbers(answer: Any) -> list[int]:
    """Which jobs it has, in its order."""
    return [int(item["pk"]["S"].removeprefix("JOB#")) for item in answer["Items"]]


def test_what_has_no_key_of_an_index_is_not_in_it(dynamodb: Any) -> None:
    assert numbers(newest_first(dynamodb)) == [5, 4, 3, 2, 1, 0]


def test_a_page_ends_with_the_key_of_index_and_table_and_the_next_begins_behind_it(dynamodb: Any) -> None:
    first = newest_first(dynamodb, Limit=4)
    assert numbers(first) == [5, 4, 3, 2]
    assert set(first["LastEvaluatedKey"]) == {"pk", "sk", "created_month", "created_key"}
    second = newest_first(dynamodb, Limit=4, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert numbers(second) == [1, 0]
    assert "LastEvaluatedKey" not in second


def test_a_page_may_begin_before_a_sort_key_that_no_record_has(dynamodb: Any) -> None:
    condition = "created_month = :month AND created_key < :before"
    before = {":before": {"S": "2026-11-23T12:00:00Z"}}
    assert numbers(newest_first(dynamodb, KeyConditionExpression=condition, values=before)) == [3, 2, 1, 0]


def test_the_limit_counts_what_is_looked_at_and_not_what_the_filter_leaves(dynamodb: Any) -> None:
    answer = newest_first(
        dynamodb,
        Limit=3,
        FilterExpression="#status = :status",
        ExpressionAttributeNames={"#status": "status"},
        values={":status": {"S": "failed"}},
    )
    assert (numbers(answer), answer["Count"], answer["ScannedCount"]) == ([5, 3], 2, 3)
    assert answer["LastEvaluatedKey"]["pk"] == {"S": "JOB#3"}


def test_an_index_of_keys_only_gives_no_other_attribute(dynamodb: Any) -> None:
    [item] = dynamodb.query(
        TableName=TABLE,
        IndexName="by-provider-job",
        KeyConditionExpression="provider_job_id = :id",
        ExpressionAttributeValues={":id": {"S": "ftjob-2"}},
    )["Items"]
    assert item == text(pk="JOB#2", sk="JOB", provider_job_id="ftjob-2")


def test_a_record_moves_within_its_indexes_when_its_key_changes(dynamodb: Any) -> None:
    key = text(pk="JOB#0", sk="JOB")

    def move(month: str) -> None:
        dynamodb.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="SET created_month = :month",
            ExpressionAttributeValues={":month": {"S": month}},
        )

    move("2026-10")
    try:
        assert 0 not in numbers(newest_first(dynamodb))
        assert numbers(newest_first(dynamodb, values={":month": {"S": "2026-10"}})) == [0]
    finally:
        move(MONTH)
