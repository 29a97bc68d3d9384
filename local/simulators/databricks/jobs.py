"""The Jobs API of the simulated workspace: one saved training job, and runs submitted once."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import g, request

from local.simulators.databricks.gate import Gate, RefusalError, body_as, invalid, query_number
from local.simulators.databricks.scheduler import Scheduler
from local.simulators.databricks.training import PARAMETERS

_NOTEBOOK = "/Workspace/Shared/tunedrop/train"


class _RunNow(msgspec.Struct):
    job_id: int
    idempotency_token: str = ""
    job_parameters: dict[str, str] = {}
    notebook_params: dict[str, str] = {}


class _NotebookTask(msgspec.Struct):
    notebook_path: str
    base_parameters: dict[str, str] = {}


class _Task(msgspec.Struct):
    task_key: str
    notebook_task: _NotebookTask | None = None


class _Submit(msgspec.Struct):
    tasks: list[_Task] = []
    run_name: str = "Untitled"
    idempotency_token: str = ""


class _RunId(msgspec.Struct):
    run_id: int


class Jobs:
    """`scheduler` knows the runs; the one saved job has the id `training_job_id`."""

    def __init__(self, scheduler: Scheduler, *, training_job_id: int) -> None:
        self._scheduler = scheduler
        self._training_job_id = training_job_id

    def add_routes(self, gate: Gate) -> None:
        root = "/api/2.2/jobs"
        gate.route("POST", f"{root}/run-now", "jobs.run_now", self._run_now)
        gate.route("POST", f"{root}/runs/submit", "jobs.submit", self._submit)
        gate.route("GET", f"{root}/runs/get", "jobs.get_run", self._get_run)
        gate.route("GET", f"{root}/runs/get-output", "jobs.get_run_output", self._get_output)
        gate.route("GET", f"{root}/runs/list", "jobs.list_runs", self._list_runs)
        gate.route("POST", f"{root}/runs/cancel", "jobs.cancel_run", self._cancel_run)
        gate.route("POST", f"{root}/runs/delete", "jobs.delete_run", self._delete_run)
        gate.route("GET", f"{root}/get", "jobs.get", self._get_job)

    def _run_now(self) -> Any:
        asked = body_as(_RunNow)
        self._require_job(asked.job_id)
        unknown = sorted(asked.job_parameters.keys() - PARAMETERS.keys())
        if unknown:
            raise invalid(f"The job parameters {unknown} are not defined in job {asked.job_id}.")
        if asked.notebook_params:
            raise invalid("The job to run has job parameters defined. Only job parameters are supported in this case.")
        parameters = {**PARAMETERS, **asked.job_parameters}
        run = self._scheduler.known(asked.idempotency_token) or self._scheduler.start(
            token=asked.idempotency_token,
            name="tunedrop-train",
            job_id=asked.job_id,
            task_key="train",
            notebook=_NOTEBOOK,
            parameters=parameters,
            failure=g.failure,
        )
        return {"run_id": run.run_id, "number_in_job": run.run_id}

    def _submit(self) -> Any:
        asked = body_as(_Submit)
        if not asked.tasks:
            raise invalid("One of the fields is required: tasks, or one of the deprecated single-task fields.")
        task = asked.tasks[0].notebook_task
        if len(asked.tasks) > 1 or task is None:
            raise RefusalError(400, "FEATURE_DISABLED", "This workspace submits runs of one notebook task.")
        run = self._scheduler.known(asked.idempotency_token) or self._scheduler.start(
            token=asked.idempotency_token,
            name=asked.run_name,
            job_id=None,
            task_key=asked.tasks[0].task_key,
            notebook=task.notebook_path,
            parameters={**PARAMETERS, **task.base_parameters},
            failure=g.failure,
        )
        return {"run_id": run.run_id}

    def _get_run(self) -> Any:
        run = self._scheduler.find(query_number("run_id"))
        return run.document(self._scheduler.clock())

    def _get_output(self) -> Any:
        run_id = query_number("run_id")
        if run_id in self._scheduler.runs:
            raise invalid(
                "Retrieving the output of runs with multiple tasks is not supported. "
                "Please retrieve the output of each individual task run instead."
            )
        run = next(
            (run for run in self._scheduler.runs.values() if run.task_run_id == run_id and not run.deleted), None
        )
        if run is None:
            raise invalid(f"Run {run_id} does not exist.")
        output: dict[str, Any] = {
            "metadata": run.document(self._scheduler.clock()),
            "notebook_output": {},
        }
        if run.result is not None:
            result = msgspec.json.encode(run.result).decode()
            output["notebook_output"] = {"result": result, "truncated": False}
        if run.end is not None and run.end.error is not None:
            output["error"] = run.end.error
            output["error_trace"] = f"Traceback (most recent call last):\n{run.end.error}"
        return output

    def _list_runs(self) -> Any:
        only_active, only_done = (request.args.get(flag) == "true" for flag in ("active_only", "completed_only"))
        if only_active and only_done:
            raise invalid("active_only and completed_only cannot both be true.")
        limit = int(request.args.get("limit", "20"))
        if not 0 <= limit < 25:
            raise invalid(f"Invalid limit: {limit}. It must be at least 0 and less than 25.")
        offset = int(request.args.get("page_token") or "0")
        job_id = request.args.get("job_id", type=int)
        found = [run for run in reversed(self._scheduler.runs.values()) if not run.deleted]
        found = [run for run in found if job_id in (None, run.job_id)]
        found = [run for run in found if not (only_active and run.end) and not (only_done and run.end is None)]
        page = found[offset : offset + (limit or 24)]
        now = self._scheduler.clock()
        answer: dict[str, Any] = {"runs": [run.document(now) for run in page]}
        if offset + len(page) < len(found):
            answer["next_page_token"] = str(offset + len(page))
        return answer

    def _cancel_run(self) -> Any:
        self._scheduler.cancel(body_as(_RunId).run_id)
        return {}

    def _delete_run(self) -> Any:
        run = self._scheduler.find(body_as(_RunId).run_id)
        if run.end is None:
            raise RefusalError(400, "INVALID_STATE", f"Run {run.run_id} is active; cancel it first.")
        run.deleted = True
        return {}

    def _require_job(self, job_id: int) -> None:
        if job_id != self._training_job_id:
            raise invalid(f"Job {job_id} does not exist.")

    def _get_job(self) -> Any:
        job_id = query_number("job_id")
        self._require_job(job_id)
        parameters = [{"name": name, "default": default} for name, default in PARAMETERS.items()]
        task = {"task_key": "train", "notebook_task": {"notebook_path": _NOTEBOOK}}
        settings = {"name": "tunedrop-train", "parameters": parameters, "tasks": [task], "max_concurrent_runs": 100}
        return {"job_id": job_id, "settings": settings}
