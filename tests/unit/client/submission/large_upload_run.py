"""Run in a process of its own: uploads a file to an S3 that keeps nothing, and prints what arrived and the memory used.

Argument: the file. Output, as JSON: `parts`, the SHA-256 of each in its order, and `grown`, the peak in bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

from tunedrop.client.connection import Connection
from tunedrop.client.submission.s3_places import Object
from tunedrop.client.submission.training_rows import Local, opened
from tunedrop.client.submission.uploads import upload

PIECE = 64 * 1024


class Sink:
    """S3 behind the wire."""

    def __init__(self, connection: Connection) -> None:
        self.parts: dict[int, str] = {}
        self._lock = threading.Lock()
        connection.client("s3").meta.events.register_first("before-send.s3", self._take)

    def _take(self, request: Any, **_: Any) -> AWSResponse:
        body = b""
        if "partNumber=" in request.url:
            digest = hashlib.sha256()
            while piece := request.body.read(PIECE):
                digest.update(piece)
            with self._lock:
                self.parts[int(request.url.partition("partNumber=")[2].partition("&")[0])] = digest.hexdigest()
        else:
            kind = "CompleteMultipartUploadResult" if "uploadId=" in request.url else "InitiateMultipartUploadResult"
            body = f"<{kind}><UploadId>u</UploadId></{kind}>".encode()
        return AWSResponse(request.url, 200, {"ETag": '"e"'}, _Raw(body))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def run(file: Path) -> dict[str, Any]:
    # Bodies as they are, and not in chunks with a checksum behind them.
    os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
    connection = Connection("https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod")
    sink = Sink(connection)
    with opened(file, argument="train_data") as data:
        assert isinstance(data, Local)
        tracemalloc.start()
        upload(data, Object("bucket", "key.jsonl"), connection, progress=False)
        _, grown = tracemalloc.get_traced_memory()
    return {"parts": [sink.parts[number] for number in sorted(sink.parts)], "grown": grown}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
