"""A simulated Databricks workspace: volumes, one saved training job, Unity Catalog, MLflow and model serving.

Bodies and words of errors follow the public API reference and what clients have reported; where neither gives the
words (an undeclared job parameter, a deleted idempotency token), the error code is the documented one for the case.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from flask import Flask

from local.simulators.control import add_controls
from local.simulators.databricks.experiments import Experiments
from local.simulators.databricks.files import Volumes
from local.simulators.databricks.gate import Credentials, Gate
from local.simulators.databricks.jobs import Jobs
from local.simulators.databricks.login import add_login
from local.simulators.databricks.registry import Registry
from local.simulators.databricks.scheduler import Scheduler
from local.simulators.databricks.serving import Serving
from local.simulators.databricks.training import BASE_MODELS
from local.simulators.faults import Faults
from local.simulators.pace import Pace


class DatabricksSimulator:
    """`app` is the workspace's HTTP interface.

    It accepts `token` as a personal access token, and `client_id` with `client_secret` for OAuth. `volumes` are paths
    such as /Volumes/main/tunedrop/data, and `schemas` names such as main.tunedrop; no others exist.
    """

    def __init__(
        self,
        *,
        token: str,
        client_id: str,
        client_secret: str,
        training_job_id: int,
        volumes: Iterable[str],
        schemas: Iterable[str],
        pace: Pace | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        pace = pace or Pace()
        self.faults = faults or Faults()
        started, started_ms = clock(), round(time.time() * 1000)

        def now_ms() -> int:
            return started_ms + round((clock() - started) * 1000)

        self._credentials = Credentials(token=token, client_id=client_id, client_secret=client_secret)
        self.volumes = Volumes(volumes)
        self.registry = Registry(schemas, now_ms=now_ms)
        self.scheduler = Scheduler(volumes=self.volumes, registry=self.registry, pace=pace, clock=clock, now_ms=now_ms)
        self.serving = Serving(
            self.registry, base_models=sorted(set(BASE_MODELS.values())), pace=pace, clock=clock, now_ms=now_ms
        )
        self.app = Flask("databricks")
        gate = Gate(self.app, credentials=self._credentials, faults=self.faults, settle=self._settle)
        add_login(self.app, self._credentials)
        add_controls(self.app, self.faults, self.scheduler)
        self.volumes.add_routes(self.app, gate)
        Jobs(self.scheduler, training_job_id=training_job_id).add_routes(gate)
        self.registry.add_routes(gate)
        Experiments(self.scheduler).add_routes(gate)
        self.serving.add_routes(gate)

    def _settle(self) -> None:
        self.scheduler.settle()
        self.serving.settle()

    def stop_in_console(self, run_id: int) -> None:
        """Cancels a run as somebody in the workspace's own pages would."""
        self.scheduler.cancel(run_id)

    def revoke_credentials(self) -> None:
        """From now on every call is refused."""
        self._credentials.revoke()
