"""The operations on model customization jobs: what is refused at once, and what each answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from local.simulators.bedrock.account import split_uri
from local.simulators.bedrock.errors import Refusal, conflict, invalid, not_found
from local.simulators.bedrock.jobs import (
    CustomizationJob,
    Standing,
    load_data,
    validation_loss,
    validators,
    write_artifacts,
)
from local.simulators.bedrock.models import FoundationModel, check_hyperparameters, trainable
from local.simulators.bedrock.region import Region, check_tag_count, page

_CREATE = "CreateModelCustomizationJob"


class Customization:
    """The jobs of one region. Names are used up for good: a job cannot be deleted."""

    def __init__(self, region: Region, *, most_at_once: int) -> None:
        self._region = region
        self._most_at_once = most_at_once
        self._jobs: list[CustomizationJob] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def create(self, request: Mapping[str, Any], *, failure: str | None) -> dict[str, Any]:
        """`failure`: the reason for which the job will fail while it trains, or None."""
        repeated = self._region.repeated(_CREATE, request)
        if repeated:
            return {"jobArn": repeated}
        model = trainable(request["baseModelIdentifier"], self._region.name)
        self._refuse(model, request)
        files = self._files(request)
        examples, data_failure = load_data(model, files)
        job = CustomizationJob(
            arn=self._region.new_arn(f"model-customization-job/{model.customizable_id}"),
            request=request,
            model=model,
            pace=self._region.pace,
            created=self._region.elapsed(),
            examples=examples,
            data_failure=data_failure,
            training_failure=failure,
            output_model_arn=self._region.new_arn(f"custom-model/{model.customizable_id}"),
        )
        self._jobs.append(job)
        self._region.remember(_CREATE, request, job.arn)
        self._region.tag(job.arn, request.get("jobTags", ()))
        return {"jobArn": job.arn}

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._description(self._find(request["jobIdentifier"]))

    def descriptions(self, *, besides: Collection[str]) -> list[dict[str, Any]]:
        """Every job as `get` describes it, but for those with these ARNs."""
        return [self._description(job) for job in self._jobs if job.arn not in besides]

    def browse(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return page(
            (self._summary(job) for job in self._jobs),
            request,
            into="modelCustomizationJobSummaries",
            name_key="jobName",
            time_key="creationTime",
            equals={"statusEquals": "status"},
        )

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = self._find(request["jobIdentifier"])
        status = self._standing(job).status
        if status != "InProgress":
            raise conflict(f"The job {job.name} cannot be stopped: its status is {status}.")
        job.stop_asked = self._region.elapsed()
        return {}

    def settle(self) -> Iterator[CustomizationJob]:
        """Writes what the jobs have left in S3 since the last call; yields those that completed since."""
        for job in self._jobs:
            standing = self._standing(job)
            if not job.delivered:
                write_artifacts(job, standing, self._region)
            if standing.status == "Completed" and not job.delivered:
                job.delivered = True
                yield job

    def _find(self, identifier: str) -> CustomizationJob:
        for job in self._jobs:
            if identifier in (job.name, job.arn):
                return job
        raise not_found(f"Could not find model customization job with identifier {identifier}.")

    def _standing(self, job: CustomizationJob) -> Standing:
        return job.at(self._region.elapsed())

    def _refuse(self, model: FoundationModel, request: Mapping[str, Any]) -> None:
        if request.get("customizationType", "FINE_TUNING") != "FINE_TUNING":
            raise invalid(f"{request['customizationType']} is not supported for {model.customizable_id}.")
        for tags in (request.get("jobTags", []), request.get("customModelTags", [])):
            check_tag_count(tags)
        if any(job.name == request["jobName"] for job in self._jobs):
            raise invalid("The provided job name is currently in use.")
        if any(job.request["customModelName"] == request["customModelName"] for job in self._live()):
            raise invalid("The provided model name is currently in use.")
        if "customizationConfig" in request:
            raise invalid("customizationConfig cannot be given for the customization type FINE_TUNING.")
        if validators(request) and not model.takes_validation:
            raise invalid(f"Validation data is not supported for {model.customizable_id}.")
        check_hyperparameters(model, request.get("hyperParameters", {}))
        if not self._region.account.trusts_bedrock(request["roleArn"]):
            raise Refusal(
                "AccessDeniedException",
                f"Amazon Bedrock could not assume the role {request['roleArn']}. "
                "Check that it exists and that its trust policy names bedrock.amazonaws.com.",
            )
        bucket, prefix = split_uri(request["outputDataConfig"]["s3Uri"])
        if not self._region.account.has_bucket(bucket):
            raise invalid(
                "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to access S3 bucket: "
                f"{bucket} at key {prefix.rstrip('/')}/.write_access_check_file.tmp"
            )
        running = sum(self._standing(job).ended is None for job in self._jobs)
        if running >= self._most_at_once:
            raise Refusal(
                "ServiceQuotaExceededException",
                f"The number of customization jobs in progress exceeds the quota of {self._most_at_once}.",
            )

    def _live(self) -> list[CustomizationJob]:
        """Jobs whose model exists or may still come to exist."""
        hopeful = ("InProgress", "Completed")
        return [job for job in self._jobs if not job.model_deleted and self._standing(job).status in hopeful]

    def _files(self, request: Mapping[str, Any]) -> dict[str, bytes]:
        training = request["trainingDataConfig"].get("s3Uri")
        if training is None:
            raise invalid("trainingDataConfig.s3Uri must be given for the customization type FINE_TUNING.")
        files: dict[str, bytes] = {}
        for uri in (training, *(validator["s3Uri"] for validator in validators(request))):
            bucket, key = split_uri(uri)
            if not key.endswith(".jsonl"):
                raise invalid(f"Invalid file extension of {uri}: data files must have the extension .jsonl.")
            content = self._region.account.read(uri)
            if content is None:
                raise invalid(
                    f"Could not validate GetObject permissions to access Amazon S3 bucket: {bucket} at key {key}"
                )
            files[uri] = content
        return files

    def _summary(self, job: CustomizationJob) -> dict[str, Any]:
        standing = self._standing(job)
        completed = standing.status == "Completed"
        return {
            "jobArn": job.arn,
            "jobName": job.name,
            "baseModelArn": job.model.arn(job.model.customizable_id),
            "status": standing.status,
            "statusDetails": {name: {"status": word} for name, word in standing.sub_statuses.items()},
            "creationTime": self._region.time(job.created),
            "lastModifiedTime": self._region.time(standing.changed),
            "endTime": None if standing.ended is None else self._region.time(standing.ended),
            "customModelArn": job.output_model_arn if completed else None,
            "customModelName": job.request["customModelName"] if completed else None,
            "customizationType": "FINE_TUNING",
        }

    def _description(self, job: CustomizationJob) -> dict[str, Any]:
        standing, request = self._standing(job), job.request
        summary = self._summary(job)
        model_arn = summary.pop("customModelArn")
        del summary["customModelName"]
        metrics = {"trainingLoss": standing.moment.loss} if standing.status == "Completed" else None
        losses = [{"validationLoss": validation_loss(job.pace)} for _ in validators(request)]
        return summary | {
            "outputModelName": request["customModelName"],
            "outputModelArn": model_arn,
            "clientRequestToken": request.get("clientRequestToken"),
            "roleArn": request["roleArn"],
            "failureMessage": standing.failure,
            "hyperParameters": dict(request.get("hyperParameters", {})),
            "trainingDataConfig": request["trainingDataConfig"],
            "validationDataConfig": {"validators": validators(request)},
            "outputDataConfig": request["outputDataConfig"],
            "trainingMetrics": metrics,
            "validationMetrics": losses if metrics and losses else None,
            "vpcConfig": request.get("vpcConfig"),
        }
