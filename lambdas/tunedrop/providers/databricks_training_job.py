"""What a run of the user's training job is given: the contract of docs/databricks-training-job.md."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tunedrop.domain.errors import RequestInvalidError, SettingsMissingError
from tunedrop.domain.provider_ports import TrainingOrder
from tunedrop.domain.volume_path import FORM, is_volume_path

DOCUMENT = "docs/databricks-training-job.md"
EXPERIMENT = "/Shared/tunedrop"
"""Where a training job logs to MLflow, tagged with `tunedrop_job_id`."""

_JOB_ID = "tunedrop:databricks_training_job_id"
_VOLUME = "tunedrop:databricks_volume"
_SCHEMA = "tunedrop:databricks_schema"
_INSTEAD = {_VOLUME: "train_data_path", _SCHEMA: "register_to"}
"""The field of a request that wins over a setting."""
_TASK_TYPES: Mapping[str, str] = {"chat": "CHAT_COMPLETION", "completion": "INSTRUCTION_FINETUNE"}
_NAMES = re.compile(r"^[^\s./]+(\.[^\s./]+){1,2}$")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The stack's settings for Databricks, as they were given; any may be missing."""

    training_job_id: str | None
    volume: str | None
    schema: str | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one order goes: the saved job, a folder in a volume, and the registered model's three-part name."""

    training_job_id: int
    folder: str
    register_to: str

    @property
    def train_data_path(self) -> str:
        return f"{self.folder}/train.jsonl"

    @property
    def eval_data_path(self) -> str:
        return f"{self.folder}/eval.jsonl"


def place(order: TrainingOrder, settings: Settings) -> Place:
    """What the order says wins over the settings.

    Raises SettingsMissingError, naming the `cdk` context keys, and RequestInvalidError for a bad `register_to` or
    `train_data_path`.
    """
    register_to = order.register_to or settings.schema
    volume = order.train_data_path or settings.volume
    if not settings.training_job_id or not volume or not register_to:
        raise _missing({_JOB_ID: settings.training_job_id, _VOLUME: volume, _SCHEMA: register_to})
    if not settings.training_job_id.isascii() or not settings.training_job_id.isdigit():
        raise SettingsMissingError(
            f"The setting {_JOB_ID} is {settings.training_job_id!r}; it must be the number that the workspace shows as "
            "the training job's Job ID."
        )
    return Place(
        training_job_id=int(settings.training_job_id),
        folder=f"{_checked_volume(volume, order)}/tunedrop/{order.job_id}",
        register_to=_model_name(register_to, order),
    )


def _missing(known: Mapping[str, str | None]) -> SettingsMissingError:
    absent = [key for key, value in known.items() if not value]
    options = " ".join(f"-c {key}=…" for key in absent)
    fields = [field for key, field in _INSTEAD.items() if key in absent]
    instead = f" (or name {' and '.join(fields)} in the manifest)" if fields else ""
    return SettingsMissingError(
        f"Databricks needs the setting{'s' if len(absent) > 1 else ''} {', '.join(absent)}{instead}. Deploy with "
        f"`cdk deploy {options}`, or put them under `context` in cdk.json; {DOCUMENT} says what they are."
    )


def _checked_volume(volume: str, order: TrainingOrder) -> str:
    """Without a slash at its end."""
    if is_volume_path(volume):
        return volume.rstrip("/")
    if order.train_data_path:
        raise RequestInvalidError(f"train_data_path is {volume!r}; it must be {FORM}, or a folder below it.")
    raise SettingsMissingError(f"The setting {_VOLUME} is {volume!r}; it must be {FORM}.")


def _model_name(register_to: str, order: TrainingOrder) -> str:
    if _NAMES.match(register_to) is None:
        words = f"register_to is {register_to!r}; it must be catalog.schema or catalog.schema.model."
        if order.register_to:
            raise RequestInvalidError(words)
        raise SettingsMissingError(f"The setting {_SCHEMA} cannot be used: {words}")
    if register_to.count(".") == 2:
        return register_to
    return f"{register_to}.tunedrop_{order.job_id.replace('-', '_')}"


def parameters(order: TrainingOrder, at: Place) -> dict[str, str]:
    """The job parameters, all of them strings, the hyperparameters among them under their own names.

    What the user did not ask for is left to the defaults of the saved job, which refuses what it does not declare.
    """
    return {
        "tunedrop_job_id": order.job_id,
        "base_model": order.base_model,
        "train_data_path": at.train_data_path,
        "eval_data_path": at.eval_data_path if order.validation_uri else "",
        "register_to": at.register_to,
        "task_type": order.task_type or _TASK_TYPES[order.format],
        "mlflow_experiment": EXPERIMENT,
    } | {name: str(value) for name, value in order.hyperparameters.items()}


class Registered(msgspec.Struct, frozen=True):
    """What the notebook exits with."""

    model_name: str
    model_version: int
    """A number, or a string of digits."""

    @classmethod
    def from_exit(cls, text: str | None) -> Registered | None:
        """None for an exit value that does not keep the contract."""
        try:
            return msgspec.json.decode(text or "", type=cls, strict=False)
        except msgspec.DecodeError:
            return None
