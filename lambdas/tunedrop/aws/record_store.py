"""One kind of record in DynamoDB. Every write is conditional on the version that was read, and carries its event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from botocore.exceptions import ClientError

from tunedrop.aws.client_errors import code_of, store_errors
from tunedrop.aws.record_items import Item, timestamp
from tunedrop.domain.errors import JobNotFoundError, StoreConflictError

MAX_ATTEMPTS = 10
WAKE_SEQ = "wake_seq"


class Record(Protocol):
    @property
    def job_id(self) -> str: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class RecordItems(Generic[R]):
    """How one kind of record is written."""

    what: str
    """For messages: `job`, `the endpoint of job`."""
    key: Callable[[str], Item]
    write: Callable[[R], Item]
    read: Callable[[Mapping[str, Mapping[str, Any]]], R]
    event: Callable[[R | None, R], Item]


class RecordStore(Generic[R]):
    """Records of one kind on one table; `client` is a low-level DynamoDB client."""

    def __init__(self, *, client: Any, table: str, items: RecordItems[R]) -> None:
        self._client = client
        self._table = table
        self._items = items

    def create(self, record: R) -> bool:
        """False when there is a record; then nothing is written."""
        put = {
            "Put": {
                "TableName": self._table,
                "Item": {**self._items.key(record.job_id), **self._items.write(record)},
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        return self._write(put, self._items.event(None, record), record.job_id)

    def find(self, job_id: str) -> R | None:
        """The record as it is now, None where there is none."""
        with store_errors(f"reading {self._name(job_id)}"):
            answer = self._client.get_item(TableName=self._table, Key=self._items.key(job_id), ConsistentRead=True)
        return self._items.read(answer["Item"]) if "Item" in answer else None

    def get(self, job_id: str) -> R:
        """The record as it is now. Raises JobNotFoundError."""
        found = self.find(job_id)
        if found is None:
            raise self._missing(job_id)
        return found

    def change(self, job_id: str, change: Callable[[R], R]) -> R:
        """As the port says. Never writes `wake_seq`."""
        for _ in range(MAX_ATTEMPTS):
            before = self.get(job_id)
            after = change(before)
            if after == before:
                return before
            if self._write(self._update(before, after), self._items.event(before, after), job_id):
                return after
        raise StoreConflictError(f"{self._name(job_id)} was changed by others {MAX_ATTEMPTS} times in a row.")

    def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
        """As the port says. No new version and no event: nothing is known yet, there is only a reason to look."""
        condition = "attribute_exists(pk)"
        values: Item = {":one": {"N": "1"}, ":at": {"S": timestamp(at)}}
        if quiet_since is not None:
            condition += " AND (attribute_not_exists(woken_at) OR woken_at <= :quiet_since)"
            values[":quiet_since"] = {"S": timestamp(quiet_since)}
        try:
            with store_errors(f"waking {self._name(job_id)}"):
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=self._items.key(job_id),
                    UpdateExpression=f"SET woken_at = :at ADD {WAKE_SEQ} :one",
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            self.get(job_id)  # raises where there is no record; where there is one, somebody woke it not long ago
            return None
        token: str | None = answer["Attributes"].get("wait_token", {}).get("S")
        return token

    def _update(self, before: R, after: R) -> dict[str, Any]:
        """Only what changed is written, so that attributes which others keep beside the record stay as they are."""
        old, new = self._items.write(before), self._items.write(after)
        names: dict[str, str] = {"#version": "version"}
        values: Item = {":expected": old["version"], ":zero": {"N": "0"}}
        # A record of before there were wake-ups gets its count here: a wait would never hold without one.
        assignments, removals = [f"{WAKE_SEQ} = if_not_exists({WAKE_SEQ}, :zero)"], []
        for number, field in enumerate(sorted(old.keys() | new.keys())):
            if field == WAKE_SEQ or old.get(field) == new.get(field):
                continue
            names[f"#f{number}"] = field
            if field in new:
                values[f":f{number}"] = new[field]
                assignments.append(f"#f{number} = :f{number}")
            else:
                removals.append(f"#f{number}")
        expression = f"SET {', '.join(assignments)}" + (f" REMOVE {', '.join(removals)}" if removals else "")
        return {
            "Update": {
                "TableName": self._table,
                "Key": self._items.key(after.job_id),
                "UpdateExpression": expression,
                "ConditionExpression": "#version = :expected",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _write(self, record: dict[str, Any], event: Item, job_id: str) -> bool:
        """False when the condition did not hold, or another write to the same item was under way."""
        put_event = {"Put": {"TableName": self._table, "Item": event}}
        try:
            with store_errors(f"writing {self._name(job_id)}"):
                self._client.transact_write_items(TransactItems=[record, put_event])
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
                return False
            raise
        return True

    def _name(self, job_id: str) -> str:
        return f"{self._items.what} {job_id}"

    def _missing(self, job_id: str) -> JobNotFoundError:
        return JobNotFoundError(f"There is no {self._name(job_id)}.")
