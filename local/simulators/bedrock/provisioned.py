"""Provisioned throughput of custom models.

https://docs.aws.amazon.com/bedrock/latest/userguide/prov-thru-purchase.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from local.simulators.bedrock.custom_models import CustomModel, CustomModels
from local.simulators.bedrock.errors import Refusal, conflict, invalid, is_carried_out, not_found
from local.simulators.bedrock.region import Region, check_tag_count, page

_CREATE = "CreateProvisionedModelThroughput"
_DAYS = {"OneMonth": 30, "SixMonths": 180}
_SECONDS_A_DAY = 86_400.0


class Throughput(msgspec.Struct, kw_only=True, eq=False):
    arn: str
    name: str
    units: int
    model: CustomModel
    created: float
    commitment: str | None
    failure: str | None
    """Why it will fail to come up, where a fault asked for it."""

    @property
    def committed_until(self) -> float | None:
        return None if self.commitment is None else self.created + _DAYS[self.commitment] * _SECONDS_A_DAY


class ProvisionedThroughputs:
    """Those of one region. There is no status of being deleted: a deleted one is gone."""

    def __init__(self, region: Region, models: CustomModels, *, most_units: int) -> None:
        """`most_units`: the quota of model units without commitment. A real account has none until AWS grants some."""
        self._region = region
        self._models = models
        self._most_units = most_units
        self._throughputs: list[Throughput] = []

    def models_in_use(self) -> list[CustomModel]:
        return [throughput.model for throughput in self._throughputs]

    def create(self, request: Mapping[str, Any], *, failure: str | None) -> dict[str, Any]:
        """`failure`: the reason for which it will fail to come up, or None."""
        repeated = self._region.repeated(_CREATE, request)
        if repeated:
            return {"provisionedModelArn": repeated}
        if any(throughput.name == request["provisionedModelName"] for throughput in self._throughputs):
            # The service's model of this operation has no ConflictException.
            raise invalid("The provided provisioned model name is currently in use.")
        model = self._model(request["modelId"])
        check_tag_count(request.get("tags", ()))
        self._check_quota(request)
        throughput = Throughput(
            arn=self._region.new_arn("provisioned-model"),
            name=request["provisionedModelName"],
            units=request["modelUnits"],
            model=model,
            created=self._region.elapsed(),
            commitment=request.get("commitmentDuration"),
            failure=failure,
        )
        self._throughputs.append(throughput)
        self._region.remember(_CREATE, request, throughput.arn)
        self._region.tag(throughput.arn, request.get("tags", ()))
        return {"provisionedModelArn": throughput.arn}

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        throughput = self.find(request["provisionedModelId"])
        failed = self.status(throughput) == "Failed"
        return self._summary(throughput) | {"failureMessage": throughput.failure if failed else None}

    def browse(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return page(
            (self._summary(throughput) for throughput in self._throughputs),
            request,
            into="provisionedModelSummaries",
            name_key="provisionedModelName",
            time_key="creationTime",
            equals={"statusEquals": "status", "modelArnEquals": "modelArn"},
        )

    def delete(self, request: Mapping[str, Any], *, failure: str | None) -> dict[str, Any]:
        throughput = self.find(request["provisionedModelId"])
        if self.status(throughput) == "Creating":
            raise conflict(f"The provisioned model {throughput.name} cannot be deleted while it is being created.")
        until = throughput.committed_until
        if until is not None and self._region.elapsed() < until:
            raise invalid(
                f"The provisioned model {throughput.name} cannot be deleted before the end of its commitment, "
                f"{self._region.time(until).isoformat(timespec='seconds')}."
            )
        if is_carried_out(failure):
            self._throughputs.remove(throughput)
            del self._region.tags[throughput.arn]
        return {}

    def find(self, identifier: str) -> Throughput:
        for throughput in self._throughputs:
            if identifier in (throughput.name, throughput.arn):
                return throughput
        raise not_found(f"Could not find provisioned model with identifier {identifier}.")

    def status(self, throughput: Throughput) -> str:
        if self._region.elapsed() < throughput.created + self._region.pace.deploying:
            return "Creating"
        return "Failed" if throughput.failure else "InService"

    def _model(self, identifier: str) -> CustomModel:
        if ":custom-model/" not in identifier:
            raise invalid(f"{identifier} is not the ARN of a custom model: this account provisions no others.")
        return self._models.active(identifier)

    def _check_quota(self, request: Mapping[str, Any]) -> None:
        uncommitted = [throughput.units for throughput in self._throughputs if throughput.commitment is None]
        if "commitmentDuration" not in request and sum(uncommitted) + request["modelUnits"] > self._most_units:
            raise Refusal(
                "ServiceQuotaExceededException",
                f"The number of model units without commitment exceeds the quota of {self._most_units} for "
                f"{request['modelId'].rpartition('/')[0].rpartition('/')[2]}.",
            )

    def _summary(self, throughput: Throughput) -> dict[str, Any]:
        created, until = self._region.time(throughput.created), throughput.committed_until
        model = throughput.model
        return {
            "provisionedModelName": throughput.name,
            "provisionedModelArn": throughput.arn,
            "modelArn": model.arn,
            "desiredModelArn": model.arn,
            "foundationModelArn": model.job.model.arn(model.job.model.customizable_id),
            "modelUnits": throughput.units,
            "desiredModelUnits": throughput.units,
            "status": self.status(throughput),
            "commitmentDuration": throughput.commitment,
            "commitmentExpirationTime": None if until is None else self._region.time(until),
            "creationTime": created,
            "lastModifiedTime": created,
        }
