"""Serving endpoints as Databricks describes them, and what their states mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tunedrop.domain.serving_ports import ProviderEndpoint, ServingState

READINESS: Mapping[str, ServingState] = {
    # It answers, whatever becomes of an update that somebody has begun since.
    "READY": ServingState.READY,
    "NOT_READY": ServingState.STARTING,
}
UPDATES: Mapping[str, ServingState] = {
    "IN_PROGRESS": ServingState.STARTING,
    # Between the creation and its first update, or recovering, or stopped by hand.
    "NOT_UPDATING": ServingState.STARTING,
    "UPDATE_FAILED": ServingState.FAILED,
    "UPDATE_CANCELED": ServingState.FAILED,
}
"""Of `config_update`, where the endpoint does not answer: its creation is the first update."""

DEPLOYMENTS: Mapping[str, ServingState] = {
    "DEPLOYMENT_CREATING": ServingState.STARTING,
    "DEPLOYMENT_RECOVERING": ServingState.STARTING,
    "DEPLOYMENT_READY": ServingState.STARTING,
    "DEPLOYMENT_FAILED": ServingState.FAILED,
    "DEPLOYMENT_ABORTED": ServingState.FAILED,
}
"""Of a served entity, where the endpoint does not answer."""


class EntityState(msgspec.Struct, frozen=True):
    deployment: str | None = None
    deployment_state_message: str | None = None


class Entity(msgspec.Struct, frozen=True):
    entity_name: str | None = None
    entity_version: str | None = None
    state: EntityState = EntityState()


class Config(msgspec.Struct, frozen=True):
    served_entities: tuple[Entity, ...] = ()


class State(msgspec.Struct, frozen=True):
    ready: str | None = None
    config_update: str | None = None


class Tag(msgspec.Struct, frozen=True):
    key: str
    value: str | None = None


class ServingEndpoint(msgspec.Struct, frozen=True):
    """What is needed of `GET /api/2.0/serving-endpoints/{name}`. Words of the API are kept as they came."""

    name: str
    state: State = State()
    config: Config | None = None
    pending_config: Config | None = None
    tags: tuple[Tag, ...] = ()

    def entities(self) -> Iterator[Entity]:
        """Those that are coming up first: they are what a failure is about."""
        for config in (self.pending_config, self.config):
            yield from config.served_entities if config is not None else ()

    def serves(self, model: str, version: str) -> bool:
        return any((entity.entity_name, entity.entity_version) == (model, version) for entity in self.entities())

    def has_tag(self, key: str, value: str) -> bool:
        return Tag(key, value) in self.tags

    def standing(self) -> ProviderEndpoint:
        state = self._state()
        words = self._failure() if state is ServingState.FAILED else None
        return ProviderEndpoint(state=state, raw_status=self._raw(), error_message=words)

    def _state(self) -> ServingState:
        readiness = READINESS.get(self.state.ready or "", ServingState.UNKNOWN)
        if readiness is not ServingState.STARTING:
            return readiness
        parts = [UPDATES.get(self.state.config_update or "", ServingState.UNKNOWN)]
        parts += [DEPLOYMENTS.get(word, ServingState.UNKNOWN) for word in self._deployments()]
        for state in (ServingState.FAILED, ServingState.UNKNOWN):
            if state in parts:
                return state
        return ServingState.STARTING

    def _deployments(self) -> list[str]:
        return [entity.state.deployment for entity in self.entities() if entity.state.deployment]

    def _failure(self) -> str:
        messages = (
            entity.state.deployment_state_message
            for entity in self.entities()
            if DEPLOYMENTS.get(entity.state.deployment or "") is ServingState.FAILED
        )
        said = next((message for message in messages if message), None)
        return said or f"The endpoint did not come up: {self._raw()}. Its logs in the workspace may say why."

    def _raw(self) -> str:
        words = [self.state.ready, self.state.config_update]
        if READINESS.get(self.state.ready or "") is not ServingState.READY:
            words += self._deployments()
        return " ".join(word for word in words if word)
