"""The removal of Bedrock's custom models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.simulators.faults import Fault, FaultKind
from tests.contracts.bedrock_serving_rig import BedrockServingRig, bedrock_serving_rig
from tunedrop.domain.endpoint import EndpointKind
from tunedrop.domain.errors import ConflictError, CredentialsError, ProviderThrottledError, ProviderUnavailableError
from tunedrop.providers.bedrock_models import BedrockModels


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BedrockServingRig]:
    with bedrock_serving_rig(tmp_path) as rig:
        yield rig


def models(rig: BedrockServingRig) -> BedrockModels:
    return BedrockModels(client=rig.bedrock.client)


def existing(rig: BedrockServingRig) -> list[str]:
    return [model["modelArn"] for model in rig.bedrock.client.list_custom_models()["modelSummaries"]]


def test_a_model_is_deleted_and_deleting_it_again_is_harmless(rig: BedrockServingRig) -> None:
    other = rig.train("other")

    models(rig).delete(rig.model)
    models(rig).delete(rig.model)

    assert existing(rig) == [other]


@pytest.mark.parametrize("kind", ["on_demand", "provisioned"])
def test_a_model_that_is_served_stays_and_the_way_out_is_named(rig: BedrockServingRig, kind: EndpointKind) -> None:
    endpoint = rig.serving.create(rig.order("a", kind=kind, model_units=1))
    rig.advance(60)

    with pytest.raises(ConflictError, match="Stop its endpoint first") as refused:
        models(rig).delete(rig.model)
    assert refused.value.code == "model_in_use"
    assert existing(rig) == [rig.model]

    rig.serving.delete(endpoint)
    models(rig).delete(rig.model)
    assert existing(rig) == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.THROTTLE, ProviderThrottledError),
        (FaultKind.ERROR, ProviderUnavailableError),
        (FaultKind.LOSE_REPLY, ProviderUnavailableError),
    ],
)
def test_a_deletion_that_failed_may_be_repeated(
    rig: BedrockServingRig, kind: FaultKind, error: type[Exception]
) -> None:
    rig.faults.add(Fault(operation="DeleteCustomModel", kind=kind))

    with pytest.raises(error):
        models(rig).delete(rig.model)
    models(rig).delete(rig.model)
    assert existing(rig) == []


def test_credentials_that_are_refused_are_said_to_be(rig: BedrockServingRig) -> None:
    rig.break_credentials()

    with pytest.raises(CredentialsError):
        models(rig).delete(rig.model)
