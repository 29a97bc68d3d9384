"""Custom models: each the product of a job that completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from local.simulators.answers import TunedModel
from local.simulators.bedrock.errors import conflict, is_carried_out, not_found
from local.simulators.bedrock.jobs import CustomizationJob, validation_loss, validators
from local.simulators.bedrock.region import Region, page


class CustomModel(msgspec.Struct, kw_only=True, eq=False):
    job: CustomizationJob
    created: float
    answers: TunedModel

    @property
    def arn(self) -> str:
        return self.job.output_model_arn

    @property
    def name(self) -> str:
        name: str = self.job.request["customModelName"]
        return name


class CustomModels:
    """The custom models of one region."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._models: list[CustomModel] = []

    def add(self, job: CustomizationJob) -> None:
        """Makes the model of a job that completed."""
        self._models.append(
            CustomModel(job=job, created=self._region.elapsed(), answers=TunedModel(job.examples)),
        )
        self._region.tag(job.output_model_arn, job.request.get("customModelTags", ()))

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        model = self._find(request["modelIdentifier"])
        job = model.job
        loss = job.pace.loss(job.pace.steps)
        losses = [{"validationLoss": validation_loss(job.pace)} for _ in validators(job.request)]
        return {
            "modelArn": model.arn,
            "modelName": model.name,
            "jobName": job.name,
            "jobArn": job.arn,
            "baseModelArn": job.model.arn(job.model.customizable_id),
            "customizationType": "FINE_TUNING",
            "hyperParameters": dict(job.request.get("hyperParameters", {})),
            "trainingDataConfig": job.request["trainingDataConfig"],
            "validationDataConfig": {"validators": validators(job.request)},
            "outputDataConfig": job.request["outputDataConfig"],
            "trainingMetrics": {"trainingLoss": loss},
            "validationMetrics": losses,
            "creationTime": self._region.time(model.created),
            "modelStatus": "Active",
        }

    def browse(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return page(
            (self._summary(model) for model in self._models),
            request,
            into="modelSummaries",
            name_key="modelName",
            time_key="creationTime",
            equals={
                "baseModelArnEquals": "baseModelArn",
                "foundationModelArnEquals": "baseModelArn",
                "modelStatus": "modelStatus",
            },
        )

    def delete(
        self, request: Mapping[str, Any], *, in_use: Sequence[CustomModel], failure: str | None
    ) -> dict[str, Any]:
        model = self._find(request["modelIdentifier"])
        if any(model is other for other in in_use):
            raise conflict(f"The model {model.arn} cannot be deleted while it is deployed.")
        if is_carried_out(failure):
            self._models.remove(model)
            model.job.model_deleted = True
            del self._region.tags[model.arn]
        return {}

    def _find(self, identifier: str) -> CustomModel:
        for model in self._models:
            if identifier in (model.name, model.arn):
                return model
        raise not_found(f"Could not find custom model with identifier {identifier}.")

    def active(self, arn: str) -> CustomModel:
        """A model exists from the moment that its job has completed; before that, a deployment of it is refused."""
        for model in self._models:
            if model.arn == arn:
                return model
        raise not_found(f"The custom model {arn} does not exist or is not Active.")

    def _summary(self, model: CustomModel) -> dict[str, Any]:
        return {
            "modelArn": model.arn,
            "modelName": model.name,
            "creationTime": self._region.time(model.created),
            "baseModelArn": model.job.model.arn(model.job.model.customizable_id),
            "baseModelName": model.job.model.inference_id.partition(":")[0],
            "customizationType": "FINE_TUNING",
            "ownerAccountId": self._region.account_id,
            "modelStatus": "Active",
        }
