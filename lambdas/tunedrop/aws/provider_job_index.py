"""The jobs by their provider's id: a query on the index `by-provider-job`, which a record is in from the moment that it
has a `provider_job_id`."""

from __future__ import annotations

from typing import Any

from tunedrop.aws.client_errors import store_errors

INDEX = "by-provider-job"


class ProviderJobIndex:
    """A JobIndex on the jobs table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def job_ids(self, provider_job_id: str) -> list[str]:
        # One page, which holds thousands of keys: an id belongs to one job, or to a few at different hosts.
        with store_errors(f"looking for the job {provider_job_id} of a provider"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="provider_job_id = :id",
                ExpressionAttributeValues={":id": {"S": provider_job_id}},
            )
        return [item["pk"]["S"].removeprefix("JOB#") for item in answer["Items"]]
