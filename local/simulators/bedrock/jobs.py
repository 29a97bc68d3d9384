"""Model customization jobs: where each one is at a moment, and what it leaves in S3."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from local.simulators.answers import Example
from local.simulators.bedrock.account import split_uri
from local.simulators.bedrock.data import BadDataError, read_examples
from local.simulators.bedrock.models import FoundationModel
from local.simulators.bedrock.region import Region
from local.simulators.pace import Moment, Pace, Stage

_SUB_TASKS = {
    Stage.VALIDATING: "validationDetails",
    Stage.QUEUED: "dataProcessingDetails",
    Stage.TRAINING: "trainingDetails",
}
_STAGES = list(_SUB_TASKS)
_JUST_BEFORE = 1e-6


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A job at one moment. `changed` is when it last changed, in the region's seconds; `ended` when it ended."""

    status: str
    moment: Moment
    changed: float
    ended: float | None = None
    failure: str | None = None

    @property
    def sub_statuses(self) -> dict[str, str]:
        """The words in `statusDetails`, by sub-task."""
        at = len(_STAGES) if self.moment.stage is Stage.FINISHED else _STAGES.index(self.moment.stage)
        words = ["Completed"] * at + [self.status] * (at < len(_STAGES)) + ["NotStarted"] * (len(_STAGES) - at - 1)
        return dict(zip(_SUB_TASKS.values(), words, strict=True))


class CustomizationJob(msgspec.Struct, kw_only=True, eq=False):
    arn: str
    request: Mapping[str, Any]
    model: FoundationModel
    pace: Pace
    created: float
    examples: list[Example]
    data_failure: str | None
    """What data processing will find wrong."""
    training_failure: str | None
    """Why the training will fail, where a fault asked for it."""
    output_model_arn: str
    stop_asked: float | None = None
    steps_written: int = 0
    delivered: bool = False
    """Whether the custom model was made from it."""
    model_deleted: bool = False

    @property
    def name(self) -> str:
        name: str = self.request["jobName"]
        return name

    def at(self, elapsed: float) -> Standing:
        pace = self.pace
        ready = self.created + pace.validating + pace.queued
        if self.stop_asked is not None:
            return self._stopped(elapsed)
        if self.data_failure and elapsed >= ready:
            return self._ended("Failed", ready, self.data_failure)
        halfway = ready + pace.training / 2
        if self.training_failure and elapsed >= halfway:
            return self._ended("Failed", halfway, self.training_failure)
        if elapsed >= ready + pace.training:
            return self._ended("Completed", ready + pace.training)
        return Standing(status="InProgress", moment=pace.at(elapsed - self.created), changed=elapsed)

    def _ended(self, status: str, when: float, failure: str | None = None) -> Standing:
        age = when - self.created + (_JUST_BEFORE if failure is None else -_JUST_BEFORE)
        return Standing(status=status, moment=self.pace.at(age), changed=when, ended=when, failure=failure)

    def _stopped(self, elapsed: float) -> Standing:
        assert self.stop_asked is not None  # noqa: S101  (for the type checker; `at` asked)
        moment = self.pace.at(self.stop_asked - self.created)
        stopped = self.stop_asked + self.pace.stopping
        if elapsed < stopped:
            return Standing(status="Stopping", moment=moment, changed=self.stop_asked)
        return Standing(status="Stopped", moment=moment, changed=stopped, ended=stopped)


def load_data(model: FoundationModel, files: Mapping[str, bytes]) -> tuple[list[Example], str | None]:
    """The examples of the first file, the training file, and what is wrong with any of them."""
    examples: list[Example] = []
    for number, (uri, content) in enumerate(files.items()):
        name = split_uri(uri)[1].rpartition("/")[2]
        try:
            found = read_examples(content, name, rows=model.rows if number == 0 else (1, model.rows[1]))
        except BadDataError as problem:
            return [], str(problem)
        examples = examples or found
    return examples, None


def write_artifacts(job: CustomizationJob, standing: Standing, region: Region) -> None:
    """Brings the files under the job's output URI up to date."""
    root = (
        f"{job.request['outputDataConfig']['s3Uri'].rstrip('/')}/model-customization-job-{job.arn.rpartition('/')[2]}"
    )
    step = standing.moment.step
    if step > job.steps_written:
        rows = [_metrics_row(job, number) for number in range(1, step + 1)]
        region.account.write(
            f"{root}/training_artifacts/step_wise_training_metrics.csv", _csv(rows, loss_name="training_loss")
        )
        job.steps_written = step
    if standing.status == "Completed" and validators(job.request):
        rows = [(step, _epochs(job), validation_loss(job.pace), math.exp(validation_loss(job.pace)))]
        region.account.write(
            f"{root}/validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv",
            _csv(rows, loss_name="validation_loss"),
        )


def validators(request: Mapping[str, Any]) -> list[dict[str, str]]:
    """The validation files that a request names."""
    found: list[dict[str, str]] = request.get("validationDataConfig", {}).get("validators", [])
    return found


def validation_loss(pace: Pace) -> float:
    """A little above the training's, as usual."""
    return round(pace.loss(pace.steps) + 0.08, 4)


def _epochs(job: CustomizationJob) -> int:
    return int(job.request.get("hyperParameters", {}).get("epochCount", "2"))


def _metrics_row(job: CustomizationJob, step: int) -> tuple[int, int, float, float]:
    loss = job.pace.loss(step)
    return step, math.ceil(step * _epochs(job) / job.pace.steps), loss, round(math.exp(loss), 4)


def _csv(rows: list[tuple[int, int, float, float]], *, loss_name: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["step_number", "epoch_number", loss_name, "perplexity"])
    writer.writerows(rows)
    return text.getvalue().encode()
