"""Every operation that is served, by the name that botocore's service models give it.

The last argument of each is what the fault `fail_job` asks for, None without it: the reason for which what is created
will fail. See `is_carried_out` for deletions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.simulators.bedrock.converse import converse
from local.simulators.bedrock.custom_models import CustomModel, CustomModels
from local.simulators.bedrock.customization import Customization
from local.simulators.bedrock.deployments import Deployments
from local.simulators.bedrock.errors import not_found
from local.simulators.bedrock.models import MODELS, FoundationModel
from local.simulators.bedrock.provisioned import ProvisionedThroughputs
from local.simulators.bedrock.region import Region


class RegionalServices:
    """The resources of one region."""

    def __init__(self, region: Region, *, most_jobs: int, most_units: int) -> None:
        self.region = region
        self.jobs = Customization(region, most_at_once=most_jobs)
        self.models = CustomModels(region)
        self.deployments = Deployments(region, self.models)
        self.throughputs = ProvisionedThroughputs(region, self.models, most_units=most_units)

    def models_in_use(self) -> list[CustomModel]:
        return self.deployments.models_in_use() + self.throughputs.models_in_use()

    def settle(self) -> None:
        """Lets what is due by now happen, before a request is looked at."""
        for job in self.jobs.settle():
            self.models.add(job)
        self.deployments.settle()


def _foundation_model(services: RegionalServices, members: Mapping[str, Any], _failure: str | None) -> dict[str, Any]:
    plain = members["modelIdentifier"].rpartition("foundation-model/")[2]
    for model in _models_of(services):
        for model_id in (model.inference_id, model.customizable_id):
            if plain == model_id:
                return {"modelDetails": _model_details(model, model_id)}
    raise not_found("The provided model identifier is invalid.")


def _foundation_models(services: RegionalServices, members: Mapping[str, Any], _failure: str | None) -> dict[str, Any]:
    details = [
        _model_details(model, model_id)
        for model in _models_of(services)
        for model_id in (model.inference_id, model.customizable_id)
    ]
    wanted = {
        "customizationsSupported": members.get("byCustomizationType"),
        "inferenceTypesSupported": members.get("byInferenceType"),
        "outputModalities": members.get("byOutputModality"),
    }
    found = [detail for detail in details if all(value in (None, *detail[key]) for key, value in wanted.items())]
    by_provider = members.get("byProvider")
    return {"modelSummaries": [d for d in found if by_provider is None or d["providerName"] == by_provider]}


def _models_of(services: RegionalServices) -> list[FoundationModel]:
    return [model for model in MODELS if model.region == services.region.name]


def _model_details(model: FoundationModel, model_id: str) -> dict[str, Any]:
    customizable = model_id == model.customizable_id
    return {
        "modelArn": model.arn(model_id),
        "modelId": model_id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": ["FINE_TUNING"] if customizable else [],
        "inferenceTypesSupported": ["PROVISIONED"] if customizable else ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _tags(services: RegionalServices, members: Mapping[str, Any], _failure: str | None) -> dict[str, Any]:
    tags = services.region.tags_of(members["resourceARN"])
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _tag(services: RegionalServices, members: Mapping[str, Any], _failure: str | None) -> dict[str, Any]:
    services.region.tags_of(members["resourceARN"])
    services.region.tag(members["resourceARN"], members["tags"])
    return {}


def _untag(services: RegionalServices, members: Mapping[str, Any], _failure: str | None) -> dict[str, Any]:
    services.region.untag(members["resourceARN"], members["tagKeys"])
    return {}


OPERATIONS: Mapping[str, Callable[[RegionalServices, Mapping[str, Any], str | None], dict[str, Any]]] = {
    "CreateModelCustomizationJob": lambda s, m, failure: s.jobs.create(m, failure=failure),
    "GetModelCustomizationJob": lambda s, m, _: s.jobs.get(m),
    "ListModelCustomizationJobs": lambda s, m, _: s.jobs.browse(m),
    "StopModelCustomizationJob": lambda s, m, _: s.jobs.stop(m),
    "GetCustomModel": lambda s, m, _: s.models.get(m),
    "ListCustomModels": lambda s, m, _: s.models.browse(m),
    "DeleteCustomModel": lambda s, m, failure: s.models.delete(m, in_use=s.models_in_use(), failure=failure),
    "CreateCustomModelDeployment": lambda s, m, failure: s.deployments.create(m, failure=failure),
    "GetCustomModelDeployment": lambda s, m, _: s.deployments.get(m),
    "ListCustomModelDeployments": lambda s, m, _: s.deployments.browse(m),
    "UpdateCustomModelDeployment": lambda s, m, _: s.deployments.update(m),
    "DeleteCustomModelDeployment": lambda s, m, failure: s.deployments.delete(m, failure=failure),
    "CreateProvisionedModelThroughput": lambda s, m, failure: s.throughputs.create(m, failure=failure),
    "GetProvisionedModelThroughput": lambda s, m, _: s.throughputs.get(m),
    "ListProvisionedModelThroughputs": lambda s, m, _: s.throughputs.browse(m),
    "DeleteProvisionedModelThroughput": lambda s, m, failure: s.throughputs.delete(m, failure=failure),
    "GetFoundationModel": _foundation_model,
    "ListFoundationModels": _foundation_models,
    "ListTagsForResource": _tags,
    "TagResource": _tag,
    "UntagResource": _untag,
    "Converse": lambda s, m, _: converse(m, s.deployments, s.throughputs, s.region.name),
}
