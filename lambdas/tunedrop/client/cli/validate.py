"""`tunedrop validate`: the options, and what is printed. The work is done in `validation`."""

from __future__ import annotations

from typing import Annotated

import typer

from tunedrop.client.cli.training_options import (
    DataFormat,
    Hyperparameters,
    MaxCost,
    Model,
    Provider,
    Task,
    ValidationFile,
)


def validate(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="The training file: JSON Lines, plain or gzip. A - reads standard input."),
    ],
    model: Model,
    provider: Provider = None,
    validation_file: ValidationFile = None,
    hyperparameters: Hyperparameters = None,
    data_format: DataFormat = None,
    task_type: Task = None,
    max_cost_usd: MaxCost = None,
    exact_tokens: Annotated[
        bool, typer.Option("--exact-tokens", help="Count the tokens of every row, not of a sample. Slower.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the training file here as it would be sent, if it can be."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but problems.")] = False,
) -> None:
    """Check and price training data, offline: no account, nothing is sent.

    Every row is checked by the rules of the model and converted as it would be sent. The report goes to standard
    output; problems go to standard error, as file:line: problem (what to do).

    Exit codes: 0, the files can be used; 1, they cannot, or cost more than allowed; 2, wrong usage, or a file that
    cannot be read or written; 70, a defect in Tunedrop; 130, interrupted.
    """
    from tunedrop.client.cli.validation import Order, validate_files
    from tunedrop.client.cli.verdict_view import print_json, print_report, print_trouble

    order = Order(
        training_file=file,
        validation_file=validation_file,
        provider=provider,
        model=model,
        hyperparameters=tuple(hyperparameters or ()),
        format=data_format,
        task_type=task_type,
        max_cost_usd=max_cost_usd,
        exact_tokens=exact_tokens,
        output=output,
    )
    verdict = validate_files(order, show_progress=not quiet)
    if as_json:
        print_json(verdict)
    else:
        if not quiet:
            print_report(verdict)
        print_trouble(verdict)
    if verdict.error is not None:
        raise typer.Exit(1)
