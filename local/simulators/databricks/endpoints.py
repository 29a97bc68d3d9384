"""A serving endpoint of the simulated workspace: what it serves, what it is being updated to, and its states."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from local.simulators.answers import TunedModel


class ServedEntity(msgspec.Struct, kw_only=True, frozen=True):
    entity_name: str
    entity_version: str
    min_provisioned_throughput: int | None = None
    max_provisioned_throughput: int | None = None
    provisioned_model_units: int | None = None
    workload_size: Literal["Small", "Medium", "Large"] | None = None
    workload_type: str | None = None
    scale_to_zero_enabled: bool | None = None
    name: str | None = None


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    value: str | None = None


class Served(msgspec.Struct, frozen=True):
    entity: ServedEntity
    model: TunedModel


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """On its way from `began`, in the simulator's seconds. With a `failure` it will come to nothing."""

    served: Served
    began: float
    failure: str | None


class Endpoint(msgspec.Struct, kw_only=True):
    """Its creation is its first update. One that is pay per token has no entity, and is there from the start."""

    name: str
    created_ms: int
    tags: list[Tag] = []
    active: Served | None = None
    update: Update | None = None
    update_failed: bool = False
    config_version: int = 0
    pay_per_token: bool = False

    @property
    def ready(self) -> bool:
        return self.pay_per_token or self.active is not None

    @property
    def updating(self) -> bool:
        return self.update is not None and not self.update_failed

    def settle(self, now: float, deploying: float) -> None:
        """Lets an update that has had its time take effect, or fail."""
        if self.update is None or self.update_failed or now - self.update.began < deploying:
            return
        if self.update.failure is not None:
            self.update_failed = True
            return
        self.active, self.update = self.update.served, None
        self.config_version += 1

    def document(self) -> dict[str, Any]:
        update = "UPDATE_FAILED" if self.update_failed else "IN_PROGRESS" if self.update else "NOT_UPDATING"
        document: dict[str, Any] = {
            "name": self.name,
            "id": uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}{self.created_ms}").hex,
            "task": "llm/v1/chat",
            "creation_timestamp": self.created_ms,
            "tags": msgspec.to_builtins(self.tags),
            "state": {"ready": "READY" if self.ready else "NOT_READY", "config_update": update},
        }
        if self.ready:
            entity = self._entity(self.active, "DEPLOYMENT_READY", "")
            document["config"] = {"served_entities": [entity], "config_version": self.config_version}
        if self.update is not None:
            words = (self.update.failure or "") if self.update_failed else "Creating the served entity."
            state = "DEPLOYMENT_FAILED" if self.update_failed else "DEPLOYMENT_CREATING"
            entity = self._entity(self.update.served, state, words)
            document["pending_config"] = {"served_entities": [entity], "config_version": self.config_version + 1}
        return document

    def _entity(self, served: Served | None, state: str, words: str) -> dict[str, Any]:
        document: dict[str, Any] = {"name": self.name}
        if served is not None:
            given = msgspec.to_builtins(served.entity)
            document |= {key: value for key, value in given.items() if value is not None}
        return document | {"state": {"deployment": state, "deployment_state_message": words}}
