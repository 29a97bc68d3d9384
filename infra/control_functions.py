"""The functions behind the API, and those that news and lost executions set off."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from infra import permissions
from infra.bedrock_access import BedrockAccess
from infra.functions import Functions, given, records_environment, whereabouts
from infra.settings import Settings
from infra.state_machines import StateMachines
from infra.storage import Storage
from tunedrop import env


class ControlFunctions:
    """Each may do what its callers may ask of it, and no more: only `api` starts what somebody asked for."""

    def __init__(
        self,
        functions: Functions,
        *,
        settings: Settings,
        storage: Storage,
        machines: StateMachines,
        bedrock: BedrockAccess,
    ) -> None:
        self._functions = functions
        self._settings = settings
        self._storage = storage
        self._machines = machines
        self.api = self._api(bedrock)
        self.webhook = self._webhook()
        self.wake = self._wake()
        self.recover = self._recover()

    def _api(self, bedrock: BedrockAccess) -> lambda_.Function:
        machines = [*self._machines.fine_tuning(), *self._machines.endpoints()]
        return self._functions.function(
            "api",
            description="Answers the API: creates, shows, lists, cancels and retries jobs; starts and stops endpoints.",
            timeout=Duration.seconds(29),  # as long as API Gateway waits
            memory_mb=1024,
            environment={
                **whereabouts(self._storage),
                **self._families(),
                **given({env.READABLE_BUCKETS: ",".join(self._settings.readable_buckets)}),
            },
            # A request that is only to be validated has its first rows checked, as Prepare does.
            layers=["api", "prepare"],
            permissions=[
                permissions.records(self._storage),
                permissions.lists(self._storage),
                permissions.remember_once(self._storage, "create"),
                permissions.start_executions(machines),
                permissions.end_waits(machines),
                *permissions.read_inbox(self._storage, permissions.INBOX, permissions.UPLOADS),
                *permissions.read_buckets(self._functions, self._settings.readable_buckets),
                permissions.sign_uploads(self._storage),
                # A retry looks for the files that its job had prepared, and takes what was found in them along.
                permissions.read_artifacts(self._storage, permissions.JOBS),
                permissions.write_artifacts(self._storage, permissions.JOBS),
                *bedrock.removal_permissions(),
            ],
        )

    def _webhook(self) -> lambda_.Function:
        return self._functions.function(
            "webhook",
            description="Checks who sent a provider's news, and wakes the job they are of.",
            timeout=Duration.seconds(10),  # the provider waits for the answer
            memory_mb=512,
            environment=records_environment(self._storage),
            layers=["openai"],
            permissions=[
                permissions.wake(self._storage),
                permissions.find_by_provider_job(self._storage),
                permissions.remember_once(self._storage, "webhook"),
                permissions.end_waits(self._machines.fine_tuning(["openai"])),
                permissions.read_secrets(self._functions, self._settings.stage, "openai"),
            ],
        )

    def _wake(self) -> lambda_.Function:
        return self._functions.function(
            "wake",
            description="Wakes the job that Bedrock's news are of.",
            timeout=Duration.seconds(30),
            memory_mb=512,
            environment=records_environment(self._storage),
            permissions=[
                permissions.wake(self._storage),
                permissions.end_waits(self._machines.fine_tuning(["bedrock"])),
            ],
        )

    def _recover(self) -> lambda_.Function:
        machines = [*self._machines.fine_tuning(), *self._machines.endpoints()]
        return self._functions.function(
            "recover",
            description="Takes up a job or an endpoint whose execution was aborted, failed or timed out.",
            timeout=Duration.minutes(1),
            memory_mb=512,
            environment={**records_environment(self._storage), **self._families()},
            permissions=[
                permissions.records(self._storage),
                permissions.start_executions(machines),
            ],
        )

    def _families(self) -> dict[str, str]:
        return {
            env.STATE_MACHINE_ARN_PREFIX: self._machines.fine_tuning_arn_prefix,
            env.ENDPOINT_MACHINE_ARN_PREFIX: self._machines.endpoint_arn_prefix,
        }
