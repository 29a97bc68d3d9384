"""What the provider contract needs from each provider: its real adapter, on its real SDK, against its simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from local.simulators.faults import Faults
from tunedrop.domain.provider_ports import FineTuningProvider, TrainingOrder


class ProviderRig(Protocol):
    @property
    def provider(self) -> FineTuningProvider: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def operations(self) -> Mapping[str, str]:
        """The simulator's names of `create`, `status`, `stop`, and of `find` and `upload` where there is one."""
        ...

    def order(self, name: str, *, rows: int = 12, **changes: Any) -> TrainingOrder:
        """An order whose prepared files are where the adapter reads them; its token is `tunedrop-<name>`."""
        ...

    def jobs_created(self) -> int:
        """How many jobs exist at the provider."""
        ...

    def advance(self, seconds: float) -> None:
        """Moves the simulator's clock."""
        ...

    def stop_in_console(self, provider_job_id: str) -> None:
        """Stops a job as somebody with the provider's own console would."""
        ...

    def break_credentials(self) -> None:
        """From now on the provider refuses the key."""
        ...
