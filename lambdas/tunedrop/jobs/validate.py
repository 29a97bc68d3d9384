"""Validate: what can be said of a request at once. Nothing is recorded, and only the beginning of its files is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunedrop.domain.errors import CostLimitError, DatasetInvalidError, PermanentError
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.ports import ObjectInfo, ObjectStore
from tunedrop.domain.validation import FileLook, Finding, Validation
from tunedrop.jobs.accept import AcceptJob, check_fit
from tunedrop.training_data.dataset import DatasetPreparation, Role
from tunedrop.training_data.price import check_cost
from tunedrop.training_data.report import DatasetReport, FileReport

LOOKED_AT = 64 * 1024
"""Bytes of a file's text, unpacked where it is compressed; of the last line only if it is whole."""


@dataclass(frozen=True, kw_only=True)
class ValidateRequest:
    objects: ObjectStore
    accept: AcceptJob

    def __call__(self, request: JobRequest, *, upload: bool = False) -> Validation:
        """Everything that is in the way, as far as can be seen; with `upload`, plain names are not looked for.

        The provider is not asked, and its secret is not read. Raises StoreUnavailableError.
        """
        try:
            check = _Check(self.objects, request, self.accept, upload=upload)
        except PermanentError as error:
            return Validation(ok=False, problems=(_finding(error),), problems_total=1)
        check.look_at("training", "training_file")
        check.look_at("validation", "validation_file")
        return check.answer()


class _Check:
    """One request. Raises RequestInvalidError where it cannot be used whatever is in its files."""

    def __init__(self, objects: ObjectStore, request: JobRequest, accept: AcceptJob, *, upload: bool) -> None:
        self._objects = objects
        self._request = request
        self._rules = check_fit(request)
        self._located = accept.locate(request, job_id="", upload=upload)
        self._upload = upload
        self._preparation = DatasetPreparation(
            self._rules,
            hyperparameters=request.hyperparameters,
            task_type=request.task_type,
            format=request.format,
            at_most=LOOKED_AT,
        )
        self._problems: list[Finding] = []
        self._total = 0
        self._looks: list[FileLook] = []
        self._notes: list[str] = []

    def look_at(self, role: Role, field: str) -> None:
        named, uri = getattr(self._request, field), getattr(self._located, field)
        if named is None:
            return
        if self._upload and "/" not in named:
            self._notes.append(f"{named} was not looked at: it is to be uploaded.")
            return
        info = self._objects.head(uri)
        if info is None:
            self._add(_missing(uri, field))
            return
        name = info.key.rpartition("/")[2]
        try:
            with self._objects.open(uri) as stream:
                for _ in self._preparation.chunks(stream, name=name, role=role):
                    pass
        except DatasetInvalidError as error:
            found = [
                Finding(code=each.code, message=each.message, field=field, file=each.file, line=each.line)
                for each in error.problems
            ]
            self._add(*found, total=error.total)
        except PermanentError as error:
            self._add(_finding(error))
        else:
            self._saw(role, field, name, info)

    def answer(self) -> Validation:
        report = self._preparation.report()
        price = report.price
        if self._can_be_priced(report):
            try:
                check_cost(price, self._request.max_cost_usd)
            except CostLimitError as error:
                self._add(_finding(error))
        return Validation(
            ok=not self._problems,
            problems=tuple(self._problems),
            problems_total=self._total,
            base_model=self._rules.model_id,
            files=tuple(self._looks),
            hyperparameters=dict(report.hyperparameters),
            notes=(*self._notes, *report.notes, *_notes_of(report)),
            warnings=report.warnings,
            estimated_cost_low_usd=price.low_usd if price else None,
            estimated_cost_high_usd=price.high_usd if price else None,
        )

    def _can_be_priced(self, report: DatasetReport) -> bool:
        """Whether what is known of the price now is all that will be known of it."""
        is_whole = isinstance(report.training, FileReport) and report.training.whole
        return is_whole or self._rules.training_price is None

    def _saw(self, role: Role, field: str, name: str, info: ObjectInfo) -> None:
        found = self._preparation.file(role)
        if not isinstance(found, FileReport):
            self._notes.append(
                f"{name}: no row ends within the first {LOOKED_AT // 1024} KiB, so that none was checked."
            )
            return
        look = FileLook(
            field=field, file=name, bytes=info.size, whole=found.whole, rows=found.rows, format=found.format
        )
        self._looks.append(look)

    def _add(self, *found: Finding, total: int | None = None) -> None:
        self._problems += found
        self._total += len(found) if total is None else total


def _notes_of(report: DatasetReport) -> Iterator[str]:
    for file in (report.training, report.validation):
        if isinstance(file, FileReport):
            yield from (f"{file.file}: {note}" for note in file.notes)


def _finding(error: PermanentError) -> Finding:
    return Finding(code=error.code, message=str(error))


def _missing(uri: str, field: str) -> Finding:
    place = uri.partition("?versionId=")[0]
    name = place.rpartition("/")[2]
    return Finding(
        code="file_missing",
        field=field,
        file=name,
        message=f"There is no {place}, or it may not be read. Upload it, for example with `aws s3 cp {name} {place}`; "
        f"or create the job with 'upload' true and the plain name {name!r}, and upload the file as the answer says.",
    )
