"""A manifest or request body, read strictly, and the files it may name."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.inbox import DATASET_SUFFIXES, PREFIX
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.volume_path import FORM, is_volume_path

MAX_MANIFEST_BYTES = 256 * 1024
MAX_DEADLINE_HOURS = 336.0
MAX_COST_USD = 1e9
MAX_NUMBER = 1e15
"""No number is above it, or so near to 0 as its reciprocal; the record could not hold every one."""


def _choices(struct: type[msgspec.Struct], prefix: str = "") -> dict[str, list[Any]]:
    return {
        prefix + name: [choice for part in get_args(hint) if get_origin(part) is Literal for choice in get_args(part)]
        for name, hint in get_type_hints(struct).items()
    }


_FIELDS = {
    "": tuple(field.name for field in msgspec.structs.fields(JobRequest)),
    "endpoint": tuple(field.name for field in msgspec.structs.fields(EndpointRequest)),
}
_CHOICES = _choices(JobRequest) | _choices(EndpointRequest, "endpoint.")
_INVALID_CHOICE = re.compile(r"Invalid enum value .* - at `\$\.([a-z_.]+)`")
_UNKNOWN_FIELD = re.compile(r"unknown field `(.*?)`(?: - at `\$\.(endpoint)`)?", re.DOTALL)
_SECRET_FIELDS = frozenset({"api_key", "token", "databricks_token", "openai_api_key", "client_secret", "password"})
CREDENTIALS_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def read_manifest(content: bytes, *, name: str) -> JobRequest:
    """The request in `content`. Raises RequestInvalidError, naming the field and the way out."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise RequestInvalidError(
            f"{name}: a manifest has at most {MAX_MANIFEST_BYTES // 1024} KiB; put the rows into a .jsonl file."
        )
    try:
        request = msgspec.json.decode(content, type=JobRequest)
    except msgspec.ValidationError as error:
        raise RequestInvalidError(f"{name}: {_explain(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestInvalidError(f"{name}: not JSON ({error}). A manifest is one JSON object.") from error
    _check(request, name)
    return request


def read_request(fields: object, *, name: str, also_known: Sequence[str] = ()) -> JobRequest:
    """The request in `fields`, JSON that was parsed already, held to the same rules as a manifest.

    `name` stands for it in the error, `also_known` are fields that the caller takes besides.
    Raises RequestInvalidError.
    """
    try:
        request = msgspec.convert(fields, JobRequest)
    except msgspec.ValidationError as error:
        raise RequestInvalidError(f"{name}: {_explain(str(error), also_known)}") from error
    _check(request, name)
    return request


def _explain(problem: str, also_known: Sequence[str] = ()) -> str:
    choice = _INVALID_CHOICE.fullmatch(problem)
    if choice is not None:
        return f"{problem}; it is one of {', '.join(_CHOICES[choice[1]])}."
    unknown = _UNKNOWN_FIELD.search(problem)
    if unknown is None:
        return f"{problem}."
    field, within = unknown[1], unknown[2] or ""
    if field in _SECRET_FIELDS:
        return _secret(field)
    known = _FIELDS[within] if within else (*_FIELDS[within], *also_known)
    near = difflib.get_close_matches(field, known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    place = f" of {within!r}" if within else ""
    return f"unknown field {field!r}{place}.{meant} Known fields{place}: {', '.join(known)}."


def _secret(field: str) -> str:
    return (
        f"{field!r} is a secret and does not belong in a manifest or request. Store it in Secrets Manager as "
        "tunedrop/<stage>/<provider>/<name> and name it with 'credentials'."
    )


def _check(request: JobRequest, name: str) -> None:
    for field in ("provider", "model", "training_file"):
        if not getattr(request, field).strip():
            raise RequestInvalidError(f"{name}: {field!r} is empty.")
    if not CREDENTIALS_NAME.fullmatch(request.credentials):
        raise RequestInvalidError(
            f"{name}: 'credentials' is the last segment of a secret's name: 1 to 63 characters of a-z, 0-9 and '-'."
        )
    if request.deadline_hours is not None and not 1 / MAX_NUMBER <= request.deadline_hours <= MAX_DEADLINE_HOURS:
        raise RequestInvalidError(f"{name}: 'deadline_hours' is more than 0 and at most {MAX_DEADLINE_HOURS:g}.")
    if request.max_cost_usd is not None and not 1 / MAX_NUMBER <= request.max_cost_usd <= MAX_COST_USD:
        raise RequestInvalidError(
            f"{name}: 'max_cost_usd' is an amount in US dollars: more than 0, and at most {MAX_COST_USD:,.0f}."
        )
    _check_hyperparameters(request.hyperparameters, name)
    if request.job_name is not None and not 1 <= len(request.job_name) <= 63:
        raise RequestInvalidError(f"{name}: 'job_name' has 1 to 63 characters.")
    if request.skip_deploy is not None and request.provider != "databricks":
        raise RequestInvalidError(f"{name}: 'skip_deploy' is for Databricks only: use 'start_endpoint' instead.")
    if request.train_data_path is not None:
        _check_train_data_path(request.train_data_path, request.provider, name)


def _check_train_data_path(path: str, provider: str, name: str) -> None:
    if provider != "databricks":
        raise RequestInvalidError(f"{name}: 'train_data_path' is a folder at Databricks: leave it out for {provider}.")
    if not is_volume_path(path):
        raise RequestInvalidError(
            f"{name}: 'train_data_path' is {path[:200]!r}; it must be a folder in a volume, {FORM}, or one below it, "
            "such as /Volumes/main/support/files/training. The job's files are put into folders of their own there."
        )


def _check_hyperparameters(hyperparameters: Mapping[str, int | float | str], name: str) -> None:
    for hyperparameter, value in hyperparameters.items():
        if hyperparameter in _SECRET_FIELDS:
            raise RequestInvalidError(f"{name}: {_secret(hyperparameter)}")
        if isinstance(value, int | float) and value and not 1 / MAX_NUMBER <= abs(value) <= MAX_NUMBER:
            raise RequestInvalidError(
                f"{name}: the hyperparameter {hyperparameter[:60]!r} is {value:.3g}, which no model takes."
            )


def locate(file: str, *, field: str, inbox_bucket: str, readable_buckets: Collection[str]) -> str:
    """The S3 URI of a file that a manifest names: one beside it in the inbox, or one in a readable bucket.

    Raises RequestInvalidError where it is neither.
    """
    if not file.endswith(DATASET_SUFFIXES):
        raise RequestInvalidError(f"{field!r} names {file!r}, which does not end in {' or '.join(DATASET_SUFFIXES)}.")
    if file.startswith("s3://"):
        bucket, _, key = file.removeprefix("s3://").partition("/")
        if bucket not in {inbox_bucket, *readable_buckets}:
            known = ", ".join(readable_buckets) or "none yet"
            raise RequestInvalidError(
                f"{field!r} is in the bucket {bucket!r}, which this stack may not read. Copy the file beside the "
                f"manifest, or add the bucket to the setting tunedrop:readable_buckets (now: {known}) and deploy."
            )
        if not key:
            raise RequestInvalidError(f"{field!r} is {file!r}, which names no object.")
        return file
    name = file.removeprefix(PREFIX)
    if "/" in name or posixpath.basename(name) != name:
        raise RequestInvalidError(
            f"{field!r} is {file!r}. Name a file directly under {PREFIX}, beside the manifest, or give its s3:// URI."
        )
    return f"s3://{inbox_bucket}/{PREFIX}{name}"
