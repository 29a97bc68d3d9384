"""What S3 tells EventBridge about an object."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.api_client import ApiClient
from local.emulator.process import EmbeddedAws

from .conftest import name


@pytest.fixture(params=["Enabled", None], ids=["versioned", "unversioned"])
def bucket(request: pytest.FixtureRequest, aws: EmbeddedAws, queue: Any) -> Iterator[tuple[str, bool]]:
    """A bucket whose events arrive in the queue, and whether it is versioned."""
    s3, events, bucket = aws.client("s3"), aws.client("events"), name()
    s3.create_bucket(Bucket=bucket)
    if request.param:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": request.param})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": queue.arn}])
    yield bucket, bool(request.param)
    events.remove_targets(Rule=bucket, Ids=["queue"])
    events.delete_rule(Name=bucket)


def test_object_created_names_the_version_and_has_a_sequencer(
    bucket: tuple[str, bool], aws: EmbeddedAws, queue: Any
) -> None:
    s3, (bucket_name, versioned) = aws.client("s3"), bucket
    key = "inbox/openai/a b+c.jsonl"
    seen = []
    for body in (b"first", b"second one"):
        version = s3.put_object(Bucket=bucket_name, Key=key, Body=body).get("VersionId")
        event = queue.received()["body"]
        assert event["detail-type"] == "Object Created"
        described = event["detail"]["object"]
        assert (described["key"], described["size"]) == (key, len(body))
        assert described.get("version-id") == version
        assert ("version-id" in described) is versioned
        seen.append(described["sequencer"])
    assert seen[0] < seen[1]


def test_a_completed_multipart_upload_names_its_version(bucket: tuple[str, bool], aws: EmbeddedAws, queue: Any) -> None:
    s3, (bucket_name, _) = aws.client("s3"), bucket
    upload = {"Bucket": bucket_name, "Key": "large"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"all")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    version = s3.complete_multipart_upload(**upload, MultipartUpload=parts).get("VersionId")
    assert queue.received()["body"]["detail"]["object"].get("version-id") == version


def test_an_upload_by_a_signed_url_is_told_like_any_other(
    bucket: tuple[str, bool], aws: EmbeddedAws, queue: Any
) -> None:
    bucket_name, versioned = bucket
    signer = aws.client("s3", signature_version="s3v4", s3={"addressing_style": "virtual"})
    key, body = "uploads/abc/training data.jsonl", b'{"messages": []}\n'
    url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket_name, "Key": key}, ExpiresIn=60)
    signed = {"url": url, "method": "PUT", "headers": {"Content-Type": "application/jsonl"}}
    version = ApiClient("").upload(signed, body).headers.get("x-amz-version-id")
    described = queue.received()["body"]["detail"]["object"]
    assert (described["key"], described["size"], described.get("version-id")) == (key, len(body), version)
    assert (version is not None) is versioned
    stored = aws.client("s3").get_object(Bucket=bucket_name, Key=key)
    assert (stored["Body"].read(), stored["ContentType"]) == (body, "application/jsonl")
