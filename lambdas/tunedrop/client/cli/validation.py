"""The work of `tunedrop validate`: both files through the checks that a job's files go through, and the price."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import BinaryIO, Literal

import msgspec

from tunedrop.client.cli.failures import UsageError
from tunedrop.client.cli.files import STANDARD_INPUT, OutputFile, opened, shown_name, size_of, unreadable
from tunedrop.client.cli.model_choice import choose_model, read_hyperparameters
from tunedrop.client.cli.reading_progress import with_progress
from tunedrop.domain.errors import CostLimitError, DatasetInvalidError, PermanentError, RequestInvalidError
from tunedrop.domain.job_request import DataFormatName
from tunedrop.training_data.dataset import DatasetPreparation
from tunedrop.training_data.price import check_cost
from tunedrop.training_data.report import DatasetReport


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, as it was typed."""

    training_file: str
    validation_file: str | None
    provider: str | None
    model: str
    hyperparameters: tuple[str, ...]
    format: DataFormatName | None
    task_type: str | None
    max_cost_usd: float | None
    exact_tokens: bool
    output: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    report: DatasetReport
    error: PermanentError | None = None
    """Why the job would end before anything is sent."""


def validate_files(order: Order, *, show_progress: bool) -> Verdict:
    """Raises UsageError where a file cannot be read or written, and where the request itself is wrong."""
    if order.max_cost_usd is not None and not order.max_cost_usd > 0:
        raise UsageError("--max-cost-usd is more than 0.")
    if order.training_file == order.validation_file == STANDARD_INPUT:
        raise UsageError("Only one of the two files can be standard input.")
    model = choose_model(order.provider, order.model)
    if order.validation_file is not None and not model.takes_validation_file:
        raise UsageError(f"{model.model_id} takes no validation file: leave --validation-file out.")
    try:
        preparation = DatasetPreparation(
            model,
            hyperparameters=read_hyperparameters(order.hyperparameters),
            task_type=order.task_type,
            format=order.format,
            exact_tokens=order.exact_tokens,
        )
        return _read(order, preparation, show_progress=show_progress)
    except RequestInvalidError as error:
        raise UsageError(str(error)) from None


def _read(order: Order, preparation: DatasetPreparation, *, show_progress: bool) -> Verdict:
    with ExitStack() as files:
        training = files.enter_context(opened(order.training_file))
        inputs: tuple[BinaryIO, ...] = (training,)
        if order.validation_file is not None:
            inputs = (training, files.enter_context(opened(order.validation_file)))
        output = files.enter_context(OutputFile(order.output, inputs=inputs)) if order.output is not None else None
        trouble: PermanentError | None = None
        roles: tuple[Literal["training", "validation"], ...] = ("training", "validation")
        for stream, role, file in zip(inputs, roles, (order.training_file, order.validation_file), strict=False):
            sink = output if role == "training" else None
            error = _read_file(preparation, stream, str(file), role, sink, show_progress=show_progress)
            trouble = trouble or error
        report = preparation.report()
        trouble = trouble or _over_budget(report, order.max_cost_usd)
        if output is not None and trouble is None:
            output.keep()
    return Verdict(report=report, error=trouble)


def _read_file(
    preparation: DatasetPreparation,
    stream: BinaryIO,
    file: str,
    role: Literal["training", "validation"],
    output: OutputFile | None,
    *,
    show_progress: bool,
) -> DatasetInvalidError | None:
    name = shown_name(file)
    watched = with_progress(stream, name=name, size=size_of(stream)) if show_progress else nullcontext(stream)
    try:
        with watched as source:
            for chunk in preparation.chunks(source, name=name, role=role):
                if output is not None:
                    output.write(chunk)
    except DatasetInvalidError as error:
        return error
    except OSError as error:
        raise unreadable(file, error) from None
    return None


def _over_budget(report: DatasetReport, limit: float | None) -> CostLimitError | None:
    try:
        check_cost(report.price, limit)
    except CostLimitError as error:
        return error
    return None
