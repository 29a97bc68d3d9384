"""The options that say what is trained on what: those of `validate` and of `submit`."""

from __future__ import annotations

from typing import Annotated

import typer

from tunedrop.client.cli.choices import Format, TaskType, models, providers

Model = Annotated[
    str,
    typer.Option("--model", "-m", metavar="MODEL", help="The model, by its id or an alias.", autocompletion=models),
]
Provider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        metavar="PROVIDER",
        help="openai, bedrock or databricks. It can be left out where the model's name tells.",
        autocompletion=providers,
    ),
]
ValidationFile = Annotated[str | None, typer.Option(metavar="FILE", help="The validation file, in the same format.")]
Hyperparameters = Annotated[
    list[str] | None,
    typer.Option(
        "--hyperparameters",
        "-H",
        metavar="NAME=VALUE",
        help="Such as epochs=3, under the common name or the provider's. Repeat it for more.",
    ),
]
DataFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How the rows are written: chat, completion, preference or bedrock-conversation-2024. "
        "It is taken from the first rows if left out.",
    ),
]
Task = Annotated[
    TaskType | None,
    typer.Option(
        metavar="TYPE",
        help="Databricks only: CHAT_COMPLETION or INSTRUCTION_FINETUNE. It is taken from the rows if left out.",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(metavar="USD", help="Fail if the training may cost more than this, or if its price is unknown."),
]
