"""MLflow in the simulated workspace: each training logs a falling loss to the experiment that its job names."""

from __future__ import annotations

import re
import zlib
from typing import Any

import msgspec
from flask import request

from local.simulators.databricks.gate import Gate, RefusalError, body_as
from local.simulators.databricks.runs import Run
from local.simulators.databricks.scheduler import Scheduler
from local.simulators.pace import Stage

_TAG_FILTER = re.compile(r"^tags\.(?:`([^`]+)`|(\w+)) = '([^']*)'$")


class _Search(msgspec.Struct):
    experiment_ids: list[str] = []
    filter: str = ""
    max_results: int = 1000


class Experiments:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def add_routes(self, gate: Gate) -> None:
        root = "/api/2.0/mlflow"
        gate.route("GET", f"{root}/experiments/get-by-name", "experiments.get_by_name", self._get_by_name)
        gate.route("POST", f"{root}/runs/search", "experiments.search_runs", self._search)
        gate.route("GET", f"{root}/runs/get", "experiments.get_run", self._get_run)
        gate.route("GET", f"{root}/metrics/get-history", "experiments.get_history", self._get_history)

    def _training(self) -> list[Run]:
        """The runs whose notebook came as far as starting its MLflow run, newest first."""
        return [run for run in reversed(self._scheduler.runs.values()) if self._scheduler.began(run)]

    def _get_by_name(self) -> Any:
        name = request.args.get("experiment_name", "")
        if not any(run.parameters["mlflow_experiment"] == name for run in self._training()):
            message = f"Node ID for experiment name '{name}' does not exist."
            raise RefusalError(404, "RESOURCE_DOES_NOT_EXIST", message)
        return {"experiment": {"experiment_id": _experiment_id(name), "name": name, "lifecycle_stage": "active"}}

    def _search(self) -> Any:
        asked = body_as(_Search)
        if not asked.experiment_ids:
            raise RefusalError(400, "INVALID_PARAMETER_VALUE", "At least one experiment id must be given.")
        found = [run for run in self._training() if self._experiment_id(run) in asked.experiment_ids]
        if asked.filter:
            match = _TAG_FILTER.match(asked.filter)
            if match is None:
                raise RefusalError(400, "INVALID_PARAMETER_VALUE", f"Invalid filter string: '{asked.filter}'")
            key, value = match[1] or match[2], match[3]
            found = [run for run in found if run.parameters.get(key) == value]
        return {"runs": [self._document(run) for run in found[: asked.max_results]]}

    def _get_run(self) -> Any:
        return {"run": self._document(self._find(request.args.get("run_id", "")))}

    def _get_history(self) -> Any:
        run = self._find(request.args.get("run_id", ""))
        if request.args.get("metric_key") != "loss":
            return {"metrics": []}
        return {"metrics": [self._metric(run, step) for step in range(1, self._step(run) + 1)]}

    def _find(self, mlflow_run_id: str) -> Run:
        run = next((run for run in self._training() if run.mlflow_run_id == mlflow_run_id), None)
        if run is None:
            raise RefusalError(404, "RESOURCE_DOES_NOT_EXIST", f"Run '{mlflow_run_id}' not found.")
        return run

    def _step(self, run: Run) -> int:
        until = self._scheduler.clock() if run.cancelled is None else run.cancelled
        moment = run.pace.at(until - run.created)
        return moment.step if moment.stage in (Stage.TRAINING, Stage.FINISHED) else 0

    def _metric(self, run: Run, step: int) -> dict[str, Any]:
        return {"key": "loss", "value": run.pace.loss(step), "step": step, "timestamp": run.start_ms + step}

    def _experiment_id(self, run: Run) -> str:
        return _experiment_id(run.parameters["mlflow_experiment"])

    def _document(self, run: Run) -> dict[str, Any]:
        step = self._step(run)
        ended = None if run.end is None else run.end.code
        status = {None: "RUNNING", "SUCCESS": "FINISHED", "USER_CANCELED": "KILLED"}.get(ended, "FAILED")
        return {
            "info": {
                "run_id": run.mlflow_run_id,
                "run_name": run.name,
                "experiment_id": self._experiment_id(run),
                "status": status,
                "start_time": run.start_ms,
                "lifecycle_stage": "active",
            },
            "data": {
                "metrics": [self._metric(run, step)] if step else [],
                "params": [{"key": "max_steps", "value": str(run.pace.steps)}],
                "tags": [{"key": "tunedrop_job_id", "value": run.parameters["tunedrop_job_id"]}],
            },
        }


def _experiment_id(name: str) -> str:
    return str(10**15 + zlib.crc32(name.encode()))
