"""What happens to the runs of the simulated workspace as time goes by."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from local.simulators.answers import TunedModel
from local.simulators.databricks.files import Volumes
from local.simulators.databricks.gate import RefusalError, invalid
from local.simulators.databricks.registry import Registry
from local.simulators.databricks.runs import End, Run, failure_from, notebook_failure
from local.simulators.databricks.training import NotebookError, Trained, read_training
from local.simulators.pace import Pace, Stage

_LONGEST_TOKEN = 64


class Scheduler:
    """`runs` holds every run that was ever made, by its id. `pace` is that of the runs to come."""

    def __init__(
        self,
        *,
        volumes: Volumes,
        registry: Registry,
        pace: Pace,
        clock: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self._volumes = volumes
        self._registry = registry
        self._now_ms = now_ms
        self._by_token: dict[str, Run] = {}
        self._training: dict[int, Trained] = {}
        # Parent and task run ids come from one sequence, as in a workspace.
        self._ids = itertools.count(718_204_000_000_001, 7919)
        self.pace = pace
        self.clock = clock
        self.runs: dict[int, Run] = {}

    def known(self, token: str) -> Run | None:
        if len(token) > _LONGEST_TOKEN:
            raise invalid(f"The idempotency token is too long: it may have at most {_LONGEST_TOKEN} characters.")
        run = self._by_token.get(token)
        if run is not None and run.deleted:
            raise RefusalError(400, "INVALID_STATE", f"The run with idempotency token '{token}' has been deleted.")
        return run

    def start(
        self,
        *,
        token: str,
        name: str,
        job_id: int | None,
        task_key: str,
        notebook: str,
        parameters: Mapping[str, str],
        failure: str | None,
    ) -> Run:
        """`failure` is why the platform is going to fail it, as databricks_runs.failure_from reads it."""
        run = Run(
            run_id=next(self._ids),
            task_run_id=next(self._ids),
            task_key=task_key,
            name=name,
            job_id=job_id,
            parameters=dict(parameters),
            notebook_path=notebook,
            pace=self.pace,
            created=self.clock(),
            start_ms=self._now_ms(),
            failure=None if failure is None else failure_from(failure),
        )
        self.runs[run.run_id] = run
        if token:
            self._by_token[token] = run
        return run

    def settle(self) -> None:
        """Lets happen to the runs what their time has come for: reading the rows, failing, registering, stopping."""
        for run in self.runs.values():
            if run.end is None:
                self._settle_run(run)

    def _settle_run(self, run: Run) -> None:
        now = self.clock()
        if run.cancelled is not None:
            if now - run.cancelled >= run.pace.stopping:
                run.end = End(code="USER_CANCELED", message="Run cancelled by its user.")
            return
        moment = run.pace.at(now - run.created)
        if moment.stage in (Stage.TRAINING, Stage.FINISHED) and not run.prepared:
            self._prepare(run)
        if run.end is None and run.failure is not None and moment.step >= run.pace.steps // 2:
            run.end = run.failure
        if run.end is None and moment.stage is Stage.FINISHED:
            self._finish(run)

    def _prepare(self, run: Run) -> None:
        run.prepared = True
        try:
            self._training[run.run_id] = read_training(run.parameters, self._volumes.files, self._registry.schemas)
        except NotebookError as error:
            run.end = notebook_failure(str(error))

    def _finish(self, run: Run) -> None:
        trained = self._training[run.run_id]
        version = self._registry.register(
            trained.register_to,
            model=TunedModel(trained.examples),
            base_model=trained.base_model,
            mlflow_run_id=run.mlflow_run_id,
        )
        run.result = {
            "model_name": trained.register_to,
            "model_version": str(version.number),
            "mlflow_run_id": run.mlflow_run_id,
        }
        run.end = End(code="SUCCESS", message="")

    def cancel(self, run_id: int) -> None:
        """What the console's button and `runs/cancel` do; a run that ended is left as it is."""
        self.settle()
        run = self.find(run_id)
        if run.end is None and run.cancelled is None:
            run.cancelled = self.clock()

    def find(self, run_id: int) -> Run:
        run = self.runs.get(run_id)
        if run is None or run.deleted:
            raise invalid(f"Run {run_id} does not exist.")
        return run

    def began(self, run: Run) -> bool:
        """Whether its notebook read its rows and started to train."""
        return run.run_id in self._training
