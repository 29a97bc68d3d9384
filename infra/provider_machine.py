"""What every state machine of a provider has besides its definition: a role, a log, limits, traces."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.functions import LOG_RETENTION, allow
from infra.state_language import State, TaskFunction


def provider_machine(
    scope: Construct,
    *,
    name: str,
    states: State,
    timeout_seconds: int,
    jobs: dynamodb.ITable,
    functions: Mapping[str, lambda_.Function],
    machines: Mapping[str, str] | None = None,
) -> sfn.StateMachine:
    """The machine `name` in `scope`, whose role may do what its states do and no more.

    `functions` are invoked, and executions of `machines`, given by ARN, are started; both by their placeholders.
    """
    started = dict(machines or {})
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
        description=f"{name}: what its states call.",
    )
    role.add_to_policy(allow(["lambda:InvokeFunction"], [each.function_arn for each in functions.values()]))
    role.add_to_policy(allow(["dynamodb:UpdateItem"], [jobs.table_arn]))
    if started:
        role.add_to_policy(allow(["states:StartExecution"], list(started.values())))
    log = logs.LogGroup(
        scope,
        "Log",
        # Log groups that AWS services write to share one resource policy of limited size, except under this prefix.
        log_group_name=f"/aws/vendedlogs/states/{name}",
        retention=LOG_RETENTION,
        removal_policy=RemovalPolicy.DESTROY,
    )
    return sfn.StateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
        state_machine_type=sfn.StateMachineType.STANDARD,
        definition_body=sfn.DefinitionBody.from_string(json.dumps(states)),
        definition_substitutions={
            "JobsTable": jobs.table_name,
            **{placeholder: function.function_arn for placeholder, function in functions.items()},
            **started,
        },
        role=role,
        timeout=Duration.seconds(timeout_seconds),
        tracing_enabled=True,
        # The state is ids and words only, so that the log may hold it.
        logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=True),
    )


def task_function(placeholder: str, function: lambda_.Function) -> TaskFunction:
    """The function as the definition knows it. Every function of the stack has a timeout."""
    if function.timeout is None:
        raise ValueError(f"{function.node.path} has no timeout")
    return TaskFunction(placeholder=placeholder, timeout_seconds=int(function.timeout.to_seconds()))
