"""Who may do what, over every policy of the stack."""

from __future__ import annotations

import json

import pytest

from tests.infra.templates import Synthesis, as_list, of_role, statements

NO_RESOURCE_TO_NAME = {
    "bedrock:ListModelCustomizationJobs",
    "dynamodb:ListStreams",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions without resource types in the Service Authorization Reference, or that log delivery asks for on all."""


def test_every_statement_allows_named_actions(aws: Synthesis) -> None:
    for name, statement in statements(aws):
        assert statement["Effect"] == "Allow", name
        assert not [action for action in as_list(statement["Action"]) if "*" in action], name


def test_only_actions_without_a_resource_are_allowed_on_everything(aws: Synthesis) -> None:
    for name, statement in statements(aws):
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= NO_RESOURCE_TO_NAME, name


def test_roles_are_for_services_only(aws: Synthesis) -> None:
    for name, role in aws.resources("AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            assert statement["Principal"].keys() == {"Service"}, name


def test_only_the_bedrock_function_hands_over_a_role_and_only_to_bedrock(aws: Synthesis) -> None:
    passing = [(name, each) for name, each in statements(aws) if "iam:PassRole" in as_list(each["Action"])]
    assert len(passing) == 1
    name, statement = passing[0]
    assert name.startswith("FunctionsBedrockTasksRole")
    assert statement["Resource"] == {"Fn::GetAtt": ["BedrockTrainingRole70C63947", "Arn"]}
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}


def test_bedrock_assumes_its_role_only_for_jobs_of_this_account(aws: Synthesis) -> None:
    role = aws.resources("AWS::IAM::Role")["BedrockTrainingRole70C63947"]
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "model-customization-job/*" in json.dumps(statement["Condition"]["ArnLike"]["aws:SourceArn"])


def test_bedrock_reads_prepared_files_and_writes_outputs_only(aws: Synthesis) -> None:
    allowed = of_role(aws, "BedrockTrainingRole")
    assert allowed.keys() == {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:ListBucket"}
    assert "/outputs/*" in allowed["s3:PutObject"]
    assert "/jobs/*" not in allowed["s3:PutObject"]
    assert "StorageInbox" not in json.dumps(allowed)


@pytest.mark.parametrize(
    ("role", "prefix"),
    [
        ("FunctionsOpenaiTasksRole", "tunedrop/dev/openai/*"),
        ("FunctionsDatabricksTasksRole", "tunedrop/dev/databricks/*"),
    ],
)
def test_a_provider_function_reads_its_own_secrets_only(aws: Synthesis, role: str, prefix: str) -> None:
    resource = of_role(aws, role)["secretsmanager:GetSecretValue"]
    assert resource.count(":secret:") == 1
    assert f":secret:{prefix}" in resource


def test_nobody_else_reads_secrets(aws: Synthesis) -> None:
    readers = [name for name, each in statements(aws) if "secretsmanager" in json.dumps(each["Action"])]
    assert len(readers) == 3


def test_nobody_scans_and_nothing_but_an_idempotency_key_or_what_is_at_bedrock_is_deleted(aws: Synthesis) -> None:
    actions = {action for _, each in statements(aws) for action in as_list(each["Action"])}
    assert not {"dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem"} & actions
    assert {each for each in actions if "Delete" in each and not each.startswith("logs:")} == {
        "dynamodb:DeleteItem",
        "bedrock:DeleteCustomModel",
        "bedrock:DeleteCustomModelDeployment",
        "bedrock:DeleteProvisionedModelThroughput",
    }


def test_notify_publishes_to_the_default_bus_and_the_topic(aws: Synthesis) -> None:
    allowed = of_role(aws, "FunctionsNotifyRole")
    assert ":event-bus/default" in allowed["events:PutEvents"]
    assert "NotificationsTopic" in allowed["sns:Publish"]


def test_only_the_rules_and_the_api_may_invoke_functions_from_outside(aws: Synthesis) -> None:
    invoking = {}
    for each in (each["Properties"] for each in aws.resources("AWS::Lambda::Permission").values()):
        function = aws.template["Resources"][each["FunctionName"]["Fn::GetAtt"][0]]
        invoking[function["Properties"]["Handler"].removesuffix(".handler")] = each["Principal"]
        if each["Principal"] == "events.amazonaws.com":
            assert each["SourceArn"]["Fn::GetAtt"][0] in aws.resources("AWS::Events::Rule")
    assert invoking == {
        "intake": "events.amazonaws.com",
        "wake": "events.amazonaws.com",
        "recover": "events.amazonaws.com",
        "api": "apigateway.amazonaws.com",
        "webhook": "apigateway.amazonaws.com",
    }


def test_no_function_or_machine_holds_anything_that_looks_like_a_key(configured: Synthesis) -> None:
    text = configured.text.decode()
    for mark in ("sk-", "dapi", "AKIA", "PRIVATE KEY", "{{resolve:"):
        assert mark not in text
