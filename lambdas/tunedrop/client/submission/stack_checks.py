"""What the stack says of a request before anything is uploaded: `validate_only` of `POST /v1/jobs`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunedrop.client.errors import TrainingDataError, TrainKwargsError
from tunedrop.client.records import Record, read
from tunedrop.client.repeating import IDEMPOTENCY_KEY
from tunedrop.client.submission.files_of_job import Files

if TYPE_CHECKING:
    from tunedrop.client.transport import Transport

_OF_THE_REQUEST = frozenset({"request_invalid", "cost_limit"})
_CALLED = {"'training_file'": "train_data", "'validation_file'": "validation_data"}


class Finding(Record, frozen=True, kw_only=True):
    """One thing that is in the way."""

    code: str
    message: str
    field: str | None = None
    file: str | None = None
    line: int | None = None


class Validation(Record, frozen=True, kw_only=True):
    """The answer."""

    ok: bool
    problems: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()


def ask_stack(api: Transport, fields: Mapping[str, Any], files: Files) -> Sequence[str]:
    """The stack's warnings. Raises TrainKwargsError or TrainingDataError for what is in the way."""
    answer = api.request(
        "POST",
        "/v1/jobs",
        query={"validate_only": True},
        body=files.named_in(fields, before=True),
        headers={IDEMPOTENCY_KEY: str(uuid.uuid4())},  # nothing is made: it may be asked again
    )
    validation = read(answer.document, Validation)
    found = [each for each in validation.problems if not _is_expected(each, files)]
    of_request = [each.message for each in found if each.code in _OF_THE_REQUEST]
    if of_request:
        raise TrainKwargsError(_in_words_of_kwargs(of_request[0], str(fields["provider"]), files))
    if found:
        problems = [_sentence(each) for each in found]
        raise TrainingDataError("\n".join(("The training data cannot be used.", *problems[:5])), problems)
    return validation.warnings


def _is_expected(finding: Finding, files: Files) -> bool:
    """A file that is still to be put there is missing."""
    return finding.code == "file_missing" and finding.field in files.targets


def _in_words_of_kwargs(message: str, provider: str, files: Files) -> str:
    for field, argument in _CALLED.items():
        is_placed = field.strip("'") in files.targets
        message = message.replace(field, "train_kwargs['s3_path']" if is_placed else argument)
    instead = "Leave 's3_path' out, and the file goes to the stack's inbox" if files.targets else "Give a local path"
    message = message.replace("Copy the file beside the manifest", instead)
    takes = f" {provider} takes a folder of a bucket that the stack may read." if files.targets else ""
    return f"{provider}: {message}{takes if 'bucket' in message else ''}"


def _sentence(finding: Finding) -> str:
    place = finding.file or finding.field or ""
    if finding.line is not None:
        place = f"{place}:{finding.line}"
    return f"{place}: {finding.message}" if place else finding.message
