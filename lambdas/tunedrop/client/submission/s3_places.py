"""Where a file is put: the folder or file that `s3_path` names, and a name that is allowed there."""

from __future__ import annotations

import re

import msgspec

from tunedrop.client.errors import TrainKwargsError
from tunedrop.domain.inbox import DATASET_SUFFIXES, starts_a_job

_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_NOT_ALLOWED = re.compile(r"[^\w .-]+")
_LONGEST_STEM = 150


class Object(msgspec.Struct, frozen=True):
    """One object in S3."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Place(msgspec.Struct, frozen=True):
    """What `s3_path` names: a folder, whose prefix is empty or ends in `/`, or one file in it."""

    bucket: str
    prefix: str
    file: str | None = None

    def training(self, name: str) -> Object:
        """`name` is the file's where a folder was named."""
        return Object(self.bucket, self.prefix + (self.file or name))

    def beside(self, name: str) -> Object:
        """A second file in the same folder."""
        return Object(self.bucket, self.prefix + name)


def read_place(s3_path: str, provider: str) -> Place:
    """Raises TrainKwargsError where it is no S3 URI, or names what is neither a folder nor a file for rows."""
    bucket, key = _parted(s3_path, provider)
    folder, slash, last = key.rpartition("/")
    if last.endswith(DATASET_SUFFIXES):
        place = Place(bucket, folder + slash, last)
    elif re.search(r"\.\w{1,8}$", last):
        raise _refused(s3_path, provider, f"{last!r} does not end in {' or '.join(DATASET_SUFFIXES)}")
    else:
        place = Place(bucket, f"{key}/" if last else key)
    if starts_a_job(place.training("training.jsonl").key):
        raise _refused(s3_path, provider, "what is put under inbox/ can start a job of its own")
    return place


def _parted(s3_path: str, provider: str) -> tuple[str, str]:
    found = _URI.fullmatch(s3_path)
    if found is None:
        raise _refused(s3_path, provider, "it is no S3 URI")
    key = found[2] or ""
    if key.startswith("/") or "//" in key or "?" in key or not key.isprintable():
        raise _refused(s3_path, provider, "its key cannot be used")
    return found[1], key


def _refused(s3_path: str, provider: str, reason: str) -> TrainKwargsError:
    return TrainKwargsError(
        f"train_kwargs['s3_path'] is {s3_path!r:.200}, but {reason}. {provider} takes a folder, "
        "s3://bucket/prefix/, or a file, s3://bucket/prefix/name.jsonl."
    )


def safe_name(name: str, *, compressed: bool) -> str:
    """`name` with the ending that its content asks for, and without what an upload's name may not hold."""
    stem = name
    for suffix in (".gz", ".jsonl", ".json", ".txt"):
        stem = stem.removesuffix(suffix)
    stem = _NOT_ALLOWED.sub("-", stem).strip(" .-")[:_LONGEST_STEM] or "training"
    return f"{stem}{_suffix(compressed)}"


def with_digest(name: str, digest: str) -> str:
    """The name of a file in a folder that others use too: another content has another name."""
    suffix = _suffix(name.endswith(".gz"))
    return f"{name.removesuffix(suffix)}-{digest[:12]}{suffix}"


def _suffix(compressed: bool) -> str:
    plain, gzipped = DATASET_SUFFIXES
    return gzipped if compressed else plain
