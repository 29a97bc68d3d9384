"""The stack: what there is, composed."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from infra.api import Api
from infra.bedrock_access import BedrockAccess
from infra.control_functions import ControlFunctions
from infra.credentials import Credentials
from infra.endpoint_workflow import EndpointWorkflow
from infra.events import Events, Notifications
from infra.fine_tuning_workflow import FineTuningWorkflow
from infra.functions import Functions
from infra.job_functions import JobFunctions
from infra.settings import Settings
from infra.state_machines import PROVIDERS, SERVING_PROVIDERS, StateMachines
from infra.storage import Storage


class TunedropStack(Stack):
    """Everything of one stage, in the region of the settings and whichever account it is deployed to."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.region),
            description="Tunedrop: drop a training file in S3, get a fine-tuned model.",
            tags={"service": "tunedrop", "stage": settings.stage},
        )
        self._machines = StateMachines(self)
        self._storage = Storage(self, "Storage")
        notifications = Notifications(self, "Notifications")
        functions = Functions(self, "Functions", settings=settings)
        bedrock = BedrockAccess(self, "Bedrock", storage=self._storage)
        Credentials(self, "Credentials", stage=settings.stage)
        self._jobs = JobFunctions(
            functions,
            settings=settings,
            storage=self._storage,
            machines=self._machines,
            bedrock=bedrock,
            topic=notifications.topic,
        )
        control = ControlFunctions(
            functions, settings=settings, storage=self._storage, machines=self._machines, bedrock=bedrock
        )
        Events(
            self,
            "Events",
            storage=self._storage,
            machines=self._machines,
            intake=self._jobs.intake,
            notify=self._jobs.notify,
            wake=control.wake,
            recover=control.recover,
        )
        api = Api(self, "Api", stage=settings.stage, api=control.api, webhook=control.webhook)
        self._output("ApiUrl", api.url, "The API; /v1/jobs comes behind it.")
        self._output("InboxBucket", self._storage.inbox.bucket_name, "Drop training files and manifests here.")
        self._output("ArtifactsBucket", self._storage.artifacts.bucket_name, "Prepared files and reports.")
        self._output("JobsTable", self._storage.jobs.table_name, "The records of all jobs.")
        self._output("TopicArn", notifications.topic.topic_arn, "Subscribe here for news of jobs.")
        for provider in PROVIDERS:
            self._fine_tuning(provider)
        for provider in SERVING_PROVIDERS:
            self._endpoint(provider)

    def _fine_tuning(self, provider: str) -> None:
        [endpoint_machine] = self._machines.endpoints([provider]) if provider in SERVING_PROVIDERS else [None]
        workflow = FineTuningWorkflow(
            self,
            f"{provider.capitalize()}FineTuning",
            provider=provider,
            name_prefix=self._machines.fine_tuning_prefix,
            jobs=self._storage.jobs,
            prepare=self._jobs.prepare,
            tasks=self._jobs.tasks[provider],
            finish=self._jobs.finish,
            endpoint_machine_arn=endpoint_machine,
        )
        self._output(
            f"{provider.capitalize()}StateMachineArn",
            workflow.state_machine.state_machine_arn,
            f"One execution is one job at {provider}.",
        )

    def _endpoint(self, provider: str) -> None:
        workflow = EndpointWorkflow(
            self,
            f"{provider.capitalize()}Endpoint",
            provider=provider,
            name_prefix=self._machines.endpoint_prefix,
            jobs=self._storage.jobs,
            tasks=self._jobs.tasks[provider],
        )
        self._output(
            f"{provider.capitalize()}EndpointMachineArn",
            workflow.state_machine.state_machine_arn,
            f"One execution is one endpoint at {provider}.",
        )

    def _output(self, name: str, value: str, description: str) -> None:
        CfnOutput(self, name, value=value, description=description)
