"""Signed uploads: a URL by which whoever has it may write one object, for a while, without credentials of their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config

from tunedrop.domain.ports import Upload

VALID_FOR = timedelta(hours=1)
"""Or for as long as the credentials of the function that signed it, where those end sooner."""

SIGNING_CONFIG = Config(
    signature_version="s3v4",
    # The bucket's own regional host: the global one answers a new bucket of another region with a redirect, which a
    # client that uploads does not follow.
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


class S3UploadSigner:
    """An UploadSigner. `client` is an S3 client with SIGNING_CONFIG, of the bucket's region; it makes no call."""

    def __init__(self, *, client: Any) -> None:
        self._client = client

    def sign(self, uri: str, *, now: datetime) -> Upload:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": bucket, "Key": key},
            ExpiresIn=int(VALID_FOR.total_seconds()),
            HttpMethod="PUT",
        )
        return Upload(url=url, expires_at=now + VALID_FOR)
