"""`tunedrop submit`: a job from a file on this machine, or in S3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tunedrop.client.cli.connecting import AsJson, Profile, Region, Url, connect
from tunedrop.client.cli.following import Timeout, Watch
from tunedrop.client.cli.training_options import (
    DataFormat,
    Hyperparameters,
    MaxCost,
    Model,
    Provider,
    Task,
    ValidationFile,
)


def submit(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The training file: JSON Lines, plain or gzip, here or as s3://bucket/key."
        ),
    ],
    model: Model,
    provider: Provider = None,
    validation_file: ValidationFile = None,
    hyperparameters: Hyperparameters = None,
    data_format: DataFormat = None,
    job_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Shown in lists, and part of the model's name where one is taken."),
    ] = None,
    max_cost_usd: MaxCost = None,
    deadline_hours: Annotated[
        float | None,
        typer.Option(metavar="HOURS", help="Stop the job if it has not ended by then: up to 336, 168 by default."),
    ] = None,
    start_endpoint: Annotated[
        bool | None,
        typer.Option(
            "--start-endpoint/--no-start-endpoint",
            help="Serve the model as soon as it is there, which is usual, or do not.",
        ),
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which of the provider's secrets is used: the last part of its name."),
    ] = None,
    s3_path: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Put the file here, s3://bucket/folder/, instead of into the stack's inbox."),
    ] = None,
    train_data_path: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Databricks only: the files' folder in a volume. By default the stack's setting."
        ),
    ] = None,
    register_to: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Databricks only: catalog.schema or catalog.schema.model. By default the stack's setting.",
        ),
    ] = None,
    task_type: Task = None,
    watch: Watch = False,
    timeout: Timeout = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Make a job of a training file.

    The file is checked here, as by validate, then by the API, and sent to the stack's inbox only when nothing is in
    the way. The job's id is the first line of the output.
    """
    from tunedrop.client.cli.following import hand_over
    from tunedrop.client.cli.model_choice import read_hyperparameters
    from tunedrop.client.cli.warning_lines import warnings_shown

    train_kwargs: dict[str, Any] = {
        "hyperparameters": read_hyperparameters(hyperparameters or ()) or None,
        "job_name": job_name,
        "max_cost_usd": max_cost_usd,
        "deadline_hours": deadline_hours,
        "start_endpoint": start_endpoint,
        "credentials": credentials,
        "s3_path": s3_path,
        "train_data_path": train_data_path,
        "register_to": register_to,
        "task_type": task_type,
    }  # None is what was left out, and stands for the stack's setting where there is one
    with connect(url, profile, region) as tunedrop, warnings_shown():
        job = tunedrop.finetune(
            model=model,
            provider=provider,
            train_data=_source(file),
            validation_data=None if validation_file is None else _source(validation_file),
            train_data_format=data_format,
            train_kwargs=train_kwargs,
            progress=False if as_json else None,
        )
        hand_over(job, watch=watch, timeout=timeout, as_json=as_json)


def _source(file: str) -> str | Path:
    return file if file.startswith("s3://") else Path(file)
