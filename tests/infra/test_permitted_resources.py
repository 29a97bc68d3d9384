"""On what a function may do what it may do: which keys, indexes, machines and models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.templates import Synthesis, conditions_of, machines_of, of_role, resources_of, statements
from tunedrop import env, wiring
from tunedrop.aws.provider_job_index import INDEX
from tunedrop.wiring import adapters

QUERY = "dynamodb:Query"
TRAININGS = [f"tunedrop-dev-fine-tuning-{provider}" for provider in ("bedrock", "databricks", "openai")]
ENDPOINTS = [f"tunedrop-dev-endpoint-{provider}" for provider in ("bedrock", "databricks")]


@pytest.mark.parametrize(("name", "records"), [("Api", wiring.create_answers), ("Webhook", wiring.webhook_deliveries)])
def test_a_function_deletes_idempotency_keys_of_its_own_only(
    aws: Synthesis, name: str, records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(env.JOBS_TABLE, "jobs")
    monkeypatch.setattr(adapters, "client", lambda service: None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (condition,) = conditions_of(aws, f"Functions{name}Role", "dynamodb:DeleteItem")
    partition = records.__wrapped__().static_pk_value
    assert condition == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [partition]}}


def test_the_webhook_which_anybody_may_call_writes_no_record_of_its_own_making(aws: Synthesis) -> None:
    (condition,) = conditions_of(aws, "FunctionsWebhookRole", "dynamodb:PutItem")
    assert condition == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["IDEMPOTENCY#webhook"]}}
    (secrets,) = resources_of(aws, "FunctionsWebhookRole", "secretsmanager:GetSecretValue")
    assert ":secret:tunedrop/dev/openai/*" in secrets


def test_queries_are_on_the_indexes_that_they_need(aws: Synthesis) -> None:
    asked = {
        name: [each.split("/index/")[-1].split('"')[0] for each in resources_of(aws, f"Functions{name}Role", QUERY)]
        for name in ("Api", "Webhook")
    }
    assert asked["Webhook"] == [INDEX]
    assert sorted(asked["Api"][1:]) == ["by-created", "by-provider", "by-status"]
    assert "/index/" not in resources_of(aws, "FunctionsApiRole", QUERY)[0]


def test_the_inbox_is_read_where_it_must_be_and_written_by_signed_uploads_only(aws: Synthesis) -> None:
    readers = {name for name, each in statements(aws) if "StorageInbox" in json.dumps(each["Resource"])}
    assert {name.split("Role")[0] for name in readers} == {"FunctionsIntake", "FunctionsPrepare", "FunctionsApi"}

    def inbox(role: str, action: str) -> set[str]:
        """The keys in the inbox."""
        found = [each for each in resources_of(aws, f"Functions{role}Role", action) if "StorageInbox" in each]
        return {json.loads(each)["Fn::Join"][1][-1] for each in found}

    assert inbox("Intake", "s3:GetObject") == {"/inbox/*.job.json"}
    assert inbox("Prepare", "s3:GetObject") == inbox("Api", "s3:GetObject") == {"/inbox/*", "/uploads/*"}
    assert inbox("Intake", "s3:PutObject") == inbox("Prepare", "s3:PutObject") == set()
    assert inbox("Api", "s3:PutObject") == {"/uploads/*"}
    assert inbox("Api", "s3:AbortMultipartUpload") == set()


@pytest.mark.parametrize(
    ("name", "action", "machines"),
    [
        ("Intake", "states:StartExecution", TRAININGS),
        ("Intake", "states:SendTaskSuccess", TRAININGS),
        ("Api", "states:StartExecution", [*ENDPOINTS, *TRAININGS]),
        ("Api", "states:SendTaskSuccess", [*ENDPOINTS, *TRAININGS]),
        ("Recover", "states:StartExecution", [*ENDPOINTS, *TRAININGS]),
        ("Wake", "states:SendTaskSuccess", ["tunedrop-dev-fine-tuning-bedrock"]),
        ("Webhook", "states:SendTaskSuccess", ["tunedrop-dev-fine-tuning-openai"]),
    ],
)
def test_a_function_starts_and_wakes_the_machines_that_are_its_concern(
    aws: Synthesis, name: str, action: str, machines: list[str]
) -> None:
    assert sorted(machines_of(aws, f"Functions{name}Role", action)) == machines


@pytest.mark.parametrize(
    ("action", "kinds"),
    [
        ("bedrock:CreateCustomModelDeployment", {"custom-model"}),
        ("bedrock:CreateProvisionedModelThroughput", {"custom-model"}),
        ("bedrock:GetCustomModelDeployment", {"custom-model-deployment"}),
        ("bedrock:DeleteCustomModelDeployment", {"custom-model-deployment"}),
        ("bedrock:GetProvisionedModelThroughput", {"provisioned-model"}),
        ("bedrock:DeleteProvisionedModelThroughput", {"provisioned-model"}),
        ("bedrock:ListTagsForResource", {"custom-model-deployment", "provisioned-model"}),
    ],
)
def test_the_bedrock_function_serves_models_of_this_account(aws: Synthesis, action: str, kinds: set[str]) -> None:
    resources = resources_of(aws, "FunctionsBedrockTasksRole", action)
    assert {each.split(":")[-1].split("/")[0] for each in resources} == kinds
    assert all('{"Ref": "AWS::AccountId"}' in each for each in resources)


def test_the_api_deletes_custom_models_and_nothing_else_at_bedrock(aws: Synthesis) -> None:
    (resource,) = resources_of(aws, "FunctionsApiRole", "bedrock:DeleteCustomModel")
    assert ":custom-model/*" in resource


@pytest.mark.parametrize("name", ["Prepare", "Api"])
def test_the_buckets_of_the_settings_are_read_and_never_written(configured: Synthesis, name: str) -> None:
    allowed = of_role(configured, f"Functions{name}Role")
    for bucket in ("team-data", "more-data"):
        assert f":s3:::{bucket}/*" in allowed["s3:GetObject"]
        assert bucket not in allowed["s3:PutObject"]
