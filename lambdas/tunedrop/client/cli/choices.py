"""What options can be given, for `--help`, for completion and for the check of the words."""

from __future__ import annotations

from typing import Literal

import typer

Format = Literal["chat", "completion", "preference", "bedrock-conversation-2024"]
TaskType = Literal["CHAT_COMPLETION", "INSTRUCTION_FINETUNE"]
Status = Literal["not_started", "pending", "running", "succeeded", "failed", "cancelled"]
Provider = Literal["openai", "bedrock", "databricks"]
EndpointKind = Literal["on_demand", "provisioned", "serving"]


def providers() -> list[str]:
    from tunedrop.domain.models import PROVIDERS

    return list(PROVIDERS)


def models(context: typer.Context) -> list[str]:
    """Of the provider that was typed before, where one was."""
    from tunedrop.domain.models import MODELS

    provider = context.params.get("provider")
    return [name for model in MODELS if provider in (None, model.provider) for name in (*model.aliases, model.model_id)]
