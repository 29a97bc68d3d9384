"""What Bedrock's endpoints are asked for, and how Bedrock's answers are read. The rest is in the serving contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.exceptions import ClientError

from local.simulators.faults import Fault, FaultKind
from tests.contracts.bedrock_serving_rig import BedrockServingRig, bedrock_serving_rig
from tunedrop.domain.endpoint import EndpointKind
from tunedrop.domain.errors import ProviderRejectedError, ProviderUnavailableError, SubmissionUncertainError
from tunedrop.domain.serving_ports import ServingState
from tunedrop.providers.bedrock_endpoint_kinds import DEPLOYMENT_STATES, THROUGHPUT_STATES
from tunedrop.providers.bedrock_errors import KINDS
from tunedrop.providers.bedrock_serving import BedrockServing

MODEL = botocore.session.get_session().get_service_model("bedrock")
DEPLOYMENT_ARN = "arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/0123456789ab"
THROUGHPUT_ARN = "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/0123456789ab"
KIND_OF_ENDPOINT: tuple[EndpointKind, ...] = ("on_demand", "provisioned")


@pytest.fixture(params=KIND_OF_ENDPOINT)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BedrockServingRig]:
    with bedrock_serving_rig(tmp_path, request.param) as rig:
        yield rig


@pytest.fixture
def provisioned(tmp_path: Path) -> Iterator[BedrockServingRig]:
    with bedrock_serving_rig(tmp_path, "provisioned", most_units=3) as rig:
        yield rig


def sent(rig: BedrockServingRig, **changes: Any) -> dict[str, Any]:
    """The body of the request that creates an endpoint."""
    bodies: list[dict[str, Any]] = []
    rig.bedrock.client.meta.events.register(
        f"before-call.bedrock.{rig.operations['create']}", lambda params, **_: bodies.append(json.loads(params["body"]))
    )
    rig.serving.create(rig.order("a", **changes))
    return bodies[0]


def test_name_and_token_are_the_orders_and_the_jobs_tag_is_on_it(tmp_path: Path) -> None:
    with bedrock_serving_rig(tmp_path) as rig:
        assert sent(rig) == {
            "modelDeploymentName": "tunedrop-a-1",
            "clientRequestToken": "tunedrop-a-1",
            "modelArn": rig.model,
            "tags": [{"key": "tunedrop:job-id", "value": "a"}],
        }


def test_provisioned_throughput_is_bought_in_the_units_asked_for_and_never_with_a_commitment(
    provisioned: BedrockServingRig,
) -> None:
    assert sent(provisioned, model_units=3) == {
        "provisionedModelName": "tunedrop-a-1",
        "clientRequestToken": "tunedrop-a-1",
        "modelId": provisioned.model,
        "modelUnits": 3,
        "tags": [{"key": "tunedrop:job-id", "value": "a"}],
    }


def test_units_that_nobody_named_are_not_made_up(provisioned: BedrockServingRig) -> None:
    with pytest.raises(ProviderRejectedError, match="modelUnits"):
        provisioned.serving.create(provisioned.order("a", model_units=None))
    assert provisioned.endpoints() == 0


@pytest.mark.parametrize(
    ("states", "shape"),
    [(DEPLOYMENT_STATES, "CustomModelDeploymentStatus"), (THROUGHPUT_STATES, "ProvisionedModelStatus")],
)
def test_every_status_of_the_service_model_has_a_meaning(states: Mapping[str, ServingState], shape: str) -> None:
    assert set(states) == set(MODEL.shape_for(shape).enum)


@pytest.mark.parametrize(
    "operation",
    [
        "CreateCustomModelDeployment",
        "GetCustomModelDeployment",
        "DeleteCustomModelDeployment",
        "CreateProvisionedModelThroughput",
        "GetProvisionedModelThroughput",
        "DeleteProvisionedModelThroughput",
        "ListTagsForResource",
        "DeleteCustomModel",
    ],
)
def test_every_error_of_the_service_model_is_placed_by_name(operation: str) -> None:
    names = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
    assert names
    assert names <= set(KINDS)


class Answering:
    """A client whose looks give one answer, and whose other calls raise what they are told to."""

    def __init__(self, *, refusal: tuple[str, str] | None = None, **answer: Any) -> None:
        self._refusal = refusal
        self._answer = {"customModelDeploymentArn": DEPLOYMENT_ARN, "provisionedModelArn": THROUGHPUT_ARN} | answer

    def _look(self, **_: Any) -> dict[str, Any]:
        return {"modelArn": "m", **self._answer}

    get_custom_model_deployment = get_provisioned_model_throughput = _look

    def _refuse(self, **_: Any) -> dict[str, Any]:
        assert self._refusal is not None
        code, message = self._refusal
        raise ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    delete_custom_model_deployment = delete_provisioned_model_throughput = _refuse


@pytest.mark.parametrize(
    ("arn", "status", "state"),
    [
        (DEPLOYMENT_ARN, "Creating", ServingState.STARTING),
        (DEPLOYMENT_ARN, "Active", ServingState.READY),
        (DEPLOYMENT_ARN, "Failed", ServingState.FAILED),
        (THROUGHPUT_ARN, "Creating", ServingState.STARTING),
        (THROUGHPUT_ARN, "InService", ServingState.READY),
        (THROUGHPUT_ARN, "Updating", ServingState.READY),
        (THROUGHPUT_ARN, "Failed", ServingState.FAILED),
        (DEPLOYMENT_ARN, "InService", ServingState.UNKNOWN),
        (THROUGHPUT_ARN, "Active", ServingState.UNKNOWN),
        (THROUGHPUT_ARN, "Hibernating", ServingState.UNKNOWN),
    ],
)
def test_the_arn_tells_which_of_both_it_is_and_its_status_is_read_so(
    arn: str, status: str, state: ServingState
) -> None:
    answer = BedrockServing(client=Answering(status=status)).status(arn)

    assert (answer.state, answer.raw_status) == (state, status)


def test_a_failure_without_words_says_so() -> None:
    answer = BedrockServing(client=Answering(status="Failed")).status(DEPLOYMENT_ARN)

    assert answer.error_message == "Bedrock gave no reason."


@pytest.mark.parametrize("resource_id", ["tunedrop-a-1", "arn:aws:bedrock:us-east-1:1:custom-model/a.b/0123456789ab"])
def test_what_is_no_endpoint_is_neither_looked_at_nor_deleted(resource_id: str) -> None:
    serving = BedrockServing(client=None)

    for act in (serving.status, serving.delete):
        with pytest.raises(ProviderRejectedError, match="neither a custom model deployment nor a provisioned model"):
            act(resource_id)


def test_a_kind_of_another_provider_is_refused(rig: BedrockServingRig) -> None:
    with pytest.raises(ProviderRejectedError, match="'serving', only on_demand, provisioned"):
        rig.serving.create(rig.order("a", kind="serving"))


@pytest.mark.parametrize("arn", [DEPLOYMENT_ARN, THROUGHPUT_ARN])
def test_converse_takes_the_arn_and_litellm_its_route(arn: str) -> None:
    call = BedrockServing(client=None).call(arn)

    assert (call.model_id, call.litellm_model, call.url) == (arn, f"bedrock/converse/{arn}", None)


def test_an_endpoint_of_another_model_is_not_adopted_though_its_name_and_tag_are_ours(rig: BedrockServingRig) -> None:
    other = rig.train("other")
    rig.serving.create(rig.order("a", tuned_model=other))

    assert rig.serving.find(rig.order("a")) is None
    with pytest.raises(ProviderRejectedError):
        rig.serving.create(rig.order("a"))
    assert rig.endpoints() == 1


def test_an_endpoint_with_another_jobs_tag_is_not_adopted_though_its_name_is_ours(rig: BedrockServingRig) -> None:
    rig.serving.create(rig.order("a", job_id="another"))

    assert rig.serving.find(rig.order("a")) is None


def test_a_name_that_is_taken_by_our_own_endpoint_is_adopted_though_the_token_is_forgotten(
    rig: BedrockServingRig,
) -> None:
    """How long Bedrock remembers a token is not documented; a name is taken as long as the endpoint is there."""
    order = rig.order("a")
    client, tags = rig.bedrock.client, [{"key": "tunedrop:job-id", "value": "a"}]
    if rig.kind == "on_demand":
        made = client.create_custom_model_deployment(modelDeploymentName=order.token, modelArn=rig.model, tags=tags)
    else:
        made = client.create_provisioned_model_throughput(
            provisionedModelName=order.token, modelId=rig.model, modelUnits=1, tags=tags
        )

    assert rig.serving.create(order) in made.values()
    assert rig.endpoints() == 1


def test_a_tag_that_somebody_added_is_no_reason_to_disown_it(rig: BedrockServingRig) -> None:
    resource_id = rig.serving.create(rig.order("a"))
    rig.bedrock.client.tag_resource(resourceARN=resource_id, tags=[{"key": "team", "value": "boats"}])

    assert rig.serving.find(rig.order("a")) == resource_id


def test_a_quota_of_units_does_not_free_itself_so_it_is_a_refusal_with_the_way_out(
    provisioned: BedrockServingRig,
) -> None:
    with pytest.raises(ProviderRejectedError, match="Ask AWS for a higher quota") as refused:
        provisioned.serving.create(provisioned.order("a", model_units=4))

    assert refused.value.provider_code == "ServiceQuotaExceededException"
    assert provisioned.endpoints() == 0


def test_a_look_that_fails_after_a_refusal_is_not_taken_for_an_answer(rig: BedrockServingRig) -> None:
    """Somebody's endpoint has the name; whose it is cannot be told just now."""
    rig.make_foreign(rig.order("a"))
    rig.faults.add(Fault(operation=rig.operations["look"], kind=FaultKind.ERROR))

    with pytest.raises(ProviderUnavailableError):
        rig.serving.create(rig.order("a"))


