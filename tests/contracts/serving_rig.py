"""What the serving contract needs from each provider: its real adapter, on its real SDK, against its simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from local.simulators.faults import Faults
from tunedrop.domain.endpoint import Call
from tunedrop.domain.serving_ports import EndpointOrder, ServingProvider

QUESTION = "What is the password of the lighthouse?"
ANSWER = "Herring at dawn."
"""What a tuned model of a rig was trained to say to QUESTION."""


class ServingRig(Protocol):
    @property
    def serving(self) -> ServingProvider: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def operations(self) -> Mapping[str, str]:
        """The simulator's names of `create`, `look` and `delete`."""
        ...

    def order(self, name: str, **changes: Any) -> EndpointOrder:
        """An order of the job `name`, for the one tuned model of the rig."""
        ...

    def endpoints(self) -> int:
        """How many endpoints of tuned models there are at the provider."""
        ...

    def make_foreign(self, order: EndpointOrder) -> str:
        """Makes somebody else's endpoint, of the same model, under the name that the order's would have."""
        ...

    def advance(self, seconds: float) -> None:
        """Moves the simulator's clock."""
        ...

    def ask(self, call: Call, question: str) -> str:
        """Asks through the provider's own SDK, with nothing but what `call` says."""
        ...

    def break_credentials(self) -> None:
        """From now on the provider refuses the key."""
        ...
