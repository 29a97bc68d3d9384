"""The functions that carry a job from the inbox through its state machines to the news of it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from infra import permissions
from infra.bedrock_access import BedrockAccess
from infra.functions import Functions, allow, given, whereabouts
from infra.settings import Settings
from infra.state_machines import StateMachines
from infra.storage import Storage
from tunedrop import env

UPLOADING_TIMEOUT = Duration.minutes(15)
"""For what carries whole files; as long as a function can run."""


class JobFunctions:
    """`tasks` are by provider."""

    def __init__(
        self,
        functions: Functions,
        *,
        settings: Settings,
        storage: Storage,
        machines: StateMachines,
        bedrock: BedrockAccess,
        topic: sns.ITopic,
    ) -> None:
        self._functions = functions
        self._settings = settings
        self._storage = storage
        self._machines = machines
        self.intake = self._intake()
        self.prepare = self._prepare()
        self.tasks = {
            "openai": self._openai_tasks(),
            "bedrock": self._bedrock_tasks(bedrock),
            "databricks": self._databricks_tasks(),
        }
        self.finish = self._finish()
        self.notify = self._notify(topic)

    def _intake(self) -> lambda_.Function:
        machines = self._machines.fine_tuning()
        return self._functions.function(
            "intake",
            description="An object in the inbox becomes a job and its execution, or wakes the job that waits for it.",
            timeout=Duration.minutes(1),
            memory_mb=512,
            environment={
                **whereabouts(self._storage),
                env.STATE_MACHINE_ARN_PREFIX: self._machines.fine_tuning_arn_prefix,
                **given({env.READABLE_BUCKETS: ",".join(self._settings.readable_buckets)}),
            },
            permissions=[
                permissions.records(self._storage),
                *permissions.read_inbox(self._storage, permissions.MANIFESTS),
                permissions.start_executions(machines),
                permissions.end_waits(machines),
                # A drop that cannot be used ends here, with its report.
                permissions.write_artifacts(self._storage, permissions.JOBS),
            ],
        )

    def _prepare(self) -> lambda_.Function:
        return self._functions.function(
            "prepare",
            description="Checks the training file and writes it in the provider's format.",
            timeout=UPLOADING_TIMEOUT,
            memory_mb=1769,  # one whole CPU: the work is parsing
            environment=whereabouts(self._storage),
            layers=["prepare"],
            permissions=[
                permissions.records(self._storage),
                *permissions.read_inbox(self._storage, permissions.INBOX, permissions.UPLOADS),
                *permissions.read_buckets(self._functions, self._settings.readable_buckets),
                permissions.read_artifacts(self._storage, permissions.JOBS),
                permissions.write_artifacts(self._storage, permissions.JOBS),
            ],
        )

    def _openai_tasks(self) -> lambda_.Function:
        return self._functions.function(
            "openai_tasks",
            description="Submits, follows and cancels jobs at OpenAI.",
            timeout=UPLOADING_TIMEOUT,
            memory_mb=1024,
            environment=whereabouts(self._storage),
            layers=["openai"],
            permissions=[
                permissions.records(self._storage),
                permissions.read_artifacts(self._storage, permissions.JOBS),
                permissions.read_secrets(self._functions, self._settings.stage, "openai"),
            ],
        )

    def _bedrock_tasks(self, access: BedrockAccess) -> lambda_.Function:
        return self._functions.function(
            "bedrock_tasks",
            description="Submits, follows and cancels jobs at Amazon Bedrock, and starts and stops their endpoints.",
            timeout=Duration.minutes(2),
            memory_mb=512,
            environment={**whereabouts(self._storage), env.BEDROCK_ROLE_ARN: access.training_role.role_arn},
            permissions=[
                permissions.records(self._storage),
                permissions.read_artifacts(self._storage, permissions.OUTPUTS),
                permissions.list_artifacts(self._storage, [permissions.OUTPUTS]),
                *access.customization_permissions(),
                *access.serving_permissions(),
            ],
        )

    def _databricks_tasks(self) -> lambda_.Function:
        settings = self._settings
        return self._functions.function(
            "databricks_tasks",
            description="Submits, follows and cancels jobs at Databricks, and starts and stops their endpoints.",
            timeout=UPLOADING_TIMEOUT,
            memory_mb=1024,
            environment={
                **whereabouts(self._storage),
                **given(
                    {
                        env.DATABRICKS_TRAINING_JOB_ID: settings.databricks_training_job_id,
                        env.DATABRICKS_VOLUME: settings.databricks_volume,
                        env.DATABRICKS_SCHEMA: settings.databricks_schema,
                    }
                ),
            },
            layers=["databricks"],
            permissions=[
                permissions.records(self._storage),
                permissions.read_artifacts(self._storage, permissions.JOBS),
                permissions.read_secrets(self._functions, settings.stage, "databricks"),
            ],
        )

    def _finish(self) -> lambda_.Function:
        return self._functions.function(
            "finish",
            description="Makes a job's end final and writes its report.",
            timeout=Duration.minutes(1),
            memory_mb=512,
            environment={
                **whereabouts(self._storage),
                env.ENDPOINT_MACHINE_ARN_PREFIX: self._machines.endpoint_arn_prefix,
            },
            permissions=[
                permissions.records(self._storage),
                permissions.read_artifacts(self._storage, permissions.JOBS),
                permissions.write_artifacts(self._storage, permissions.JOBS),
            ],
        )

    def _notify(self, topic: sns.ITopic) -> lambda_.Function:
        return self._functions.function(
            "notify",
            description="Publishes each change of a job's status and of its endpoint's.",
            timeout=Duration.minutes(1),
            memory_mb=512,
            environment={env.TOPIC_ARN: topic.topic_arn},
            permissions=[
                permissions.publish_events(self._functions),
                allow(["sns:Publish"], [topic.topic_arn]),
            ],
        )
