"""Executions and waits in memory."""

from __future__ import annotations

from collections.abc import Mapping


class MemoryWorkflow:
    """A Workflow; `executions` are (provider, name), each started once, as Step Functions keeps them."""

    def __init__(self, family: str = "fine-tuning") -> None:
        self.executions: list[tuple[str, str]] = []
        self.inputs: dict[str, dict[str, str | int]] = {}
        """By the execution's name."""
        self._family = family

    def execution_arn(self, provider: str, name: str) -> str:
        return f"arn:aws:states:us-east-1:123456789012:execution:{self._family}-{provider}:{name}"

    def console_url(self, provider: str, name: str) -> str:
        return f"https://console.example/{name}"

    def start(self, provider: str, name: str, state: Mapping[str, str | int]) -> None:
        if (provider, name) not in self.executions:
            self.executions.append((provider, name))
            self.inputs[name] = dict(state)


class MemoryTaskTokens:
    """TaskTokens; `sent` are the tokens, in order."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, token: str) -> None:
        self.sent.append(token)
