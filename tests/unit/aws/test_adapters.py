"""Secrets, executions and news on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from tunedrop.aws.publisher import EventPublisher
from tunedrop.aws.secrets import SecretsManager
from tunedrop.aws.workflow import StepFunctionsTaskTokens, StepFunctionsWorkflow
from tunedrop.domain.errors import CredentialsError, StoreUnavailableError
from tunedrop.domain.ports import StatusChange

PREFIX = "arn:aws:states:us-east-1:123456789012:stateMachine:tunedrop-dev-fine-tuning-"
CHANGE = StatusChange(
    detail_type="Fine-Tuning Job State Change",
    event_id="abc-3",
    detail={"job_id": "abc", "status": "failed"},
    summary="job abc failed: é\n\t\x1bx",
)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


class TestSecrets:
    @pytest.fixture
    def client(self) -> Any:
        return boto3.client("secretsmanager")

    def test_a_secret_is_found_under_its_stage_provider_and_name(self, client: Any) -> None:
        client.create_secret(Name="tunedrop/dev/openai/team-a", SecretString=json.dumps({"api_key": "k"}))

        assert SecretsManager(client=client, stage="dev").read("openai", "team-a") == {"api_key": "k"}

    def test_a_missing_secret_says_how_to_create_it(self, client: Any) -> None:
        with pytest.raises(CredentialsError, match="create-secret --name tunedrop/dev/openai/default"):
            SecretsManager(client=client, stage="dev").read("openai", "default")

    @pytest.mark.parametrize("content", ["sk-canary", '{"api_key": ["sk-canary"]}', '{"api_key": "sk-canary"'])
    def test_a_secret_that_cannot_be_read_is_never_quoted(self, client: Any, content: str) -> None:
        client.create_secret(Name="tunedrop/dev/openai/default", SecretString=content)

        with pytest.raises(CredentialsError, match="not a JSON object of strings") as caught:
            SecretsManager(client=client, stage="dev").read("openai", "default")
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None


class TestWorkflow:
    def test_an_execution_is_named_by_its_job(self) -> None:
        workflow = StepFunctionsWorkflow(client=None, machine_arn_prefix=PREFIX)

        arn = "arn:aws:states:us-east-1:123456789012:execution:tunedrop-dev-fine-tuning-openai:abc"
        assert workflow.execution_arn("openai", "abc") == arn
        assert workflow.console_url("openai", "abc").endswith(f"region=us-east-1#/v2/executions/details/{arn}")

    def test_starting_an_execution_again_does_nothing(self) -> None:
        client = boto3.client("stepfunctions")
        machine = client.create_state_machine(
            name="tunedrop-dev-fine-tuning-openai",
            definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/machine",
        )["stateMachineArn"]
        workflow = StepFunctionsWorkflow(client=client, machine_arn_prefix=machine.removesuffix("openai"))

        workflow.start("openai", "abc", {"job_id": "abc"})
        workflow.start("openai", "abc", {"job_id": "abc"})

        [execution] = client.list_executions(stateMachineArn=machine)["executions"]
        assert execution["name"] == "abc"
        described = client.describe_execution(executionArn=workflow.execution_arn("openai", "abc"))
        assert json.loads(described["input"]) == {"job_id": "abc"}


class TestTaskTokens:
    """A token that is over says so in three ways: AWS in one, the engines of others in two of their own."""

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_a_wait_that_is_over_already_is_left_as_it_is(self, code: str) -> None:
        client = boto3.client("stepfunctions")
        with Stubber(client) as stub:
            stub.add_client_error("send_task_success", code)

            StepFunctionsTaskTokens(client=client).send("t")
            stub.assert_no_pending_responses()

    def test_a_wait_is_ended_without_a_word(self) -> None:
        client = boto3.client("stepfunctions")
        with Stubber(client) as stub:
            stub.add_response("send_task_success", {}, {"taskToken": "t", "output": "{}"})

            StepFunctionsTaskTokens(client=client).send("t")
            stub.assert_no_pending_responses()

    def test_a_refusal_of_another_kind_is_seen(self) -> None:
        client = boto3.client("stepfunctions")
        with Stubber(client) as stub:
            stub.add_client_error("send_task_success", "AccessDeniedException")

            with pytest.raises(ClientError, match="AccessDenied"):
                StepFunctionsTaskTokens(client=client).send("t")


class TestPublisher:
    def test_news_goes_to_the_event_bus_and_to_the_topic(self) -> None:
        sqs, sns, events = boto3.client("sqs"), boto3.client("sns"), boto3.client("events")
        queue = sqs.create_queue(QueueName="news")["QueueUrl"]
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = sns.create_topic(Name="jobs")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
        events.put_rule(
            Name="jobs",
            EventPattern=json.dumps({"source": ["tunedrop"], "detail-type": ["Fine-Tuning Job State Change"]}),
        )
        events.put_targets(Rule="jobs", Targets=[{"Id": "queue", "Arn": queue_arn}])

        EventPublisher(events=events, sns=sns, topic_arn=topic).publish(CHANGE)

        bodies = [
            json.loads(message["Body"])
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        ]
        [event] = [body for body in bodies if "detail" in body]
        [message] = [body for body in bodies if "Message" in body]
        assert event["detail"] == CHANGE.detail
        assert message["Subject"] == "job abc failed: ?   x"
        assert message["Message"].startswith("job abc failed: é")

    def test_an_event_that_the_bus_refuses_is_sent_again(self) -> None:
        events = boto3.client("events")
        with Stubber(events) as stub:
            stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})

            with pytest.raises(StoreUnavailableError, match="refused abc-3"):
                EventPublisher(events=events, sns=None, topic_arn="t").publish(CHANGE)
