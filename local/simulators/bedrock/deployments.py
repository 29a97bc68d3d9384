"""On-demand deployments of custom models.

https://docs.aws.amazon.com/bedrock/latest/userguide/deploy-custom-model-on-demand.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from local.simulators.bedrock.custom_models import CustomModel, CustomModels
from local.simulators.bedrock.errors import invalid, is_carried_out, not_found
from local.simulators.bedrock.region import Region, check_tag_count, page

_CREATE = "CreateCustomModelDeployment"


class Deployment(msgspec.Struct, kw_only=True, eq=False):
    arn: str
    name: str
    description: str | None
    model: CustomModel
    created: float
    failure: str | None
    """Why it will fail to come up, where a fault asked for it."""
    next_model: CustomModel | None = None
    update_asked: float | None = None


class Deployments:
    """The deployments of one region. There is no status of being deleted: a deleted one is gone."""

    def __init__(self, region: Region, models: CustomModels) -> None:
        self._region = region
        self._models = models
        self._deployments: list[Deployment] = []

    def models_in_use(self) -> list[CustomModel]:
        pairs = [(deployment.model, deployment.next_model) for deployment in self._deployments]
        return [model for pair in pairs for model in pair if model is not None]

    def create(self, request: Mapping[str, Any], *, failure: str | None) -> dict[str, Any]:
        """`failure`: the reason for which the deployment will fail, or None."""
        repeated = self._region.repeated(_CREATE, request)
        if repeated:
            return {"customModelDeploymentArn": repeated}
        name = request["modelDeploymentName"]
        if any(deployment.name == name for deployment in self._deployments):
            # The service's model of this operation has no ConflictException.
            raise invalid("The provided deployment name is currently in use.")
        model = self._models.active(request["modelArn"])
        check_tag_count(request.get("tags", ()))
        deployment = Deployment(
            arn=self._region.new_arn("custom-model-deployment"),
            name=name,
            description=request.get("description"),
            model=model,
            created=self._region.elapsed(),
            failure=failure,
        )
        self._deployments.append(deployment)
        self._region.remember(_CREATE, request, deployment.arn)
        self._region.tag(deployment.arn, request.get("tags", ()))
        return {"customModelDeploymentArn": deployment.arn}

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        deployment = self.find(request["customModelDeploymentIdentifier"])
        summary = self._summary(deployment)
        updating = deployment.next_model is not None
        details = {"modelArn": (deployment.next_model or deployment.model).arn, "updateStatus": "UpdateCompleted"}
        return {
            "customModelDeploymentArn": deployment.arn,
            "modelDeploymentName": summary.pop("customModelDeploymentName"),
            **summary,
            "description": deployment.description,
            "updateDetails": None
            if deployment.update_asked is None
            else details | ({"updateStatus": "Updating"} if updating else {}),
        }

    def browse(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return page(
            (self._summary(deployment) for deployment in self._deployments),
            request,
            into="modelDeploymentSummaries",
            name_key="customModelDeploymentName",
            time_key="createdAt",
            equals={"statusEquals": "status", "modelArnEquals": "modelArn"},
        )

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        deployment = self.find(request["customModelDeploymentIdentifier"])
        if self.status(deployment) != "Active":
            raise invalid(f"The deployment {deployment.name} cannot be updated: it is {self.status(deployment)}.")
        deployment.next_model = self._models.active(request["modelArn"])
        deployment.update_asked = self._region.elapsed()
        return {"customModelDeploymentArn": deployment.arn}

    def delete(self, request: Mapping[str, Any], *, failure: str | None) -> dict[str, Any]:
        deployment = self.find(request["customModelDeploymentIdentifier"])
        if is_carried_out(failure):
            self._deployments.remove(deployment)
            del self._region.tags[deployment.arn]
        return {}

    def settle(self) -> None:
        """Lets updates that have had their time take effect."""
        for deployment in self._deployments:
            asked = deployment.update_asked
            due = asked is not None and self._region.elapsed() >= asked + self._region.pace.deploying
            if deployment.next_model is not None and due:
                deployment.model, deployment.next_model = deployment.next_model, None

    def find(self, identifier: str) -> Deployment:
        for deployment in self._deployments:
            if identifier in (deployment.name, deployment.arn):
                return deployment
        raise not_found(f"Could not find custom model deployment with identifier {identifier}.")

    def status(self, deployment: Deployment) -> str:
        if self._region.elapsed() < deployment.created + self._region.pace.deploying:
            return "Creating"
        return "Failed" if deployment.failure else "Active"

    def _summary(self, deployment: Deployment) -> dict[str, Any]:
        status = self.status(deployment)
        return {
            "customModelDeploymentArn": deployment.arn,
            "customModelDeploymentName": deployment.name,
            "modelArn": deployment.model.arn,
            "createdAt": self._region.time(deployment.created),
            "status": status,
            "lastUpdatedAt": self._region.time(deployment.update_asked or deployment.created),
            "failureMessage": deployment.failure if status == "Failed" else None,
        }
