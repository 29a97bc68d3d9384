"""The Databricks adapter on the real SDK, against a simulated workspace whose clock is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import Clock
from databricks.sdk.config import Config

from local.simulators.databricks.simulator import DatabricksSimulator
from local.simulators.faults import Faults
from local.simulators.serving import serving
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.provider_ports import TrainingOrder
from tunedrop.providers.databricks import DatabricksProvider

TOKEN = "a-personal-access-token"
CLIENT_ID = "a-service-principal"
CLIENT_SECRET = "its-secret"
TRAINING_JOB_ID = 815
VOLUME = "/Volumes/main/tunedrop/data"
SCHEMA = "main.tunedrop"
BASE_MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
BASE_ENDPOINT = "databricks-meta-llama-3-1-8b-instruct"


class HandClock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class NoRetries(Clock):
    """Makes the SDK raise at once what it would try again: the first answer is the one that is looked at."""

    def time(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"the SDK wanted to wait {seconds} s")


class DatabricksRig:
    operations: Mapping[str, str] = {
        "create": "jobs.run_now",
        "status": "jobs.get_run",
        "upload": "files.upload",
        "stop": "jobs.cancel_run",
    }

    def __init__(self, simulator: DatabricksSimulator, clock: HandClock, url: str) -> None:
        self.simulator = simulator
        self.objects = MemoryObjectStore()
        self.url = url
        self.faults: Faults = simulator.faults
        self.provider = self.connect()
        self._clock = clock

    def connect(self, **changes: Any) -> DatabricksProvider:
        settings: dict[str, Any] = {
            "secret": {"host": self.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            "objects": self.objects,
            "training_job_id": str(TRAINING_JOB_ID),
            "volume": VOLUME,
            "schema": SCHEMA,
        }
        return DatabricksProvider(**settings | changes)

    def sdk(self, token: str = TOKEN) -> WorkspaceClient:
        """The plain SDK, as a user of the workspace would have it, but without its retries."""
        config = Config(host=self.url, token=token, auth_type="pat", clock=NoRetries(), retry_timeout_seconds=1)
        return WorkspaceClient(config=config)

    def order(self, name: str, *, rows: int = 12, **changes: Any) -> TrainingOrder:
        uri = f"s3://artifacts/jobs/{name}/train.jsonl"
        self.objects.put(uri, training_file((f"question {n}", f"answer {n}") for n in range(rows)))
        order = TrainingOrder(
            job_id=name,
            token=f"tunedrop-{name}",
            base_model=BASE_MODEL,
            training_uri=uri,
            training_sha256="0" * 64,
            validation_uri=None,
            hyperparameters={"epochs": 3, "learning_rate": 1e-5},
            format="chat",
            job_name=None,
            register_to=None,
            task_type=None,
            created_at=datetime(2026, 11, 22, tzinfo=UTC),
        )
        return msgspec.structs.replace(order, **changes)

    def jobs_created(self) -> int:
        return len(self.simulator.scheduler.runs)

    def advance(self, seconds: float) -> None:
        self._clock.now += seconds

    def stop_in_console(self, provider_job_id: str) -> None:
        self.simulator.stop_in_console(int(provider_job_id))

    def break_credentials(self) -> None:
        self.simulator.revoke_credentials()


def training_file(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Rows of the task CHAT_COMPLETION."""
    rows = [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in pairs
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@contextmanager
def databricks_rig(tmp_path: Path) -> Iterator[DatabricksRig]:
    clock = HandClock()
    simulator = DatabricksSimulator(
        token=TOKEN,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        training_job_id=TRAINING_JOB_ID,
        volumes=[VOLUME],
        schemas=[SCHEMA],
        clock=clock,
    )
    with serving(simulator.app) as url:
        yield DatabricksRig(simulator, clock, url)
