"""Objects in S3, as streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.traced_memory import assert_peak_below
from tunedrop.aws.object_store import S3ObjectStore, _Chunks
from tunedrop.domain.errors import DatasetInvalidError, RequestInvalidError


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def store(client: Any) -> S3ObjectStore:
    return S3ObjectStore(client=client)


def test_what_is_written_can_be_read(store: S3ObjectStore) -> None:
    written = store.write("s3://data/a/b.jsonl", [b"one\n", b"", b"two\n"], content_type="application/jsonl")

    assert written == 8
    with store.open("s3://data/a/b.jsonl") as stream:
        assert stream.read() == b"one\ntwo\n"


def test_a_version_stays_what_it_was(store: S3ObjectStore, client: Any) -> None:
    first = client.put_object(Bucket="data", Key="x", Body=b"first")["VersionId"]
    client.put_object(Bucket="data", Key="x", Body=b"second")

    with store.open(f"s3://data/x?versionId={first}") as stream:
        assert stream.read() == b"first"
    info = store.head(f"s3://data/x?versionId={first}")
    assert info is not None
    assert (info.size, info.version) == (5, first)


def test_an_object_that_is_not_there(store: S3ObjectStore) -> None:
    assert store.head("s3://data/nothing") is None
    assert store.head("s3://nowhere/nothing") is None
    with pytest.raises(RequestInvalidError, match="s3://data/nothing does not exist"), store.open("s3://data/nothing"):
        pass


def test_a_bad_row_in_the_middle_of_an_upload_leaves_no_object_and_no_parts(store: S3ObjectStore, client: Any) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * (1024 * 1024)
        raise DatasetInvalidError("row 21 is bad")

    with pytest.raises(DatasetInvalidError, match="row 21"):
        store.write("s3://data/big.jsonl", chunks(), content_type="application/jsonl")

    assert store.head("s3://data/big.jsonl") is None
    assert "Uploads" not in client.list_multipart_uploads(Bucket="data")


def test_a_large_upload_goes_out_in_parts_of_8_mib(store: S3ObjectStore, client: Any) -> None:
    chunk = b"y" * (1024 * 1024)

    written = store.write("s3://data/big", (chunk for _ in range(40)), content_type="application/jsonl")

    etag = client.head_object(Bucket="data", Key="big")["ETag"]
    assert (written, etag.strip('"').partition("-")[2]) == (40 * 1024 * 1024, "5")


def test_the_source_of_an_upload_never_holds_the_whole_file() -> None:
    def read() -> None:
        source = _Chunks(bytes([number % 256]) * 1024 for number in range(64 * 1024))
        while source.read(64 * 1024):
            pass
        assert source.count == 64 * 1024 * 1024

    assert_peak_below(1024 * 1024, read)
