"""What Bedrock refuses, as boto3 reports it. Client-side validation is off: the service itself must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contracts.bedrock_rig import ACCESS_KEY, BUCKET, MODEL, ROLE, BedrockRig, bedrock_rig, training_file

MODEL_ARN = "arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.nova-lite-v1:0:300k/0123456789ab"
UNCHECKED = Config(parameter_validation=False, retries={"total_max_attempts": 1})
TRAIN = f"s3://{BUCKET}/train.jsonl"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BedrockRig]:
    with bedrock_rig(tmp_path_factory.mktemp("bedrock")) as rig:
        rows = training_file((f"question {number}", "answer") for number in range(12))
        for name in ("train.jsonl", "valid.jsonl", "train.csv"):
            rig.account.write(f"s3://{BUCKET}/{name}", rows)
        rig.client = rig.connect(config=UNCHECKED)
        rig.client.create_model_customization_job(**create_request(jobName="taken", customModelName="taken"))
        rig.advance(60)
        yield rig


def create_request(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "jobName": "a-job",
        "customModelName": "a-model",
        "roleArn": ROLE,
        "baseModelIdentifier": MODEL,
        "trainingDataConfig": {"s3Uri": TRAIN},
        "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/out"},
        "hyperParameters": {"epochCount": "2"},
    }
    return {name: value for name, value in (request | changes).items() if value is not None}


def throughput(**changes: Any) -> dict[str, Any]:
    return {"provisionedModelName": "t", "modelId": MODEL_ARN, "modelUnits": 1} | changes


# What is changed in a good request, and the error: its code, and a part of its message.
CREATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a required member is missing": (
        {"customModelName": None},
        "ValidationException",
        "1 validation error detected: Value null at 'customModelName' failed to satisfy constraint: "
        "Member must not be null",
    ),
    "an underscore in the job's name": (
        {"jobName": "my_job"},
        "ValidationException",
        "1 validation error detected: Value 'my_job' at 'jobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9\\+\\-\\.])*",
    ),
    "a job name of 64 characters": (
        {"jobName": "j" * 64},
        "ValidationException",
        "at 'jobName' failed to satisfy constraint: Member must have length less than or equal to 63",
    ),
    "an empty job name": (
        {"jobName": ""},
        "ValidationException",
        "Member must have length greater than or equal to 1",
    ),
    "two problems in one request": (
        {"jobName": "my_job", "roleArn": "nobody"},
        "ValidationException",
        "2 validation errors detected: ",
    ),
    "an unknown customization type": (
        {"customizationType": "FINETUNING"},
        "ValidationException",
        "Value 'FINETUNING' at 'customizationType' failed to satisfy constraint: Member must satisfy enum value set: "
        "[FINE_TUNING, CONTINUED_PRE_TRAINING, ",
    ),
    "a number where a hyperparameter's text is wanted": (
        {"hyperParameters": {"epochCount": 2}},
        "SerializationException",
        "NUMBER_VALUE can not be converted to a String",
    ),
    "a string where a structure is wanted": (
        {"trainingDataConfig": TRAIN},
        "SerializationException",
        "STRING_VALUE can not be converted to a Structure",
    ),
    "a bucket that cannot be one": (
        {"trainingDataConfig": {"s3Uri": "s3://A/train.jsonl"}},
        "ValidationException",
        "at 'trainingDataConfig.s3Uri' failed to satisfy constraint: Member must satisfy regular expression pattern",
    ),
    "too many validators": (
        {"validationDataConfig": {"validators": [{"s3Uri": TRAIN}] * 11}},
        "ValidationException",
        "at 'validationDataConfig.validators' failed to satisfy constraint: Member must have length less than or equal",
    ),
    "a member of a list": (
        {"jobTags": [{"key": "ok", "value": "ok"}, {"key": "no;", "value": "ok"}]},
        "ValidationException",
        "Value 'no;' at 'jobTags.2.member.key' failed to satisfy constraint",
    ),
    "more than 50 tags": (
        {"jobTags": [{"key": f"k{number}", "value": "v"} for number in range(51)]},
        "TooManyTagsException",
        "at most 50 tags",
    ),
    "a union with two members": (
        {
            "customizationConfig": {
                "distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": MODEL}},
                "rftConfig": {},
            }
        },
        "ValidationException",
        "Exactly one member must be set",
    ),
    "a model without its context length": (
        {"baseModelIdentifier": "amazon.nova-lite-v1:0"},
        "ValidationException",
        "does not support customization",
    ),
    "an unknown model": (
        {"baseModelIdentifier": "amazon.nova-huge-v1:0:1m"},
        "ValidationException",
        "The provided model identifier is invalid",
    ),
    "another kind of customization": (
        {"customizationType": "DISTILLATION"},
        "ValidationException",
        "DISTILLATION is not supported",
    ),
    "a role that does not exist": (
        {"roleArn": "arn:aws:iam::000000000000:role/missing"},
        "AccessDeniedException",
        "could not assume the role arn:aws:iam::000000000000:role/missing",
    ),
    "a training file that does not exist": (
        {"trainingDataConfig": {"s3Uri": f"s3://{BUCKET}/none.jsonl"}},
        "ValidationException",
        f"Could not validate GetObject permissions to access Amazon S3 bucket: {BUCKET} at key none.jsonl",
    ),
    "a training file of another kind": (
        {"trainingDataConfig": {"s3Uri": f"s3://{BUCKET}/train.csv"}},
        "ValidationException",
        "must have the extension .jsonl",
    ),
    "no training file at all": (
        {"trainingDataConfig": {}},
        "ValidationException",
        "trainingDataConfig.s3Uri must be given",
    ),
    "an output bucket that does not exist": (
        {"outputDataConfig": {"s3Uri": "s3://elsewhere/out"}},
        "ValidationException",
        "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to access S3 bucket: elsewhere "
        "at key out/.write_access_check_file.tmp",
    ),
    "a hyperparameter out of its range": (
        {"hyperParameters": {"epochCount": "6"}},
        "ValidationException",
        "epochCount must be between 1 and 5, not 6",
    ),
    "a hyperparameter that is no number": (
        {"hyperParameters": {"learningRate": "fast"}},
        "ValidationException",
        "the value of learningRate must be a number, not 'fast'",
    ),
    "a fraction of an epoch": (
        {"hyperParameters": {"epochCount": "1.5"}},
        "ValidationException",
        "the value of epochCount must be an integer, not '1.5'",
    ),
    "a batch size, which Nova does not take": (
        {"hyperParameters": {"batchSize": "4"}},
        "ValidationException",
        "batchSize is not supported by amazon.nova-lite-v1:0:300k",
    ),
    "validation data for Nova 2 Lite": (
        {
            "baseModelIdentifier": "amazon.nova-2-lite-v1:0:256k",
            "validationDataConfig": {"validators": [{"s3Uri": f"s3://{BUCKET}/valid.jsonl"}]},
        },
        "ValidationException",
        "Validation data is not supported",
    ),
    "a job name that was used before": (
        {"jobName": "taken"},
        "ValidationException",
        "The provided job name is currently in use.",
    ),
    "a model name that is in use": (
        {"customModelName": "taken"},
        "ValidationException",
        "The provided model name is currently in use.",
    ),
    "a member that does not exist": (
        {"hyperparameters": {"epochCount": "2"}},
        "ValidationException",
        "at 'hyperparameters' failed to satisfy constraint: Member must be one of: [jobName, ",
    ),
}


@pytest.mark.parametrize(("changes", "code", "message"), CREATIONS.values(), ids=CREATIONS)
def test_a_job_is_refused(rig: BedrockRig, changes: dict[str, Any], code: str, message: str) -> None:
    before = rig.jobs_created()
    error = refusal(lambda: create_with(rig, changes))
    assert error.response["Error"]["Code"] == code
    assert message in error.response["Error"]["Message"]
    assert rig.jobs_created() == before


def test_the_request_that_the_table_changes_is_a_good_one(rig: BedrockRig) -> None:
    created = rig.client.create_model_customization_job(**create_request(jobName="good", customModelName="good"))
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    rig.client.stop_model_customization_job(jobIdentifier="good")


CALLS: dict[str, tuple[Callable[[Any], Any], int, str, str]] = {
    "an unknown job": (
        lambda client: client.get_model_customization_job(jobIdentifier="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find model customization job",
    ),
    "a job identifier that cannot be one": (
        lambda client: client.get_model_customization_job(jobIdentifier="no_body"),
        400,
        "ValidationException",
        "at 'jobIdentifier' failed to satisfy constraint",
    ),
    "stopping a job that ended": (
        lambda client: client.stop_model_customization_job(jobIdentifier="taken"),
        400,
        "ConflictException",
        "its status is Completed",
    ),
    "a page of more than 1000": (
        lambda client: client.list_model_customization_jobs(maxResults=1001),
        400,
        "ValidationException",
        "Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ),
    "a page token of somebody else": (
        lambda client: client.list_model_customization_jobs(nextToken="x1"),
        400,
        "ValidationException",
        "next token is invalid",
    ),
    "a status to list by that does not exist": (
        lambda client: client.list_model_customization_jobs(statusEquals="Running"),
        400,
        "ValidationException",
        "Member must satisfy enum value set: [InProgress, Completed, Failed, Stopping, Stopped]",
    ),
    "an unknown custom model": (
        lambda client: client.get_custom_model(modelIdentifier="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find custom model",
    ),
    "a deployment of a model that is not Active": (
        lambda client: client.create_custom_model_deployment(modelDeploymentName="d", modelArn=MODEL_ARN),
        404,
        "ResourceNotFoundException",
        "does not exist or is not Active",
    ),
    "an unknown deployment": (
        lambda client: client.delete_custom_model_deployment(customModelDeploymentIdentifier="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find custom model deployment",
    ),
    "throughput for a model that is not Active": (
        lambda client: client.create_provisioned_model_throughput(**throughput()),
        404,
        "ResourceNotFoundException",
        "does not exist or is not Active",
    ),
    "throughput for a base model": (
        lambda client: client.create_provisioned_model_throughput(**throughput(modelId=MODEL)),
        400,
        "ValidationException",
        "is not the ARN of a custom model",
    ),
    "no unit of throughput": (
        lambda client: client.create_provisioned_model_throughput(**throughput(modelUnits=0)),
        400,
        "ValidationException",
        "Value '0' at 'modelUnits' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ),
    "throughput for a year": (
        lambda client: client.create_provisioned_model_throughput(**throughput(commitmentDuration="OneYear")),
        400,
        "ValidationException",
        "Member must satisfy enum value set: [OneMonth, SixMonths]",
    ),
    "throughput with a name that cannot be one": (
        lambda client: client.create_provisioned_model_throughput(**throughput(provisionedModelName="a--b")),
        400,
        "ValidationException",
        "at 'provisionedModelName' failed to satisfy constraint",
    ),
    "unknown throughput": (
        lambda client: client.get_provisioned_model_throughput(provisionedModelId="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find provisioned model",
    ),
    "deleting unknown throughput": (
        lambda client: client.delete_provisioned_model_throughput(provisionedModelId="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find provisioned model",
    ),
    "deleting a model that is unknown": (
        lambda client: client.delete_custom_model(modelIdentifier="nobody"),
        404,
        "ResourceNotFoundException",
        "Could not find custom model",
    ),
    "a foundation model that does not exist": (
        lambda client: client.get_foundation_model(modelIdentifier="amazon.nova-huge-v1:0"),
        404,
        "ResourceNotFoundException",
        "model identifier is invalid",
    ),
    "the tags of nothing": (
        lambda client: client.list_tags_for_resource(resourceARN=MODEL_ARN),
        404,
        "ResourceNotFoundException",
        "was not found",
    ),
    "an operation that is not served": (
        lambda client: client.list_guardrails(),
        404,
        "UnknownOperationException",
        "GET /guardrails",
    ),
}


@pytest.mark.parametrize(("call", "status", "code", "message"), CALLS.values(), ids=CALLS)
def test_a_call_is_refused(rig: BedrockRig, call: Callable[[Any], Any], status: int, code: str, message: str) -> None:
    error = refusal(lambda: call(rig.client))
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.response["Error"]["Code"] == code
    assert message in error.response["Error"]["Message"]


CONVERSATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a model id with a context length": (
        {"modelId": MODEL},
        "ValidationException",
        "The provided model identifier is invalid.",
    ),
    "a custom model without a deployment": (
        {"modelId": MODEL_ARN},
        "ValidationException",
        "at 'modelId' failed to satisfy constraint",
    ),
    "a deployment that does not exist": (
        {"modelId": "arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/0123456789ab"},
        "ResourceNotFoundException",
        "Could not find custom model deployment",
    ),
    "provisioned throughput that does not exist": (
        {"modelId": "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/0123456789ab"},
        "ResourceNotFoundException",
        "Could not find provisioned model",
    ),
    "no message": ({"messages": []}, "ValidationException", "must start with a user message"),
    "the assistant first": (
        {"messages": [{"role": "assistant", "content": [{"text": "Hello"}]}]},
        "ValidationException",
        "must start with a user message",
    ),
    "two users in a row": (
        {"messages": [{"role": "user", "content": [{"text": "Hello"}]}] * 2},
        "ValidationException",
        "must alternate between user and assistant roles",
    ),
    "a role that does not exist": (
        {"messages": [{"role": "tool", "content": [{"text": "Hello"}]}]},
        "ValidationException",
        "Value 'tool' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set",
    ),
    "a blank text": (
        {"messages": [{"role": "user", "content": [{"text": " "}]}]},
        "ValidationException",
        "The text field in the ContentBlock object at messages.0.content.0 is blank",
    ),
    "a temperature above 1": (
        {"inferenceConfig": {"temperature": 1.5}},
        "ValidationException",
        "at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1",
    ),
}


@pytest.mark.parametrize(("changes", "code", "message"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_is_refused(rig: BedrockRig, changes: dict[str, Any], code: str, message: str) -> None:
    runtime = rig.connect("bedrock-runtime", config=UNCHECKED)
    request = {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    error = refusal(lambda: runtime.converse(**request | changes))
    assert error.response["Error"]["Code"] == code
    assert message in error.response["Error"]["Message"]


def test_an_unknown_access_key_is_refused(rig: BedrockRig) -> None:
    stranger = rig.connect(config=UNCHECKED, access_key="AKIDSTRANGER")
    error = refusal(stranger.list_model_customization_jobs)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert error.response["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token included in the request is invalid.",
    }


def test_an_unsigned_request_is_refused(rig: BedrockRig) -> None:
    error = refusal(rig.connect(config=UNCHECKED.merge(Config(signature_version=UNSIGNED))).list_custom_models)
    assert error.response["Error"]["Code"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer abc", "IncompleteSignatureException"),
        (
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20261122/us-east-1/s3/aws4_request, "
            "SignedHeaders=host, Signature=0a",
            "InvalidSignatureException",
        ),
    ],
)
def test_a_signature_that_is_none_for_bedrock_is_refused(rig: BedrockRig, header: str, code: str) -> None:
    client = rig.connect(config=UNCHECKED)

    def sign(request: Any, **_: Any) -> None:
        request.headers["Authorization"] = header

    client.meta.events.register("before-send.bedrock.ListCustomModels", sign)
    assert refusal(client.list_custom_models).response["Error"]["Code"] == code


def test_nova_is_tuned_in_us_east_1_only(rig: BedrockRig) -> None:
    elsewhere = rig.connect(config=UNCHECKED, region="us-west-2")
    error = refusal(lambda: elsewhere.create_model_customization_job(**create_request()))
    assert "cannot be customized in us-west-2" in error.response["Error"]["Message"]


def test_the_same_token_with_another_request_is_refused(rig: BedrockRig) -> None:
    first = create_request(jobName="first", customModelName="first", clientRequestToken="same-token")
    rig.client.create_model_customization_job(**first)
    error = refusal(lambda: rig.client.create_model_customization_job(**first | {"jobName": "second"}))
    assert error.response["Error"]["Code"] == "ConflictException"


def refusal(call: Callable[[], Any]) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value


def create_with(rig: BedrockRig, changes: dict[str, Any]) -> Any:
    """Changes the body that boto3 made, before it signs it: boto3 leaves out, or cannot write, what is no good."""
    client = rig.connect(config=UNCHECKED)

    def change(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"]) | changes
        params["body"] = json.dumps({name: value for name, value in body.items() if value is not None}).encode()

    client.meta.events.register("before-call.bedrock.CreateModelCustomizationJob", change)
    return client.create_model_customization_job(**create_request())
