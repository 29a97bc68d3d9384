"""Executions, one a piece of work, in the provider's state machine; and the tokens of states that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from tunedrop.aws.client_errors import code_of, store_errors

_OVER = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""What AWS answers to a token of a state that waits no longer; the engines of others have words of their own."""


class StepFunctionsWorkflow:
    """A Workflow. `machine_arn_prefix` and the provider's name make a state machine's ARN."""

    def __init__(self, *, client: Any, machine_arn_prefix: str) -> None:
        self._client = client
        self._prefix = machine_arn_prefix

    def execution_arn(self, provider: str, name: str) -> str:
        return self._prefix.replace(":stateMachine:", ":execution:") + f"{provider}:{name}"

    def console_url(self, provider: str, name: str) -> str:
        arn = self.execution_arn(provider, name)
        region = arn.split(":")[3]
        return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"

    def start(self, provider: str, name: str, state: Mapping[str, str | int]) -> None:
        document = msgspec.json.encode(state, order="deterministic").decode()
        try:
            with store_errors(f"starting the execution {name}"):
                self._client.start_execution(stateMachineArn=f"{self._prefix}{provider}", name=name, input=document)
        except ClientError as error:
            # AWS answers a repeat with the running execution; one that ended has the name to itself for 90 days.
            if code_of(error) != "ExecutionAlreadyExists":
                raise


class StepFunctionsTaskTokens:
    """TaskTokens."""

    def __init__(self, *, client: Any) -> None:
        self._client = client

    def send(self, token: str) -> None:
        try:
            with store_errors("ending a wait"):
                self._client.send_task_success(taskToken=token, output="{}")
        except ClientError as error:
            if code_of(error) not in _OVER:
                raise
