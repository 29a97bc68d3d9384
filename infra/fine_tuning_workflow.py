"""A provider's state machine: its definition, its role, its log."""

from __future__ import annotations

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.fine_tuning_definition import EXECUTION_TIMEOUT_SECONDS, definition
from infra.functions import LOG_RETENTION, allow
from infra.state_language import TaskFunction


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
        steps = {
            placeholder: TaskFunction(placeholder=placeholder, timeout_seconds=_timeout_of(function))
            for placeholder, function in functions.items()
        }
        states = definition(
            provider=provider,
            prepare=steps["PrepareArn"],
            tasks=steps["TasksArn"],
            finish=steps["FinishArn"],
            serves=endpoint_machine_arn is not None,
        )
        endpoint = {} if endpoint_machine_arn is None else {"EndpointMachineArn": endpoint_machine_arn}
        name = f"{name_prefix}{provider}"
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"{name}: what its states call.",
        )
        role.add_to_policy(allow(["lambda:InvokeFunction"], [each.function_arn for each in functions.values()]))
        role.add_to_policy(allow(["dynamodb:UpdateItem"], [jobs.table_arn]))
        if endpoint:
            role.add_to_policy(allow(["states:StartExecution"], list(endpoint.values())))
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(json.dumps(states)),
            definition_substitutions={
                "JobsTable": jobs.table_name,
                **{placeholder: function.function_arn for placeholder, function in functions.items()},
                **endpoint,
            },
            role=role,
            timeout=Duration.seconds(EXECUTION_TIMEOUT_SECONDS),
            tracing_enabled=True,
            # The state is ids and words only, so that the log may hold it.
            logs=sfn.LogOptions(destination=self._log(name), level=sfn.LogLevel.ALL, include_execution_data=True),
        )

    def _log(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Log",
            # Log groups that AWS services write to share one resource policy of limited size, except under this prefix.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )


def _timeout_of(function: lambda_.Function) -> int:
    if function.timeout is None:
        raise ValueError(f"{function.node.path} has no timeout")
    return int(function.timeout.to_seconds())
