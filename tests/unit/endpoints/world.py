"""An endpoint's world in memory: its use cases on one record, and its execution, driven as Step Functions drives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.builders import JOB_ID
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryEndpointStore, MemoryJobStore
from tests.fakes.serving import MemoryServing
from tests.fakes.workflow import MemoryTaskTokens, MemoryWorkflow
from tests.unit.endpoints.builders import STARTED, served_job
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.errors import TransientError
from tunedrop.domain.job import Job
from tunedrop.domain.job_request import EndpointRequest
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.serving_ports import ConnectServing, ServingState
from tunedrop.endpoints.bring_up import BringUpEndpoint
from tunedrop.endpoints.look import LookAtEndpoint
from tunedrop.endpoints.start import StartEndpoint
from tunedrop.endpoints.step import EndpointOutcome, EndpointStep
from tunedrop.endpoints.stop import StopEndpoint
from tunedrop.endpoints.take_down import TakeDownEndpoint
from tunedrop.endpoints.wake import WakeEndpoint

_WAIT = "wait:"

WAYS: dict[str, dict[EndpointOutcome, str]] = {
    "Start": {
        EndpointOutcome.START: f"{_WAIT}Start",
        EndpointOutcome.STARTING: f"{_WAIT}Poll",
        EndpointOutcome.STOP: "Stop",
        EndpointOutcome.GONE: "Gone",
        EndpointOutcome.FAILED: "Failed",
    },
    "Poll": {
        EndpointOutcome.START: "Start",
        EndpointOutcome.STARTING: f"{_WAIT}Poll",
        EndpointOutcome.READY: "Ready",
        EndpointOutcome.HOLD: f"{_WAIT}Poll",
        EndpointOutcome.STOP: "Stop",
        EndpointOutcome.STOPPING: f"{_WAIT}Poll",
        EndpointOutcome.GONE: "Gone",
        EndpointOutcome.FAILED: "Failed",
    },
    "Stop": {EndpointOutcome.STOPPING: f"{_WAIT}Poll", EndpointOutcome.GONE: "Gone", EndpointOutcome.FAILED: "Failed"},
}
"""What the definition does with each outcome; a test compares the two."""
ENDS = ("Ready", "Gone", "Failed")


class Crash(BaseException):
    """The function's environment died."""


@dataclass
class World:
    jobs: MemoryJobStore = field(default_factory=MemoryJobStore)
    endpoints: MemoryEndpointStore = field(default_factory=MemoryEndpointStore)
    serving: MemoryServing = field(default_factory=MemoryServing)
    workflow: MemoryWorkflow = field(default_factory=lambda: MemoryWorkflow("endpoint"))
    tokens: MemoryTaskTokens = field(default_factory=MemoryTaskTokens)
    clock: FakeClock = field(default_factory=lambda: FakeClock(STARTED))
    troubles: list[str] = field(default_factory=list)
    connect_error: Exception | None = None
    visited: list[str] = field(default_factory=list)
    """The steps and the waits, `wait:<outcome>`, that executions went through."""

    def __post_init__(self) -> None:
        self.jobs.create(served_job())
        polling = PollingPolicy(jitter=0)
        connect: ConnectServing = self._connect
        self.wake = WakeEndpoint(endpoints=self.endpoints, tokens=self.tokens, clock=self.clock)
        self.bring_up = BringUpEndpoint(
            jobs=self.jobs, endpoints=self.endpoints, connect=connect, clock=self.clock, polling=polling
        )
        self.look = LookAtEndpoint(
            jobs=self.jobs, endpoints=self.endpoints, connect=connect, clock=self.clock, polling=polling
        )
        self.take_down = TakeDownEndpoint(
            jobs=self.jobs,
            endpoints=self.endpoints,
            connect=connect,
            clock=self.clock,
            polling=polling,
            trouble=self.troubles.append,
        )
        self.start_endpoint = StartEndpoint(
            jobs=self.jobs, endpoints=self.endpoints, workflow=self.workflow, wake=self.wake, clock=self.clock
        )
        self.stop_endpoint = StopEndpoint(
            jobs=self.jobs, endpoints=self.endpoints, workflow=self.workflow, wake=self.wake, clock=self.clock
        )

    def _connect(self, job: Job) -> MemoryServing:
        if self.connect_error is not None:
            raise self.connect_error
        return self.serving

    @property
    def endpoint(self) -> Endpoint:
        return self.endpoints.endpoints[JOB_ID]

    def put(self, endpoint: Endpoint) -> Endpoint:
        self.endpoints.create(endpoint)
        return endpoint

    def start(self, **request: object) -> Endpoint:
        return self.start_endpoint(JOB_ID, EndpointRequest(**request))  # type: ignore[arg-type]

    def stop(self) -> Endpoint:
        return self.stop_endpoint(JOB_ID)

    def step(self, name: str) -> EndpointStep:
        steps: dict[str, Callable[[str], EndpointStep]] = {
            "Start": self.bring_up,
            "Poll": self.look,
            "Stop": self.take_down,
        }
        return steps[name](JOB_ID)

    def walk(self, at: str = "Start", *, until: str = "", limit: int = 200) -> str:
        """Drives an execution from the step `at` to its end, or until it waits with the outcome `until`; where it is.

        What escapes a step is tried again 2 s later, as a Retry does; what kills its function, too.
        """
        for _ in range(limit):
            if at in ENDS:
                return at
            self.visited.append(at)
            try:
                result = self.step(at)
            except (TransientError, Crash):
                self.clock.advance(seconds=2)
                continue
            at = WAYS[at][result.outcome]
            if at.startswith(_WAIT):
                assert result.wait_seconds >= 1
                self.visited.append(f"wait:{result.outcome}")
                if result.outcome == until:
                    return at.removeprefix(_WAIT)
                self.clock.advance(seconds=result.wait_seconds)
                at = at.removeprefix(_WAIT)
        raise AssertionError(f"still going after {limit} steps: {self.visited[-10:]}")

    def comes_up(self) -> None:
        """It is created and ready at the provider, and its execution waits or has ended."""
        assert self.walk(until="starting") == "Poll"
        self.serving.become(ServingState.READY)
        assert self.walk("Poll", until="hold") in ("Ready", "Poll")
        assert self.endpoint.status is EndpointStatus.READY
