"""The files of a submission through the checks of `tunedrop validate`, before anything leaves this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from tunedrop.client.errors import TrainingDataError, TrainKwargsError
from tunedrop.client.submission.training_rows import Data, Local
from tunedrop.domain.data_problems import Problem
from tunedrop.domain.errors import CostLimitError, DatasetInvalidError, RequestInvalidError
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.model_rules import ModelRules
from tunedrop.training_data.dataset import DatasetPreparation, Role
from tunedrop.training_data.price import check_cost
from tunedrop.training_data.report import DatasetReport

_SHOWN = 5
"""Problems in the message; all that are known are in `problems`."""


class Checked:
    """What was found in the files that are here: all of their rows can be used."""

    def __init__(self, report: DatasetReport, digests: Mapping[Role, str]) -> None:
        self.report = report
        self.digests = digests
        """Of each file as it is, SHA-256 in hexadecimal."""


def check_locally(
    rules: ModelRules,
    fields: Mapping[str, Any],
    *,
    training: Data,
    validation: Data | None,
    data_format: DataFormatName | None,
) -> Checked:
    """Raises TrainingDataError, with every problem and the row or line that it is about; TrainKwargsError for kwargs
    that do not go with these rows."""
    digests: dict[Role, str] = {}
    files: dict[Role, Data | None] = {"training": training, "validation": validation}
    try:
        preparation = DatasetPreparation(
            rules, hyperparameters=fields["hyperparameters"], task_type=fields.get("task_type"), format=data_format
        )
        for role, data in files.items():
            if isinstance(data, Local):
                digests[role] = _read(preparation, data, role)
        report = preparation.report()
        if isinstance(training, Local):  # of another, the API knows more
            check_cost(report.price, fields.get("max_cost_usd"))
    except (RequestInvalidError, CostLimitError) as error:
        raise TrainKwargsError(f"train_kwargs for {rules.provider}: {error}") from None
    return Checked(report, digests)


def _read(preparation: DatasetPreparation, data: Local, role: Role) -> str:
    source = _Hashed(data.stream)
    try:
        for _ in preparation.chunks(cast(BinaryIO, source), name=data.shown, role=role):
            pass
        source.read_on()
    except DatasetInvalidError as error:
        raise _unusable(data, error) from None
    except OSError as error:
        raise TrainingDataError(f"{data.shown} cannot be read: {error.strerror or type(error).__name__}.") from None
    data.stream.seek(0)
    if source.size != data.size:
        raise TrainingDataError(f"{data.shown} changed while it was read: wait until it is written.")
    return source.digest()


class _Hashed:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._hash.update(piece)
        self.size += len(piece)
        return piece

    def read_on(self) -> None:
        """What a reader left behind."""
        while self.read(1024 * 1024):
            pass

    def digest(self) -> str:
        return self._hash.hexdigest()


def _unusable(data: Local, error: DatasetInvalidError) -> TrainingDataError:
    problems = [_sentence(data, problem) for problem in error.problems]
    lines = [f"{data.shown} cannot be used: {error.total:,} problem{'s' if error.total != 1 else ''}."]
    lines += problems[:_SHOWN]
    if error.total > _SHOWN:
        lines.append(f"… and {error.total - _SHOWN:,} more.")
    return TrainingDataError("\n".join(lines), problems)


def _sentence(data: Local, problem: Problem) -> str:
    if not data.is_rows or problem.line is None:
        return str(problem)
    return f"row {problem.line}: {problem.message}"
