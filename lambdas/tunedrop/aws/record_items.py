"""Records as DynamoDB's items: plain JSON types, and numbers that are decimals there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()

Item: TypeAlias = dict[str, dict[str, Any]]
"""DynamoDB's own JSON: every value beside its type."""


def serialized(fields: Mapping[str, Any]) -> Item:
    """The item of these fields; what is None is left out."""
    # DynamoDB's numbers are decimals: floats go through their shortest text.
    decimal = json.loads(msgspec.json.encode(fields), parse_float=Decimal)
    return {name: _serializer.serialize(value) for name, value in decimal.items() if value is not None}


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of an item, as DynamoDB or its stream shows it."""
    return {name: _plain(_deserializer.deserialize(value)) for name, value in item.items()}


def timestamp(at: datetime) -> str:
    """UTC to the millisecond, always of one length, so that the order of the text is the order in time."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _plain(value: Any) -> Any:
    """Decimals as int or float, all the way down."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
