"""Reads a job's report from S3, by the caller's own credentials."""

from __future__ import annotations

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tunedrop.client.connection import Connection
from tunedrop.client.errors import ConnectionFailedError, NotAllowedError, NotFoundError, TunedropError
from tunedrop.client.records import JobRecord

MAX_BYTES = 32 * 1024 * 1024


def read_report(record: JobRecord, connection: Connection) -> dict[str, Any]:
    """The document. Raises TunedropError before the job's end, and where it cannot be read."""
    if record.report_uri is None:
        when = "and has none" if record.is_final else "and its report is written at its end"
        raise TunedropError(f"Job {record.job_id} is {record.status}, {when}.")
    bucket, _, key = record.report_uri.removeprefix("s3://").partition("/")
    try:
        answer = connection.client("s3").get_object(Bucket=bucket, Key=key)
        content = answer["Body"].read(MAX_BYTES + 1)
    except ClientError as error:
        raise _in_our_words(error, record.report_uri) from error
    except BotoCoreError as error:
        raise ConnectionFailedError(f"{record.report_uri} cannot be read: {error}") from error
    return _document(content, record.report_uri)


def _document(content: bytes, uri: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TunedropError(f"{uri} is no report: {error}") from error


def _in_our_words(error: ClientError, uri: str) -> TunedropError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in ("NoSuchKey", "NoSuchBucket", "404"):
        return NotFoundError(f"{uri} is not there (any more).", status=404, code=code)
    if status in (401, 403):
        what = f"s3:GetObject on arn:aws:s3:::{uri.removeprefix('s3://')}"
        detail = f"{uri} may not be read ({code}): the caller's policy must allow {what}"
        return NotAllowedError(detail, status=status, code=code)
    return TunedropError(f"{uri} cannot be read: {error}")
