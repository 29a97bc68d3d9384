"""Files on their way to S3: streamed, in parts where they are large, by the caller's own credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import S3UploadFailedError
from s3transfer.manager import TransferConfig, TransferManager
from s3transfer.subscribers import BaseSubscriber

from tunedrop.client.connection import Connection
from tunedrop.client.errors import UploadError
from tunedrop.client.submission.s3_places import Object
from tunedrop.client.submission.training_rows import Local

PART_BYTES = 8 * 1024 * 1024
PARTS_AT_ONCE = 8
"""So many parts are in memory at most, whatever the size of the file; beyond 10,000 parts they grow."""

Advance = Callable[[int], None]


def upload(data: Local, target: Object, connection: Connection, *, progress: bool | None) -> None:
    """Puts the file there. With a bar, on a terminal only, unless `progress` is False.

    Raises UploadError; nothing is left behind then, parts included.
    """
    client = connection.client("s3")
    config = TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_request_concurrency=PARTS_AT_ONCE,
        max_in_memory_upload_chunks=PARTS_AT_ONCE,
    )
    data.stream.seek(0)
    with _in_our_words(target), _bar(data, progress) as advance, TransferManager(client, config) as transfers:
        transfers.upload(data.stream, target.bucket, target.key, subscribers=[_Watched(advance)]).result()


class _Watched(BaseSubscriber):  # type: ignore[misc]  # s3transfer has no types
    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def on_progress(self, *, bytes_transferred: int, **_: Any) -> None:
        self._advance(bytes_transferred)  # negative where a part is sent again


@contextmanager
def _bar(data: Local, progress: bool | None) -> Iterator[Advance]:
    from rich.console import Console

    console = Console(stderr=True)
    if progress is False or not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(f"Uploading {data.name[:40]}", total=data.size)
        yield lambda sent: shown.advance(task, sent)


@contextmanager
def _in_our_words(target: Object) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise UploadError(_explained(error, target)) from None
    except (BotoCoreError, S3UploadFailedError, OSError) as error:
        raise UploadError(f"The upload to {target.uri} broke off ({type(error).__name__}: {error}).") from error


def _explained(error: ClientError, target: Object) -> str:
    code = error.response.get("Error", {}).get("Code", "unknown")
    way_out = {
        "AccessDenied": f"It takes the permission s3:PutObject on {target.uri}.",
        "NoSuchBucket": f"There is no bucket {target.bucket}.",
        "ExpiredToken": "Sign in again (aws sso login).",
    }.get(code, error.response.get("Error", {}).get("Message", ""))
    return f"S3 refused the upload to {target.uri} ({code}). {way_out}".rstrip()
