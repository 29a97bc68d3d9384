"""What each role may do: every action is pinned, so that a new one is a decision."""

from __future__ import annotations

import pytest

from tests.infra.templates import Synthesis, machines_of, of_role, resources_of

LOG_AND_TRACE = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
RECORDS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}
READ_FILES = {"s3:GetObject", "s3:GetObjectVersion"}
WRITE_FILES = {"s3:PutObject", "s3:AbortMultipartUpload"}
FUNCTIONS: dict[str, set[str]] = {
    "Intake": {
        *RECORDS,
        *READ_FILES,
        "s3:ListBucket",
        *WRITE_FILES,
        "states:StartExecution",
        "states:SendTaskSuccess",
    },
    "Prepare": {*RECORDS, *READ_FILES, "s3:ListBucket", *WRITE_FILES},
    "OpenaiTasks": {*RECORDS, *READ_FILES, "secretsmanager:GetSecretValue"},
    "BedrockTasks": {
        *RECORDS,
        *READ_FILES,
        "s3:ListBucket",
        "iam:PassRole",
        "bedrock:CreateModelCustomizationJob",
        "bedrock:GetModelCustomizationJob",
        "bedrock:StopModelCustomizationJob",
        "bedrock:ListModelCustomizationJobs",
        "bedrock:GetCustomModel",
        "bedrock:TagResource",
        "bedrock:ListTagsForResource",
        "bedrock:CreateCustomModelDeployment",
        "bedrock:GetCustomModelDeployment",
        "bedrock:DeleteCustomModelDeployment",
        "bedrock:CreateProvisionedModelThroughput",
        "bedrock:GetProvisionedModelThroughput",
        "bedrock:DeleteProvisionedModelThroughput",
    },
    "DatabricksTasks": {*RECORDS, *READ_FILES, "secretsmanager:GetSecretValue"},
    "Finish": {*RECORDS, *READ_FILES, *WRITE_FILES},
    "Notify": {"events:PutEvents", "sns:Publish"},
    "Api": {
        *RECORDS,
        "dynamodb:Query",
        "dynamodb:DeleteItem",
        *READ_FILES,
        "s3:ListBucket",
        *WRITE_FILES,
        "states:StartExecution",
        "states:SendTaskSuccess",
        "bedrock:DeleteCustomModel",
    },
    "Webhook": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "states:SendTaskSuccess",
        "secretsmanager:GetSecretValue",
    },
    "Wake": {"dynamodb:GetItem", "dynamodb:UpdateItem", "states:SendTaskSuccess"},
    "Recover": {*RECORDS, "states:StartExecution"},
}
"""What each function may do besides writing its log and its trace: no more, no less."""
STATE_MACHINE = {
    "lambda:InvokeFunction",
    "dynamodb:UpdateItem",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
READS_THE_STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:SendMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
}
KEEPS_FAILURES = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
BY_THE_RULES = {"Notify": READS_THE_STREAM, "Intake": KEEPS_FAILURES, "Wake": KEEPS_FAILURES, "Recover": KEEPS_FAILURES}
"""What the mapping from the stream and the destinations of asynchronous invocations add."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_what_it_needs_and_nothing_else(aws: Synthesis, name: str) -> None:
    expected = FUNCTIONS[name] | LOG_AND_TRACE | BY_THE_RULES.get(name, set())
    assert of_role(aws, f"Functions{name}Role").keys() == expected


def test_every_function_has_its_actions_pinned(aws: Synthesis) -> None:
    roles = {name for name in aws.resources("AWS::IAM::Role") if name.startswith("Functions")}
    assert len(roles) == len(FUNCTIONS)
    assert all(any(role.startswith(f"Functions{name}Role") for name in FUNCTIONS) for role in roles)


@pytest.mark.parametrize("provider", ["Openai", "Bedrock", "Databricks"])
def test_a_state_machine_of_jobs_does_what_its_states_do_and_nothing_else(aws: Synthesis, provider: str) -> None:
    allowed = of_role(aws, f"{provider}FineTuningRole")
    serves = provider != "Openai"
    assert allowed.keys() == STATE_MACHINE | ({"states:StartExecution"} if serves else set())
    invoked = allowed["lambda:InvokeFunction"]
    assert invoked.count("Fn::GetAtt") == 3
    assert all(name in invoked for name in ("FunctionsPrepare", f"Functions{provider}Tasks", "FunctionsFinish"))
    assert "StorageJobs" in allowed["dynamodb:UpdateItem"]
    if serves:
        endpoint = f"tunedrop-dev-endpoint-{provider.lower()}"
        assert machines_of(aws, f"{provider}FineTuningRole", "states:StartExecution") == [endpoint]


@pytest.mark.parametrize("provider", ["Bedrock", "Databricks"])
def test_a_state_machine_of_endpoints_invokes_its_providers_function_only(aws: Synthesis, provider: str) -> None:
    allowed = of_role(aws, f"{provider}EndpointRole")
    assert allowed.keys() == STATE_MACHINE
    (invoked,) = resources_of(aws, f"{provider}EndpointRole", "lambda:InvokeFunction")
    assert f"Functions{provider}Tasks" in invoked
    assert "StorageJobs" in allowed["dynamodb:UpdateItem"]


def test_no_role_is_left_out_of_the_tests(aws: Synthesis) -> None:
    """The two that are not here are in the tests of permissions and of the API."""
    machines = (
        "OpenaiFineTuning",
        "BedrockFineTuning",
        "DatabricksFineTuning",
        "BedrockEndpoint",
        "DatabricksEndpoint",
    )
    known = ("Functions", *machines, "BedrockTrainingRole", "ApiLogRole")
    assert [name for name in aws.resources("AWS::IAM::Role") if not name.startswith(known)] == []
