"""What an object key in the inbox asks for.

`inbox/<provider>/<model>/<name>.jsonl` (or `.jsonl.gz`) starts a job with the defaults: the second segment is the
provider, the last one the file's name, and all between them the model, whose id may hold `/` and `:`.
`inbox/<name>.job.json` is a manifest. `uploads/<job_id>/<name>` is a file that a job of the API waits for.
"""

from __future__ import annotations

import re

import msgspec

from tunedrop.domain.errors import RequestInvalidError

PREFIX = "inbox/"
UPLOADS_PREFIX = "uploads/"
MANIFEST_SUFFIX = ".job.json"
DATASET_SUFFIXES = (".jsonl", ".jsonl.gz")
"""Whether a file is compressed is told by its content; the name says what people can expect."""

_UPLOAD_NAME = re.compile(r"[\w .-]{1,200}")
_UPLOAD_KEY = re.compile(rf"{UPLOADS_PREFIX}([a-z2-7]{{26}})/([^/]+)")


class DatasetDrop(msgspec.Struct, frozen=True):
    provider: str
    model: str
    name: str


class ManifestDrop(msgspec.Struct, frozen=True):
    name: str


def starts_a_job(key: str) -> bool:
    """False for folder markers, for data beside a manifest, and for everything outside the inbox."""
    if not key.startswith(PREFIX) or key.endswith("/"):
        return False
    return "/" in key.removeprefix(PREFIX) or key.endswith(MANIFEST_SUFFIX)


def read_key(key: str) -> DatasetDrop | ManifestDrop:
    """What `key` asks for. Raises RequestInvalidError where it starts a job that cannot be run."""
    segments = key.removeprefix(PREFIX).split("/")
    name = segments[-1]
    if len(segments) == 1:
        return ManifestDrop(name=name)
    if name.endswith(MANIFEST_SUFFIX):
        raise RequestInvalidError(f"{key}: a manifest belongs directly under {PREFIX}: drop it as {PREFIX}{name}.")
    model = "/".join(segments[1:-1])
    if not segments[0] or not model.strip("/"):
        raise RequestInvalidError(
            f"{key}: the key names no model. Drop the file as {PREFIX}<provider>/<model>/{name}, "
            f"for example {PREFIX}bedrock/nova-lite/{name}."
        )
    if not name.endswith(DATASET_SUFFIXES):
        raise RequestInvalidError(
            f"{key}: the name does not end in {' or '.join(DATASET_SUFFIXES)}. Training data is JSON Lines: one JSON "
            "object a line, in UTF-8, in a file named <name>.jsonl, or <name>.jsonl.gz where it is compressed."
        )
    return DatasetDrop(provider=segments[0], model=model, name=name)


class UploadedFile(msgspec.Struct, frozen=True):
    job_id: str
    name: str


def upload_uri(bucket: str, job_id: str, name: str) -> str:
    """Where the file `name` of a job is uploaded to."""
    return f"s3://{bucket}/{UPLOADS_PREFIX}{job_id}/{name}"


def read_upload_key(key: str) -> UploadedFile | None:
    """Whose file an object is; None for a key that is no place of an upload."""
    found = _UPLOAD_KEY.fullmatch(key)
    return UploadedFile(found[1], found[2]) if found else None


def check_upload_name(name: str, *, field: str) -> None:
    """Raises RequestInvalidError for a name that a file to be uploaded cannot have."""
    if not name.endswith(DATASET_SUFFIXES):
        raise RequestInvalidError(
            f"{field!r} names {name[:200]!r}, which does not end in {' or '.join(DATASET_SUFFIXES)}."
        )
    if not _UPLOAD_NAME.fullmatch(name):
        raise RequestInvalidError(
            f"{field!r} is {name[:200]!r}. The name of a file to be uploaded has at most 200 characters: letters, "
            "digits, spaces, '.', '_' and '-'."
        )
