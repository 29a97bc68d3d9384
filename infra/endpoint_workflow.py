"""A provider's state machine for endpoints: its definition, its role, its log."""

from __future__ import annotations

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.endpoint_definition import EXECUTION_TIMEOUT_SECONDS, definition
from infra.functions import LOG_RETENTION, allow
from infra.state_language import TaskFunction


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
        if tasks.timeout is None:
            raise ValueError(f"{tasks.node.path} has no timeout")
        step = TaskFunction(placeholder="TasksArn", timeout_seconds=int(tasks.timeout.to_seconds()))
        name = f"{name_prefix}{provider}"
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"{name}: what its states call.",
        )
        role.add_to_policy(allow(["lambda:InvokeFunction"], [tasks.function_arn]))
        role.add_to_policy(allow(["dynamodb:UpdateItem"], [jobs.table_arn]))
        log = logs.LogGroup(
            self,
            "Log",
            # Log groups that AWS services write to share one resource policy of limited size, except under this prefix.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(json.dumps(definition(provider=provider, tasks=step))),
            definition_substitutions={"JobsTable": jobs.table_name, step.placeholder: tasks.function_arn},
            role=role,
            timeout=Duration.seconds(EXECUTION_TIMEOUT_SECONDS),
            tracing_enabled=True,
            # The state is ids and words only, so that the log may hold it.
            logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=True),
        )
