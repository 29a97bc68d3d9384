"""Bedrock's two ways to serve a custom model: on demand, and with provisioned throughput."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from tunedrop.domain.errors import ProviderRejectedError
from tunedrop.domain.serving_ports import EndpointOrder, ServingState
from tunedrop.providers.bedrock import JOB_TAG

DEPLOYMENT_STATES: Mapping[str, ServingState] = {
    "Creating": ServingState.STARTING,
    "Active": ServingState.READY,
    "Failed": ServingState.FAILED,
}
THROUGHPUT_STATES: Mapping[str, ServingState] = {
    "Creating": ServingState.STARTING,
    "InService": ServingState.READY,
    # It goes on answering with the model that it had, until it has the other one.
    "Updating": ServingState.READY,
    "Failed": ServingState.FAILED,
}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment or a provisioned throughput, as Bedrock describes it."""

    arn: str
    model_arn: str
    status: str
    failure: str | None


class Kind(Protocol):
    """One of Bedrock's two ways to serve a custom model; `identifier` is a name or an ARN."""

    arn_part: str
    states: Mapping[str, ServingState]

    def create(self, client: Any, order: EndpointOrder) -> str: ...

    def get(self, client: Any, identifier: str) -> Found: ...

    def delete(self, client: Any, arn: str) -> None: ...


class Deployment:
    """On demand: nothing is paid while nobody asks."""

    arn_part = ":custom-model-deployment/"
    states = DEPLOYMENT_STATES

    def create(self, client: Any, order: EndpointOrder) -> str:
        created = client.create_custom_model_deployment(
            modelDeploymentName=order.token,
            clientRequestToken=order.token,
            modelArn=order.tuned_model,
            tags=tags_of(order),
        )
        return str(created["customModelDeploymentArn"])

    def get(self, client: Any, identifier: str) -> Found:
        found = client.get_custom_model_deployment(customModelDeploymentIdentifier=identifier)
        return _found(found, found["customModelDeploymentArn"])

    def delete(self, client: Any, arn: str) -> None:
        client.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)


class ProvisionedThroughput:
    """Paid by the hour from its creation to its deletion. Never with a commitment: that could not be deleted."""

    arn_part = ":provisioned-model/"
    states = THROUGHPUT_STATES

    def create(self, client: Any, order: EndpointOrder) -> str:
        created = client.create_provisioned_model_throughput(
            provisionedModelName=order.token,
            clientRequestToken=order.token,
            modelUnits=order.model_units,
            modelId=order.tuned_model,
            tags=tags_of(order),
        )
        return str(created["provisionedModelArn"])

    def get(self, client: Any, identifier: str) -> Found:
        found = client.get_provisioned_model_throughput(provisionedModelId=identifier)
        return _found(found, found["provisionedModelArn"])

    def delete(self, client: Any, arn: str) -> None:
        client.delete_provisioned_model_throughput(provisionedModelId=arn)


_KINDS: Mapping[str, Kind] = {"on_demand": Deployment(), "provisioned": ProvisionedThroughput()}


def kind_of(order: EndpointOrder) -> Kind:
    kind = _KINDS.get(order.kind)
    if kind is None:
        raise ProviderRejectedError(f"Bedrock has no endpoints of the kind {order.kind!r}, only {', '.join(_KINDS)}.")
    return kind


def kind_at(arn: str) -> Kind:
    kind = next((kind for kind in _KINDS.values() if kind.arn_part in arn), None)
    if kind is None:
        raise ProviderRejectedError(f"{arn} is neither a custom model deployment nor a provisioned model.")
    return kind


def tags_of(order: EndpointOrder) -> list[dict[str, str]]:
    return [{"key": JOB_TAG, "value": order.job_id}]


def _found(answer: Mapping[str, Any], arn: str) -> Found:
    status, failure = str(answer.get("status", "")), answer.get("failureMessage")
    return Found(arn=arn, model_arn=answer["modelArn"], status=status, failure=failure)
