"""OpenAI for the provider contract: the real adapter, on the real SDK, against the simulator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from local.simulators.faults import Faults
from local.simulators.openai.simulator import OpenAISimulator
from local.simulators.serving import serving
from tests.fakes.clock import ManualClock
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.provider_ports import TrainingOrder
from tunedrop.providers.openai import OpenAIProvider
from tunedrop.providers.openai_upload import OPENAI_SIZES, UploadSizes

API_KEY = "key-of-the-contract"


class OpenAIRig:
    """A ProviderRig; also the simulator itself, its URL and the prepared files, for tests of the adapter."""

    operations: Mapping[str, str] = {
        "create": "fine_tuning.jobs.create",
        "status": "fine_tuning.jobs.retrieve",
        "find": "fine_tuning.jobs.list",
        "upload": "files.create",
        "stop": "fine_tuning.jobs.cancel",
    }

    def __init__(
        self, simulator: OpenAISimulator, clock: ManualClock, base_url: str, upload_sizes: UploadSizes
    ) -> None:
        self.simulator = simulator
        self.base_url = base_url
        self.objects = MemoryObjectStore()
        self.provider = OpenAIProvider(
            secret={"api_key": API_KEY, "base_url": base_url}, objects=self.objects, upload_sizes=upload_sizes
        )
        self._clock = clock

    @property
    def faults(self) -> Faults:
        return self.simulator.faults

    def order(self, name: str, *, rows: int = 12, **changes: Any) -> TrainingOrder:
        content = b"".join(chat_row(f"What is item {number}?", f"Answer {number}") for number in range(rows))
        training_uri, validation_uri = (
            f"s3://artifacts/{name}/training.jsonl",
            f"s3://artifacts/{name}/validation.jsonl",
        )
        self.objects.put(training_uri, content)
        self.objects.put(validation_uri, content)
        order = TrainingOrder(
            job_id=name,
            token=f"tunedrop-{name}",
            base_model="gpt-4.1-mini-2025-04-14",
            training_uri=training_uri,
            training_sha256=hashlib.sha256(content).hexdigest(),
            validation_uri=validation_uri,
            hyperparameters={"n_epochs": 3},
            format="chat",
            job_name=None,
            register_to=None,
            task_type=None,
            created_at=datetime.now(UTC),
        )
        return msgspec.structs.replace(order, **changes)

    def preference_order(self, name: str, *, rows: int = 12, **changes: Any) -> TrainingOrder:
        """An order of preference pairs, without a validation file."""
        content = b"".join(
            pair_row(f"What is item {number}?", f"Answer {number}", f"Nobody knows item {number}")
            for number in range(rows)
        )
        order = self.order(name, validation_uri=None, format="preference", hyperparameters={"beta": 0.2})
        self.objects.put(order.training_uri, content)
        order = msgspec.structs.replace(order, training_sha256=hashlib.sha256(content).hexdigest())
        return msgspec.structs.replace(order, **changes)

    def jobs_created(self) -> int:
        return len(self.simulator.job_ids)

    def advance(self, seconds: float) -> None:
        self._clock.seconds += seconds

    def stop_in_console(self, provider_job_id: str) -> None:
        self.simulator.cancel_in_console(provider_job_id)

    def break_credentials(self) -> None:
        self.simulator.change_key("another-key")


@contextmanager
def openai_rig(tmp_path: Path, *, upload_sizes: UploadSizes = OPENAI_SIZES) -> Iterator[OpenAIRig]:
    clock = ManualClock()
    simulator = OpenAISimulator(api_key=API_KEY, clock=clock)
    with serving(simulator.app) as url:
        rig = OpenAIRig(simulator, clock, f"{url}/v1", upload_sizes)
        try:
            yield rig
        finally:
            rig.provider.close()


def chat_row(question: str, answer: str) -> bytes:
    """One line of a prepared training file."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return msgspec.json.encode({"messages": messages}) + b"\n"


def pair_row(question: str, preferred: str, other: str) -> bytes:
    """One line of a prepared training file of preference pairs."""
    pair = {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }
    return msgspec.json.encode(pair) + b"\n"
