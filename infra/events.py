"""What sets the functions off: objects in the inbox, changes of the records, news from Bedrock, executions that were
lost. What cannot be handled is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.state_machines import StateMachines
from infra.storage import Storage

INBOX_PREFIX = "inbox/"
UPLOADS_PREFIX = "uploads/"
"""Where a job that was made over the API waits for its file."""
RECORD_SORT_KEYS = ("JOB", "ENDPOINT")
"""The record's item and its endpoint's; a job's events lie beside them and are no news of their own."""
BEDROCK_JOB_PREFIX = "tunedrop-"
"""Of the names of our jobs at Bedrock (tunedrop.jobs.order); other jobs of the account are nobody's news here."""
LOST = ("FAILED", "ABORTED", "TIMED_OUT")
"""How an execution ends that nobody meant to end. A job that failed ends its execution so, too: recover sees that its
record is final."""


class Notifications(Construct):
    """The topic that people and their tools subscribe to."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{Stack.of(self).stack_name}-jobs",
            display_name="Tunedrop",
            enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "Key", "alias/aws/sns"),
        )


class Events(Construct):
    """The rules, the mapping from the table's stream, and the queues for what could not be handled."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: Storage,
        machines: StateMachines,
        intake: lambda_.Function,
        notify: lambda_.Function,
        wake: lambda_.Function,
        recover: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self._rule(
            "Drops",
            intake,
            description="An object in the inbox becomes a job, or is the file that a job waits for.",
            source="aws.s3",
            detail_type="Object Created",
            detail={
                "bucket": {"name": [storage.inbox.bucket_name]},
                "object": {"key": [{"prefix": INBOX_PREFIX}, {"prefix": UPLOADS_PREFIX}]},
            },
        )
        self._rule(
            "BedrockNews",
            wake,
            description="Bedrock tells of one of our jobs: somebody should look.",
            source="aws.bedrock",
            detail_type="Model Customization Job State Change",
            detail={"jobName": [{"prefix": BEDROCK_JOB_PREFIX}]},
        )
        self._rule(
            "LostExecutions",
            recover,
            description="An execution of a job or an endpoint ended before its work did.",
            source="aws.states",
            detail_type="Step Functions Execution Status Change",
            detail={
                "status": list(LOST),
                "stateMachineArn": [*machines.fine_tuning(), *machines.endpoints()],
            },
        )
        self._changes(storage, notify)

    def _rule(
        self,
        name: str,
        function: lambda_.Function,
        *,
        description: str,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
    ) -> None:
        """The rule `name`, with a queue for events that never reached the function and one for those it failed on."""
        undelivered, unhandled = self._dead_letters(f"Undelivered{name}"), self._dead_letters(f"Unhandled{name}")
        # A destination rather than a dead-letter queue: the message says what went wrong, too.
        function.configure_async_invoke(
            on_failure=destinations.SqsDestination(unhandled), retry_attempts=2, max_event_age=Duration.hours(6)
        )
        events.Rule(
            self,
            name,
            description=description,
            event_pattern=events.EventPattern(source=[source], detail_type=[detail_type], detail=detail),
            targets=[
                targets.LambdaFunction(
                    function, dead_letter_queue=undelivered, retry_attempts=185, max_event_age=Duration.hours(24)
                )
            ],
        )

    def _changes(self, storage: Storage, notify: lambda_.Function) -> None:
        notify.add_event_source(
            sources.DynamoEventSource(
                storage.jobs,
                # From the beginning, so that no change is missed between deployment and the first read.
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=25,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=10,
                max_record_age=Duration.hours(24),
                on_failure=sources.SqsDlq(self._dead_letters("UnpublishedChanges")),
                filters=[_of_records(RECORD_SORT_KEYS)],
            )
        )

    def _dead_letters(self, construct_id: str) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=Duration.days(14),
        )


def _of_records(sort_keys: Sequence[str]) -> Mapping[str, Any]:
    one_of = lambda_.FilterRule.or_(*sort_keys)
    return lambda_.FilterCriteria.filter({"dynamodb": {"Keys": {"sk": {"S": one_of}}}})
