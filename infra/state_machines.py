"""The state machines by name. Functions start them and end their waits, and the machines need their functions: a name
goes both ways, where a reference could go one way only."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack

from infra.endpoint_workflow import endpoint_machine_name_prefix
from infra.fine_tuning_workflow import state_machine_name_prefix

PROVIDERS = ("openai", "bedrock", "databricks")
SERVING_PROVIDERS = ("bedrock", "databricks")
"""Whose tuned models have to be served; OpenAI serves every one itself."""


class StateMachines:
    """Two families, one machine a provider in each. A prefix and a provider make a name, or an ARN."""

    def __init__(self, stack: Stack) -> None:
        self._arn = f"arn:{stack.partition}:states:{stack.region}:{stack.account}:stateMachine:"
        self.fine_tuning_prefix = state_machine_name_prefix(stack.stack_name)
        self.endpoint_prefix = endpoint_machine_name_prefix(stack.stack_name)

    @property
    def fine_tuning_arn_prefix(self) -> str:
        return self._arn + self.fine_tuning_prefix

    @property
    def endpoint_arn_prefix(self) -> str:
        return self._arn + self.endpoint_prefix

    def fine_tuning(self, providers: Sequence[str] = PROVIDERS) -> list[str]:
        """ARNs."""
        return [f"{self.fine_tuning_arn_prefix}{provider}" for provider in providers]

    def endpoints(self, providers: Sequence[str] = SERVING_PROVIDERS) -> list[str]:
        """ARNs."""
        return [f"{self.endpoint_arn_prefix}{provider}" for provider in providers]
