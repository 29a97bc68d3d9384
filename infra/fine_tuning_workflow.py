"""A provider's state machine for fine-tuning jobs."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.fine_tuning_definition import EXECUTION_TIMEOUT_SECONDS, definition
from infra.provider_machine import provider_machine, task_function


def state_machine_name_prefix(stack_name: str) -> str:
    """What the provider's name is put after. Intake knows the machines by name: they need their functions, which would
    need the machines."""
    return f"{stack_name}-fine-tuning-"


class FineTuningWorkflow(Construct):
    """One provider's fine-tuning jobs, each an execution of `state_machine`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        provider: str,
        name_prefix: str,
        jobs: dynamodb.ITable,
        prepare: lambda_.Function,
        tasks: lambda_.Function,
        finish: lambda_.Function,
        endpoint_machine_arn: str | None,
    ) -> None:
        """`endpoint_machine_arn`: None where the provider serves its tuned models without being asked."""
        super().__init__(scope, construct_id)
        functions = {"PrepareArn": prepare, "TasksArn": tasks, "FinishArn": finish}
        steps = {placeholder: task_function(placeholder, function) for placeholder, function in functions.items()}
        self.state_machine = provider_machine(
            self,
            name=f"{name_prefix}{provider}",
            states=definition(
                provider=provider,
                prepare=steps["PrepareArn"],
                tasks=steps["TasksArn"],
                finish=steps["FinishArn"],
                serves=endpoint_machine_arn is not None,
            ),
            timeout_seconds=EXECUTION_TIMEOUT_SECONDS,
            jobs=jobs,
            functions=functions,
            machines={} if endpoint_machine_arn is None else {"EndpointMachineArn": endpoint_machine_arn},
        )
