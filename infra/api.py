"""The REST API: a resource and a method for each route, IAM in front of all but the provider's webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.functions import LOG_RETENTION
from infra.gateway_problems import add_gateway_problems

ROUTES: Mapping[str, tuple[str, ...]] = {
    "/v1/jobs": ("GET", "POST"),
    "/v1/jobs/{job_id}": ("GET",),
    "/v1/jobs/{job_id}/cancel": ("POST",),
    "/v1/jobs/{job_id}/endpoint": ("GET",),
    "/v1/jobs/{job_id}/endpoint/start": ("POST",),
    "/v1/jobs/{job_id}/endpoint/stop": ("POST",),
    "/v1/jobs/{job_id}/events": ("GET",),
    "/v1/jobs/{job_id}/model": ("DELETE",),
    "/v1/jobs/{job_id}/retry": ("POST",),
    "/v1/openapi.json": ("GET",),
}
"""What the function `api` answers; a test compares it with docs/openapi.json."""
WEBHOOK = "/v1/webhooks/openai"
"""The one route without IAM: OpenAI signs what it sends, and its own function checks that."""

INTEGRATION_TIMEOUT = Duration.seconds(29)
"""The longest that API Gateway waits without a quota of its own."""
RATE, BURST = 50, 100
"""Requests a second, and at once, of each route: far above what people and scripts do, far below the account's own
limit of 10,000, which all its APIs share."""
WEBHOOK_RATE, WEBHOOK_BURST = 10, 20
"""Anybody may call the webhook; what is too much costs no invocation. OpenAI repeats what was refused, for days."""

_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "caller": "$context.identity.userArn",
    "source_ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "path": "$context.path",
    "status": "$context.status",
    "refused_by_gateway": "$context.error.responseType",
    "latency_ms": "$context.responseLatency",
    "function_latency_ms": "$context.integration.latency",
    "function_request_id": "$context.integration.requestId",
    "response_bytes": "$context.responseLength",
    "trace_id": "$context.xrayTraceId",
}
"""Who asked for what, and how it went: no body, no query, no header."""
_LOG_ROLE_ACTIONS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
"""What API Gateway checks that the role may do (API Gateway Developer Guide, "Permissions for CloudWatch logging")."""


class Api(Construct):
    """`url` has the stage in it, and no slash at its end."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: str,
        api: lambda_.Function,
        webhook: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.rest_api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=stack.stack_name,
            description="Tunedrop: create, watch and steer fine-tuning jobs and their endpoints.",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=self._stage_options(stage),
        )
        # The stack has an output for it, without the slash at the end.
        self.rest_api.node.try_remove_child("Endpoint")
        self.rest_api.deployment_stage.node.add_dependency(self._log_permission())
        for path, methods in ROUTES.items():
            self._add(path, methods, api, apigateway.AuthorizationType.IAM)
        self._add(WEBHOOK, ("POST",), webhook, apigateway.AuthorizationType.NONE)
        add_gateway_problems(self.rest_api)
        host = f"{self.rest_api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}"
        self.url = f"https://{host}/{self.rest_api.deployment_stage.stage_name}"

    def _add(
        self, path: str, methods: tuple[str, ...], function: lambda_.Function, auth: apigateway.AuthorizationType
    ) -> None:
        resource = self.rest_api.root.resource_for_path(path)
        for method in methods:
            integration = apigateway.LambdaIntegration(
                function,
                proxy=True,
                timeout=INTEGRATION_TIMEOUT,
                allow_test_invoke=False,
                # One permission for the whole API: a function's policy holds 20 KB, and this one has twelve routes.
                scope_permission_to_method=False,
            )
            resource.add_method(method, integration, authorization_type=auth)

    def _stage_options(self, stage: str) -> apigateway.StageOptions:
        return apigateway.StageOptions(
            stage_name=stage,
            tracing_enabled=True,
            metrics_enabled=True,
            # Execution logs would hold headers and more; the access log says what is needed.
            logging_level=apigateway.MethodLoggingLevel.OFF,
            data_trace_enabled=False,
            throttling_rate_limit=RATE,
            throttling_burst_limit=BURST,
            method_options={
                f"{WEBHOOK}/POST": apigateway.MethodDeploymentOptions(
                    metrics_enabled=True,
                    logging_level=apigateway.MethodLoggingLevel.OFF,
                    data_trace_enabled=False,
                    throttling_rate_limit=WEBHOOK_RATE,
                    throttling_burst_limit=WEBHOOK_BURST,
                )
            },
            access_log_destination=apigateway.LogGroupLogDestination(self._access_log()),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
        )

    def _access_log(self) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{Stack.of(self).stack_name}",
            retention=LOG_RETENTION,
            # The name is fixed: one left behind would stop the stack from being deployed again.
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _log_permission(self) -> apigateway.CfnAccount:
        """API Gateway writes logs through one role of the account and region, shared by all its APIs; without one, a
        stage that logs cannot be made. The role stays when the stack goes, since by then other APIs may log through it.
        """
        role = iam.Role(
            self,
            "LogRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="API Gateway writes the logs of this account's APIs.",
            # Inline, so that it stays with the role.
            inline_policies={
                "WriteLogs": iam.PolicyDocument(
                    statements=[iam.PolicyStatement(actions=list(_LOG_ROLE_ACTIONS), resources=["*"])]
                )
            },
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        for each in (role, account):
            each.apply_removal_policy(RemovalPolicy.RETAIN)
        return account
