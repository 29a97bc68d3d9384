"""One factory for every function: its own role with named actions, its own log group, limits, tracing, JSON logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.packaging import BASE, CODE_EXCLUDES, LAMBDAS_FOLDER, TARGETS, layer_archive
from infra.settings import Settings
from infra.storage import Storage
from tunedrop import env

LOG_RETENTION = logs.RetentionDays.THREE_MONTHS
METRICS_NAMESPACE = "Tunedrop"


class Functions(Construct):
    """Makes functions that share one code asset and the layers of one target."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        target = TARGETS[settings.target]
        self._runtime = lambda_.Runtime(
            f"python{target.python_version}", lambda_.RuntimeFamily.PYTHON, supports_inline_code=True
        )
        arm = target.architecture == "arm64"
        self._architecture = lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64
        self._code = lambda_.Code.from_asset(str(LAMBDAS_FOLDER), exclude=list(CODE_EXCLUDES))
        self._layers: dict[str, lambda_.LayerVersion] = {}

    def function(
        self,
        name: str,
        *,
        description: str,
        timeout: Duration,
        memory_mb: int,
        environment: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        layers: Sequence[str] = (),
    ) -> lambda_.Function:
        """The function of the module `lambdas/<name>.py`, with the base layer and `layers`."""
        stack_name = self._settings.stack_name
        function_name = f"{stack_name}-{name.replace('_', '-')}"
        construct_id = "".join(part.capitalize() for part in name.split("_"))
        log_group = logs.LogGroup(
            self,
            f"{construct_id}Log",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=LOG_RETENTION,
            # The name is fixed: one left behind would stop the stack from being deployed again.
            removal_policy=RemovalPolicy.DESTROY,
        )
        return lambda_.Function(
            self,
            construct_id,
            function_name=function_name,
            description=description,
            runtime=self._runtime,
            architecture=self._architecture,
            handler=f"{name}.handler",
            code=self._code,
            layers=[self._layer(layer) for layer in (BASE, *layers)],
            role=self._role(construct_id, log_group, permissions),
            timeout=timeout,
            memory_size=memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            environment={
                env.STAGE: self._settings.stage,
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            },
        )

    def _layer(self, name: str) -> lambda_.LayerVersion:
        if name not in self._layers:
            self._layers[name] = lambda_.LayerVersion(
                self,
                f"{name.capitalize()}Layer",
                description=f"What requirements/functions-{name}.txt pins.",
                code=lambda_.Code.from_asset(str(layer_archive(self._settings.target, name))),
                compatible_runtimes=[self._runtime],
                compatible_architectures=[self._architecture],
            )
        return self._layers[name]

    def _role(
        self, construct_id: str, log_group: logs.LogGroup, permissions: Sequence[iam.PolicyStatement]
    ) -> iam.Role:
        role = iam.Role(
            self,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{Stack.of(self).stack_name}: what the function {construct_id} may do.",
        )
        write_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        for statement in (write_log, *permissions):
            role.add_to_policy(statement)
        return role


def allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    """A statement that names its actions."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def records_environment(storage: Storage) -> dict[str, str]:
    return {env.JOBS_TABLE: storage.jobs.table_name}


def whereabouts(storage: Storage) -> dict[str, str]:
    """Of the records and the files, for what works with both."""
    return {
        **records_environment(storage),
        env.INBOX_BUCKET: storage.inbox.bucket_name,
        env.ARTIFACTS_BUCKET: storage.artifacts.bucket_name,
    }


def given(variables: Mapping[str, str]) -> dict[str, str]:
    """Without the variables that are empty: a function takes an unset one as a setting that is missing."""
    return {name: value for name, value in variables.items() if value}
