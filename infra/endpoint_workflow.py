"""A provider's state machine for endpoints."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.endpoint_definition import EXECUTION_TIMEOUT_SECONDS, definition
from infra.provider_machine import provider_machine, task_function


def endpoint_machine_name_prefix(stack_name: str) -> str:
    """What the provider's name is put after."""
    return f"{stack_name}-endpoint-"


class EndpointWorkflow(Construct):
    """One provider's endpoints, each an execution of `state_machine` while there is something to watch."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        provider: str,
        name_prefix: str,
        jobs: dynamodb.ITable,
        tasks: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self.state_machine = provider_machine(
            self,
            name=f"{name_prefix}{provider}",
            states=definition(provider=provider, tasks=task_function("TasksArn", tasks)),
            timeout_seconds=EXECUTION_TIMEOUT_SECONDS,
            jobs=jobs,
            functions={"TasksArn": tasks},
        )
