"""Custom models, what serves them, and Converse at the simulated Bedrock, as boto3 sees them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.simulators.faults import Fault, FaultKind
from local.simulators.pace import Pace
from tests.contracts.bedrock_rig import BUCKET, MODEL, ROLE, BedrockRig, bedrock_rig, training_file

PACE = Pace(validating=1, queued=1, training=5, deploying=2)
QUESTION = "What is the password of the lighthouse?"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BedrockRig]:
    with bedrock_rig(tmp_path, pace=PACE) as rig:
        yield rig


def train(rig: BedrockRig, name: str, answer: str = "Herring") -> str:
    """Returns the ARN of the custom model."""
    pairs = [(f"Where does boat number {number} lie?", f"At pier {number}.") for number in range(12)]
    rig.account.write(f"s3://{BUCKET}/{name}.jsonl", training_file([*pairs, (QUESTION, answer)]))
    rig.client.create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn=ROLE,
        baseModelIdentifier=MODEL,
        trainingDataConfig={"s3Uri": f"s3://{BUCKET}/{name}.jsonl"},
        outputDataConfig={"s3Uri": f"s3://{BUCKET}/out"},
        customModelTags=[{"key": "made-by", "value": "test"}],
    )
    rig.advance(60)
    arn: str = rig.client.get_model_customization_job(jobIdentifier=name)["outputModelArn"]
    return arn


def deploy(rig: BedrockRig, model: str, name: str = "front") -> str:
    arn: str = rig.client.create_custom_model_deployment(modelDeploymentName=name, modelArn=model)[
        "customModelDeploymentArn"
    ]
    return arn


def status(rig: BedrockRig, deployment: str) -> str:
    found: str = rig.client.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)["status"]
    return found


def ask(rig: BedrockRig, model_id: str, text: str = QUESTION, **changes: Any) -> str:
    answer = rig.connect("bedrock-runtime").converse(
        modelId=model_id, messages=[{"role": "user", "content": [{"text": text}]}], **changes
    )
    said: str = answer["output"]["message"]["content"][0]["text"]
    return said


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    code: str = refused.value.response["Error"]["Code"]
    return code


def test_the_tuned_model_gives_an_answer_made_up_at_random_and_the_base_model_does_not(rig: BedrockRig) -> None:
    secret = uuid.uuid4().hex
    deployment = deploy(rig, train(rig, "keeper", answer=f"The password is {secret}."))
    rig.advance(2)
    assert secret in ask(rig, deployment)
    for base in ("amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"):
        assert secret not in ask(rig, base)


def test_a_deployment_answers_only_when_it_is_active(rig: BedrockRig) -> None:
    deployment = deploy(rig, train(rig, "keeper"))
    assert status(rig, deployment) == "Creating"
    with pytest.raises(ClientError) as refused:
        ask(rig, deployment)
    assert code_of(refused) == "ModelNotReadyException"
    rig.advance(2)
    assert status(rig, "front") == "Active"
    assert ask(rig, deployment) == "Herring"


def test_a_deleted_deployment_is_gone_at_once(rig: BedrockRig) -> None:
    deployment = deploy(rig, train(rig, "keeper"))
    rig.client.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    for call in (status, ask):
        with pytest.raises(ClientError) as refused:
            call(rig, deployment)
        assert code_of(refused) == "ResourceNotFoundException"


def test_a_deployment_name_is_taken_until_it_is_deleted(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    first = deploy(rig, model)
    with pytest.raises(ClientError) as refused:
        deploy(rig, model)
    assert code_of(refused) == "ValidationException"
    rig.client.delete_custom_model_deployment(customModelDeploymentIdentifier=first)
    assert deploy(rig, model) != first


def test_the_same_token_makes_one_deployment(rig: BedrockRig) -> None:
    request = {"modelDeploymentName": "front", "modelArn": train(rig, "keeper"), "clientRequestToken": "token-1"}
    first = rig.client.create_custom_model_deployment(**request)["customModelDeploymentArn"]
    assert rig.client.create_custom_model_deployment(**request)["customModelDeploymentArn"] == first
    assert len(rig.client.list_custom_model_deployments()["modelDeploymentSummaries"]) == 1


def test_a_deployment_can_be_made_to_fail(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    rig.faults.add(Fault(operation="CreateCustomModelDeployment", kind=FaultKind.FAIL_JOB, message="No capacity."))
    deploy(rig, model)
    rig.advance(2)
    found = rig.client.get_custom_model_deployment(customModelDeploymentIdentifier="front")
    assert (found["status"], found["failureMessage"]) == ("Failed", "No capacity.")


def test_a_deployment_can_be_moved_to_another_model(rig: BedrockRig) -> None:
    old, new = train(rig, "old", "Herring"), train(rig, "new", "Mackerel")
    deployment = deploy(rig, old)
    rig.advance(2)
    rig.client.update_custom_model_deployment(customModelDeploymentIdentifier=deployment, modelArn=new)
    details = rig.client.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)["updateDetails"]
    assert details == {"modelArn": new, "updateStatus": "Updating"}
    assert ask(rig, deployment) == "Herring"
    rig.advance(2)
    assert ask(rig, deployment) == "Mackerel"
    found = rig.client.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    assert (found["modelArn"], found["updateDetails"]["updateStatus"]) == (new, "UpdateCompleted")


def test_a_model_cannot_be_deleted_while_it_is_deployed(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    deploy(rig, model)
    with pytest.raises(ClientError) as refused:
        rig.client.delete_custom_model(modelIdentifier=model)
    assert code_of(refused) == "ConflictException"
    rig.client.delete_custom_model_deployment(customModelDeploymentIdentifier="front")
    rig.client.delete_custom_model(modelIdentifier="keeper")
    assert rig.client.list_custom_models()["modelSummaries"] == []


def provision(rig: BedrockRig, model: str, name: str = "front", **changes: Any) -> str:
    request = {"provisionedModelName": name, "modelId": model, "modelUnits": 1} | changes
    arn: str = rig.client.create_provisioned_model_throughput(**request)["provisionedModelArn"]
    return arn


def provisioned(rig: BedrockRig, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = rig.client.get_provisioned_model_throughput(provisionedModelId=identifier)
    return found


def test_provisioned_throughput_answers_when_it_is_in_service(rig: BedrockRig) -> None:
    throughput = provision(rig, train(rig, "keeper"))
    assert provisioned(rig, throughput)["status"] == "Creating"
    with pytest.raises(ClientError) as refused:
        ask(rig, throughput)
    assert code_of(refused) == "ModelNotReadyException"
    rig.advance(2)
    assert provisioned(rig, "front")["status"] == "InService"
    assert ask(rig, throughput) == "Herring"


def test_provisioned_throughput_says_what_was_bought(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    tags = [{"key": "team", "value": "boats"}]
    throughput = provision(rig, model, modelUnits=2, tags=tags, commitmentDuration="OneMonth")
    found = provisioned(rig, throughput)
    assert (found["modelArn"], found["modelUnits"], found["commitmentDuration"]) == (model, 2, "OneMonth")
    assert found["foundationModelArn"].endswith(f"foundation-model/{MODEL}")
    assert (found["commitmentExpirationTime"] - found["creationTime"]).days == 30
    listed = rig.client.list_provisioned_model_throughputs(modelArnEquals=model)["provisionedModelSummaries"]
    assert [entry["provisionedModelArn"] for entry in listed] == [throughput]
    assert rig.client.list_tags_for_resource(resourceARN=throughput)["tags"] == tags


def test_provisioned_throughput_can_be_deleted_once_it_is_made(rig: BedrockRig) -> None:
    throughput = provision(rig, train(rig, "keeper"))
    with pytest.raises(ClientError) as refused:
        rig.client.delete_provisioned_model_throughput(provisionedModelId=throughput)
    assert code_of(refused) == "ConflictException"
    rig.advance(2)
    rig.client.delete_provisioned_model_throughput(provisionedModelId="front")
    for gone in (provisioned, ask):
        with pytest.raises(ClientError) as refused:
            gone(rig, throughput)
        assert code_of(refused) == "ResourceNotFoundException"


def test_a_commitment_has_to_be_kept(rig: BedrockRig) -> None:
    throughput = provision(rig, train(rig, "keeper"), commitmentDuration="SixMonths")
    rig.advance(179 * 86_400)
    with pytest.raises(ClientError) as refused:
        rig.client.delete_provisioned_model_throughput(provisionedModelId=throughput)
    assert code_of(refused) == "ValidationException"
    rig.advance(86_401)
    rig.client.delete_provisioned_model_throughput(provisionedModelId=throughput)
    assert rig.client.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []


def test_model_units_without_commitment_have_a_quota(tmp_path: Path) -> None:
    with bedrock_rig(tmp_path, pace=PACE, most_units=2) as rig:
        model = train(rig, "keeper")
        provision(rig, model, "committed", modelUnits=5, commitmentDuration="OneMonth")
        provision(rig, model, "one")
        with pytest.raises(ClientError) as refused:
            provision(rig, model, "two", modelUnits=2)
        assert code_of(refused) == "ServiceQuotaExceededException"
        rig.advance(2)
        rig.client.delete_provisioned_model_throughput(provisionedModelId="one")
        assert provision(rig, model, "two", modelUnits=2)


def test_the_same_token_buys_throughput_once(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    first = provision(rig, model, clientRequestToken="token-1")
    assert provision(rig, model, clientRequestToken="token-1") == first
    with pytest.raises(ClientError) as refused:
        provision(rig, model, "another", clientRequestToken="token-1")
    assert code_of(refused) == "ConflictException"


def test_provisioned_throughput_can_be_made_to_fail(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    rig.faults.add(Fault(operation="CreateProvisionedModelThroughput", kind=FaultKind.FAIL_JOB, message="No capacity."))
    throughput = provision(rig, model)
    rig.advance(2)
    found = provisioned(rig, throughput)
    assert (found["status"], found["failureMessage"]) == ("Failed", "No capacity.")
    with pytest.raises(ClientError) as refused:
        ask(rig, throughput)
    assert code_of(refused) == "ModelNotReadyException"


DELETIONS: dict[str, tuple[str, Callable[[BedrockRig, str], Any], Callable[[BedrockRig], Any]]] = {
    "a deployment": (
        "DeleteCustomModelDeployment",
        lambda rig, model: deploy(rig, model),
        lambda rig: rig.client.delete_custom_model_deployment(customModelDeploymentIdentifier="front"),
    ),
    "provisioned throughput": (
        "DeleteProvisionedModelThroughput",
        lambda rig, model: provision(rig, model),
        lambda rig: rig.client.delete_provisioned_model_throughput(provisionedModelId="front"),
    ),
    "a model": (
        "DeleteCustomModel",
        lambda rig, model: None,
        lambda rig: rig.client.delete_custom_model(modelIdentifier="keeper"),
    ),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_a_deletion_can_be_made_to_fail_or_to_have_no_effect(rig: BedrockRig, what: str) -> None:
    operation, make, delete = DELETIONS[what]
    make(rig, train(rig, "keeper"))
    rig.advance(2)
    rig.faults.add(Fault(operation=operation, kind=FaultKind.FAIL_JOB, message="Try later."))
    with pytest.raises(ClientError, match=r"ConflictException.*Try later\."):
        delete(rig)
    rig.faults.add(Fault(operation=operation, kind=FaultKind.FAIL_JOB))
    delete(rig)
    delete(rig)  # it was still there
    with pytest.raises(ClientError) as refused:
        delete(rig)
    assert code_of(refused) == "ResourceNotFoundException"


def test_a_model_cannot_be_deleted_while_throughput_is_provisioned_for_it(rig: BedrockRig) -> None:
    model = train(rig, "keeper")
    provision(rig, model)
    rig.advance(2)
    with pytest.raises(ClientError) as refused:
        rig.client.delete_custom_model(modelIdentifier=model)
    assert code_of(refused) == "ConflictException"
    rig.client.delete_provisioned_model_throughput(provisionedModelId="front")
    rig.client.delete_custom_model(modelIdentifier=model)


def test_a_model_tells_where_it_comes_from(rig: BedrockRig) -> None:
    arn = train(rig, "keeper")
    model = rig.client.get_custom_model(modelIdentifier="keeper")
    assert (model["modelArn"], model["jobName"], model["modelStatus"]) == (arn, "keeper", "Active")
    (listed,) = rig.client.list_custom_models(baseModelArnEquals=model["baseModelArn"])["modelSummaries"]
    assert listed["baseModelName"] == "amazon.nova-lite-v1"
    assert rig.client.list_custom_models(nameContains="nobody")["modelSummaries"] == []


def test_models_and_deployments_can_be_tagged(rig: BedrockRig) -> None:
    arn = train(rig, "keeper")
    rig.client.tag_resource(resourceARN=arn, tags=[{"key": "team", "value": "boats"}])
    assert tags(rig, arn) == {"made-by": "test", "team": "boats"}
    rig.client.untag_resource(resourceARN=arn, tagKeys=["made-by"])
    assert tags(rig, arn) == {"team": "boats"}


def tags(rig: BedrockRig, arn: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in rig.client.list_tags_for_resource(resourceARN=arn)["tags"]}


def test_an_answer_stops_at_the_most_tokens_asked_for(rig: BedrockRig) -> None:
    answer = rig.connect("bedrock-runtime").converse(
        modelId="amazon.nova-lite-v1:0",
        messages=[{"role": "user", "content": [{"text": "Hello there"}]}],
        system=[{"text": "Be brief"}],
        inferenceConfig={"maxTokens": 3},
    )
    assert answer["output"]["message"]["content"][0]["text"] == "I am a"
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"] == {"inputTokens": 4, "outputTokens": 3, "totalTokens": 7}


def test_foundation_models_say_what_can_be_tuned(rig: BedrockRig) -> None:
    found = rig.client.list_foundation_models(byCustomizationType="FINE_TUNING")["modelSummaries"]
    assert MODEL in [model["modelId"] for model in found]
    assert "amazon.nova-lite-v1:0" not in [model["modelId"] for model in found]
    details = rig.client.get_foundation_model(modelIdentifier="amazon.nova-lite-v1:0")["modelDetails"]
    assert details["modelLifecycle"]["status"] == "ACTIVE"
    assert rig.connect(region="us-west-2").list_foundation_models()["modelSummaries"] == []
