"""The changes to MiniStack, one module a subject. Each says what AWS does and what MiniStack does without it."""

from typing import Any

from local.emulator.changes import (
    api_gateway,
    async_invocations,
    event_targets,
    execution_lifetime,
    foreign_origins,
    function_updates,
    function_workers,
    nested_executions,
    s3_events,
    stream_mappings,
    task_states,
    task_tokens,
)
from local.emulator.settings import Settings


def apply(settings: Settings) -> Any:
    """Make all changes; returns the ASGI application to serve.

    Raises `changing.UnknownMiniStackError` when MiniStack is not what a change expects.
    """
    function_workers.apply(settings)
    function_updates.apply()
    async_invocations.apply()
    event_targets.apply()
    stream_mappings.apply()
    s3_events.apply()
    execution_lifetime.apply()
    task_states.apply()
    task_tokens.apply()
    nested_executions.apply()
    api_gateway.apply()
    return foreign_origins.application()
