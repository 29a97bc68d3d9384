"""A provider's serving in memory: it keeps what it serves, counts what it made, and does what a test tells it to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tunedrop.domain.endpoint import Call
from tunedrop.domain.errors import ConflictError
from tunedrop.domain.serving_ports import EndpointOrder, ProviderEndpoint, ServingState


@dataclass
class MemoryServing:
    """A ServingProvider without idempotency: two creates make two resources, so that a test can see the second."""

    orders: dict[str, EndpointOrder] = field(default_factory=dict)
    """What was ever created, by the id it got."""
    states: dict[str, ServingState] = field(default_factory=dict)
    """What is there now, by its id; what is gone is not in it."""
    deletions: list[str] = field(default_factory=list)
    """Every deletion that was asked for."""
    answers: deque[ProviderEndpoint | Exception] = field(default_factory=deque)
    """What the next calls of `status` say, before the truth is said again."""
    find_errors: deque[Exception] = field(default_factory=deque)
    create_errors: deque[Exception] = field(default_factory=deque)
    """Raised by the next calls, before anything happens."""
    lost_replies: deque[Exception] = field(default_factory=deque)
    """Raised by the next creates, after the resource was made."""
    delete_errors: deque[Exception] = field(default_factory=deque)
    deaf: bool = False
    """Whether deletions are accepted and have no effect."""
    hidden: bool = False
    """Whether what was created cannot be seen yet."""

    def find(self, order: EndpointOrder) -> str | None:
        if self.find_errors:
            raise self.find_errors.popleft()
        found = [each for each in self.states if self.orders[each].token == order.token]
        return None if self.hidden or not found else found[0]

    def create(self, order: EndpointOrder) -> str:
        if self.create_errors:
            raise self.create_errors.popleft()
        resource_id = f"ep-{len(self.orders)}"
        self.orders[resource_id] = order
        self.states[resource_id] = ServingState.STARTING
        if self.lost_replies:
            raise self.lost_replies.popleft()
        return resource_id

    def status(self, resource_id: str) -> ProviderEndpoint:
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer
        state = ServingState.GONE if self.hidden else self.states.get(resource_id, ServingState.GONE)
        return ProviderEndpoint(state=state, raw_status=state.upper())

    def delete(self, resource_id: str) -> None:
        self.deletions.append(resource_id)
        if self.delete_errors:
            raise self.delete_errors.popleft()
        if not self.deaf:
            self.states.pop(resource_id, None)

    def call(self, resource_id: str) -> Call:
        return Call(model_id=resource_id, litellm_model=f"memory/{resource_id}")

    def become(self, state: ServingState) -> None:
        """What is there is in this state from now on."""
        self.states = dict.fromkeys(self.states, state)

    def vanish(self) -> None:
        """Somebody deletes everything in the provider's console."""
        self.states.clear()


class MemoryModels:
    """A ModelRemoval; `deployed` are the models that cannot be deleted now."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.deployed: set[str] = set()

    def delete(self, tuned_model: str) -> None:
        if tuned_model in self.deployed:
            raise ConflictError("model_deployed", f"{tuned_model} is deployed.")
        self.deleted.append(tuned_model)
