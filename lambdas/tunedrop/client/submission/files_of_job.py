"""Where the files of one job are, or will be, and what the request calls them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop.client.errors import TrainKwargsError
from tunedrop.client.records import JobRecord
from tunedrop.client.submission.s3_places import Object, Place, with_digest
from tunedrop.client.submission.training_rows import Data, InS3, Local
from tunedrop.training_data.dataset import Role

FIELDS: Mapping[Role, str] = {"training": "training_file", "validation": "validation_file"}


@dataclass(frozen=True)
class Files:
    """By the field of the request."""

    data: Mapping[str, Data]
    targets: Mapping[str, Object]
    """Of those that are put where `s3_path` says, before the job is made."""

    @property
    def to_place(self) -> Iterator[tuple[Local, Object]]:
        for field, target in self.targets.items():
            data = self.data[field]
            if isinstance(data, Local):
                yield data, target

    def named_in(self, fields: Mapping[str, Any], *, before: bool = False) -> dict[str, Any]:
        """The request. `before` they are there: with a place in the same folders where nothing is, since what is there
        now would be judged."""
        request = dict(fields)
        for field, data in self.data.items():
            target = self.targets.get(field)
            if target is not None and before:
                target = Object(target.bucket, f"{target.key.rpartition('/')[0]}/{uuid.uuid4()}.jsonl".lstrip("/"))
            if target is not None:
                request[field] = target.uri
            else:
                request[field] = data.uri if isinstance(data, InS3) else data.name
        if self._awaited():
            request["upload"] = True
        return request

    def awaited_by(self, job: JobRecord) -> Iterator[tuple[Local, Object]]:
        """What the job waits for, and where."""
        for field, data in self._awaited().items():
            bucket, _, key = str(getattr(job, field)).removeprefix("s3://").partition("/")
            yield data, Object(bucket, key)

    def _awaited(self) -> dict[str, Local]:
        return {
            field: data for field, data in self.data.items() if isinstance(data, Local) and field not in self.targets
        }


def lay_out(
    training: Data, validation: Data | None, place: Place | None, digests: Mapping[Role, str], *, provider: str
) -> Files:
    """Raises TrainKwargsError for an `s3_path` that nothing is put to."""
    if validation is not None and isinstance(training, Local) and isinstance(validation, Local):
        validation = _apart(validation, training.name)
    data: dict[str, Data] = {FIELDS["training"]: training}
    if validation is not None:
        data[FIELDS["validation"]] = validation
    if place is None:
        return Files(data, {})
    targets: dict[str, Object] = {}
    if isinstance(training, Local):
        targets[FIELDS["training"]] = place.training(with_digest(training.name, digests["training"]))
    if isinstance(validation, Local):
        targets[FIELDS["validation"]] = place.beside(with_digest(validation.name, digests["validation"]))
    if not targets:
        raise TrainKwargsError(
            f"train_kwargs['s3_path'] says where the data is put, but it is in S3 already: {provider} takes it from "
            "there. Leave 's3_path' out."
        )
    return Files(data, targets)


def _apart(validation: Local, other: str) -> Local:
    """Under another name than the training file's, where both have the same."""
    if validation.name != other:
        return validation
    name = f"validation-{validation.name}"
    return Local(validation.stream, validation.size, name, validation.shown, validation.is_rows)
