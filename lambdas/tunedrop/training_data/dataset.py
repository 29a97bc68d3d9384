"""The files of one job, checked, converted, counted and priced: what `prepare` and the command line both run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import BinaryIO, Literal

from tunedrop.domain.data_problems import Problem, ProblemCode
from tunedrop.domain.errors import DatasetInvalidError
from tunedrop.domain.hyperparameters import ResolvedHyperparameters, resolve
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.model_rules import ModelRules
from tunedrop.training_data.dataset_warnings import warnings_of
from tunedrop.training_data.figures.row_hashes import RowHashes
from tunedrop.training_data.figures.statistics import RowStatistics
from tunedrop.training_data.figures.tokens import load_tokenizer
from tunedrop.training_data.preparation import Preparation, PreparedSummary
from tunedrop.training_data.price import estimate_price
from tunedrop.training_data.report import DatasetReport, FileProblems, FileReport, PriceEstimate
from tunedrop.training_data.rows.conversion import Converter

Role = Literal["training", "validation"]


class DatasetPreparation:
    """Prepares the training file, then the validation file if there is one, and reports on both.

    With `at_most`, only the beginning of each is looked at: the lines that are whole within so many bytes of its text.
    Raises RequestInvalidError for hyperparameters or a task type that do not fit the model.
    """

    def __init__(
        self,
        model: ModelRules,
        *,
        hyperparameters: Mapping[str, int | float | str],
        task_type: str | None = None,
        format: DataFormatName | None = None,  # noqa: A002 - as users call it
        exact_tokens: bool = False,
        at_most: int | None = None,
    ) -> None:
        self._model = model
        self._given = hyperparameters
        self._task_type = task_type
        self._format = format
        self._exact_tokens = exact_tokens
        self._at_most = at_most
        self._files: dict[Role, FileReport | FileProblems] = {}
        self._hashes: dict[Role, RowHashes] = {}
        Converter(model, task_type=task_type)  # refuses a task type that does not fit before any file is waited for
        may_be_preference = model.preference_pairs and format in (None, "preference")
        self._resolved = resolve(model, hyperparameters, preference=may_be_preference)

    @property
    def hyperparameters(self) -> ResolvedHyperparameters:
        """Final when the training file was read: some belong to preference pairs only."""
        return self._resolved

    def file(self, role: Role) -> FileReport | FileProblems | None:
        """None while the file was not read to its end, and where its beginning holds no whole row."""
        return self._files.get(role)

    def chunks(self, stream: BinaryIO, *, name: str, role: Role) -> Iterator[bytes]:
        """The prepared file in pieces; `name` stands for it in the report.

        Raises DatasetInvalidError at the end if it cannot be used, which the report then holds too: the other file
        can still be read. Raises RequestInvalidError at the end for hyperparameters that its rows do not take.
        """
        statistics = RowStatistics(
            tokenizer=partial(load_tokenizer, self._model.provider),
            context_tokens=self._model.context_tokens,
            exact_tokens=self._exact_tokens,
        )
        preparation = Preparation(
            stream,
            name=name,
            model=self._model,
            task_type=self._task_type,
            role=role,
            format=self._format,
            statistics=statistics,
            at_most=self._at_most,
        )
        try:
            yield from preparation.chunks()
            self._check_formats(name, role, preparation.summary.format)
        except DatasetInvalidError as error:
            self._files[role] = FileProblems(file=name, problems=error.problems, problems_total=error.total)
            raise
        if not preparation.summary.whole and not preparation.summary.rows:
            return  # the first row goes on behind the beginning: nothing is known
        self._files[role] = _file_report(name, preparation.summary, statistics)
        self._hashes[role] = statistics.hashes
        if role == "training":
            is_preference = preparation.summary.format == "preference"
            self._resolved = resolve(self._model, self._given, preference=is_preference)

    def report(self) -> DatasetReport:
        """What is known so far. Call it when the files were read; it may be called again."""
        training, validation = self._files.get("training"), self._files.get("validation")
        overlap = self._overlap()
        return DatasetReport(
            provider=self._model.provider,
            base_model=self._model.model_id,
            training=training,
            validation=validation,
            overlapping_rows=overlap,
            hyperparameters=dict(self._resolved.sent),
            price=self._price(training),
            notes=self._resolved.notes,
            warnings=tuple(warnings_of(self._model, training, validation, overlapping_rows=overlap)),
        )

    def _check_formats(self, name: str, role: Role, found: str) -> None:
        training = self._files.get("training")
        if role == "validation" and isinstance(training, FileReport) and training.format != found:
            problem = Problem(
                code=ProblemCode.FORMATS_DIFFER,
                message=f"its rows are in the format {found}, but those of {training.file} are in {training.format} "
                "(write both files in the same format)",
                file=name,
            )
            raise DatasetInvalidError(f"The file has 1 problem: {problem}", problems=[problem])

    def _overlap(self) -> int | None:
        if len(self._hashes) < 2:
            return None
        return self._hashes["validation"].shared_with(self._hashes["training"])

    def _price(self, training: FileReport | FileProblems | None) -> PriceEstimate | None:
        if not isinstance(training, FileReport) or not training.whole:
            return None
        return estimate_price(self._model, training.tokens, rows=training.rows, hyperparameters=self._resolved.sent)


def _file_report(name: str, summary: PreparedSummary, statistics: RowStatistics) -> FileReport:
    figures = statistics.figures()
    return FileReport(
        file=name,
        format=summary.format,
        rows=summary.rows,
        messages=summary.messages,
        blank_lines=summary.blank_lines,
        bytes_in=summary.bytes_in,
        bytes_out=summary.bytes_out,
        sha256=summary.sha256,
        row_bytes=figures.row_bytes,
        row_tokens=figures.row_tokens,
        tokens=figures.tokens,
        duplicates=figures.duplicates,
        beyond_context=figures.beyond_context,
        notes=summary.notes,
        whole=summary.whole,
    )
