"""Signed uploads: who has the URL may write this one object, for an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
import requests
from moto import mock_aws

from tunedrop.aws.upload_signer import SIGNING_CONFIG, S3UploadSigner

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
URI = "s3://the-inbox/uploads/abc/train set ü.jsonl"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_the_url_names_the_buckets_own_regional_host(region: str) -> None:
    client = boto3.client("s3", region_name=region, config=SIGNING_CONFIG)

    upload = S3UploadSigner(client=client).sign(URI, now=NOW)

    url = urlsplit(upload.url)
    assert (url.scheme, url.netloc) == ("https", f"the-inbox.s3.{region}.amazonaws.com")
    assert unquote(url.path) == "/uploads/abc/train set ü.jsonl"
    signed = parse_qs(url.query)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Expires"] == ["3600"]
    assert f"/{region}/s3/" in signed["X-Amz-Credential"][0]
    assert (upload.method, upload.expires_at) == ("PUT", NOW + timedelta(hours=1))
    # Nothing that a plain `curl --upload-file` does not send.
    assert signed["X-Amz-SignedHeaders"] == ["host"]
    assert upload.headers == {}


def test_what_is_sent_to_the_url_is_the_object() -> None:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", config=SIGNING_CONFIG)
        client.create_bucket(Bucket="the-inbox")
        upload = S3UploadSigner(client=client).sign(URI, now=NOW)

        answer = requests.request(upload.method, upload.url, data=b"{}\n", headers=upload.headers, timeout=5)

        assert answer.status_code == 200
        stored = client.get_object(Bucket="the-inbox", Key="uploads/abc/train set ü.jsonl")
        assert stored["Body"].read() == b"{}\n"