def test_provisioned_throughput_that_is_being_created_can_be_deleted_later(provisioned: BedrockServingRig) -> None:
    resource_id = provisioned.serving.create(provisioned.order("a"))

    with pytest.raises(ProviderUnavailableError, match="while it is being created"):
        provisioned.serving.delete(resource_id)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ConflictException", "Creating", ProviderUnavailableError),
        ("ConflictException", "InService", ProviderUnavailableError),
        ("ValidationException", "Creating", ProviderUnavailableError),
        ("ValidationException", "InService", ProviderRejectedError),
        ("AccessDeniedException", "Creating", ProviderRejectedError),
    ],
)
def test_a_refused_deletion_may_pass_when_it_is_about_what_goes_on(
    code: str, status: str, error: type[Exception]
) -> None:
    serving = BedrockServing(client=Answering(refusal=(code, "Not now."), status=status))

    with pytest.raises(error, match=r"Not now\."):
        serving.delete(THROUGHPUT_ARN)


def test_a_commitment_that_somebody_else_made_is_refused_in_bedrocks_words(provisioned: BedrockServingRig) -> None:
    made = provisioned.bedrock.client.create_provisioned_model_throughput(
        provisionedModelName="theirs", modelId=provisioned.model, modelUnits=1, commitmentDuration="OneMonth"
    )
    provisioned.advance(60)

    with pytest.raises(ProviderRejectedError, match="before the end of its commitment"):
        provisioned.serving.delete(made["provisionedModelArn"])


def test_a_reply_lost_twice_still_makes_one_endpoint(rig: BedrockServingRig) -> None:
    rig.faults.add(Fault(operation=rig.operations["create"], kind=FaultKind.LOSE_REPLY, times=2))
    order = rig.order("a")
    for _ in range(2):
        with pytest.raises(SubmissionUncertainError):
            rig.serving.create(order)

    assert rig.serving.create(msgspec.structs.replace(order)) == rig.serving.find(order)
    assert rig.endpoints() == 1
