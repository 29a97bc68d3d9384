"""One run of the simulated training job, from its creation to its end."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from local.simulators.pace import Pace, Stage

TERMINATION_TYPES = {
    "SUCCESS": "SUCCESS",
    "USER_CANCELED": "SUCCESS",
    "CANCELED": "SUCCESS",
    "RUN_EXECUTION_ERROR": "CLIENT_ERROR",
    "LIBRARY_INSTALLATION_ERROR": "CLIENT_ERROR",
    "UNAUTHORIZED_ERROR": "CLIENT_ERROR",
    "FEATURE_DISABLED": "CLIENT_ERROR",
    "STORAGE_ACCESS_ERROR": "CLIENT_ERROR",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
    "DRIVER_ERROR": "CLOUD_FAILURE",
    "CLUSTER_ERROR": "CLOUD_FAILURE",
    "CLOUD_FAILURE": "CLOUD_FAILURE",
}
"""The codes that a run here can end with, and whose fault each is."""

_LEGACY_RESULTS = {"SUCCESS": "SUCCESS", "USER_CANCELED": "CANCELED", "CANCELED": "CANCELED"}


class End(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is a termination code; `error` is what the notebook raised, where it did."""

    code: str
    message: str
    error: str | None = None


class Run(msgspec.Struct, kw_only=True):
    run_id: int
    task_run_id: int
    task_key: str
    name: str
    job_id: int | None
    parameters: dict[str, str]
    notebook_path: str
    pace: Pace
    created: float
    """By the simulator's clock, in seconds."""
    start_ms: int
    failure: End | None = None
    """What the platform, not the notebook, is going to do to this run in the middle of its training."""
    cancelled: float | None = None
    stopped_at: float | None = None
    end: End | None = None
    result: dict[str, str] | None = None
    """What the notebook exited with."""
    prepared: bool = False
    deleted: bool = False
    mlflow_run_id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)

    def stage(self, now: float) -> str:
        """The run's state in the words of the Jobs API's `status.state`."""
        if self.end is not None:
            return "TERMINATED"
        if self.cancelled is not None:
            return "TERMINATING"
        return {
            Stage.VALIDATING: "QUEUED",
            Stage.QUEUED: "PENDING",
            Stage.TRAINING: "RUNNING",
            Stage.FINISHED: "RUNNING",
        }[self.pace.at(now - self.created).stage]

    def document(self, now: float) -> dict[str, Any]:
        """The run as `runs/get` shows it: today's `status`, and the `state` of before."""
        state = self.stage(now)
        where = {"status": self._status(state), "state": self._legacy_state(state)}
        task = {
            "task_key": self.task_key,
            "run_id": self.task_run_id,
            "notebook_task": {"notebook_path": self.notebook_path},
            **where,
        }
        document: dict[str, Any] = {
            "run_id": self.run_id,
            "run_name": self.name,
            "run_type": "SUBMIT_RUN" if self.job_id is None else "JOB_RUN",
            "start_time": self.start_ms,
            "job_parameters": [{"name": name, "value": value} for name, value in self.parameters.items()],
            "tasks": [task],
            **where,
        }
        if self.job_id is not None:
            document["job_id"] = self.job_id
        return document

    def _status(self, state: str) -> dict[str, Any]:
        status: dict[str, Any] = {"state": state}
        if state == "TERMINATING":
            status["termination_details"] = _details(End(code="USER_CANCELED", message="Run cancelled."))
        if self.end is not None:
            status["termination_details"] = _details(self.end)
        return status

    def _legacy_state(self, state: str) -> dict[str, Any]:
        legacy: dict[str, Any] = {"life_cycle_state": state, "state_message": ""}
        if self.end is not None:
            internal = TERMINATION_TYPES[self.end.code] in ("INTERNAL_ERROR", "CLOUD_FAILURE")
            legacy["life_cycle_state"] = "INTERNAL_ERROR" if internal else "TERMINATED"
            legacy["result_state"] = _LEGACY_RESULTS.get(self.end.code, "FAILED")
            legacy["state_message"] = self.end.message
        return legacy


def _details(end: End) -> dict[str, str]:
    return {"code": end.code, "type": TERMINATION_TYPES[end.code], "message": end.message}


def failure_from(message: str) -> End:
    """`CLOUD_FAILURE: The node was lost.` names its code; without one it is an error of the notebook's."""
    code, colon, words = message.partition(": ")
    if colon and code in TERMINATION_TYPES:
        return End(code=code, message=words)
    return notebook_failure(message or "RuntimeError: CUDA out of memory.")


def notebook_failure(error: str) -> End:
    text = "Task train failed with message: Workload failed, see run output for details."
    return End(code="RUN_EXECUTION_ERROR", message=text, error=error)
