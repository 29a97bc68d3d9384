"""Model serving in the simulated workspace: endpoints of registered versions, and pay-per-token base models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from flask import g

from local.simulators.databricks.endpoints import Endpoint, Served, ServedEntity, Tag, Update
from local.simulators.databricks.gate import Gate, RefusalError, body_as, invalid
from local.simulators.databricks.querying import Querying
from local.simulators.databricks.registry import Registry
from local.simulators.pace import Pace

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
_FAILED = "The served entity's container did not come up."
THROUGHPUT_CHUNK = 970
"""Tokens a second; what an 8B model is provisioned in."""


class _Config(msgspec.Struct):
    served_entities: list[ServedEntity] = []


class _Create(msgspec.Struct):
    name: str
    config: _Config | None = None
    tags: list[Tag] = []


class Serving:
    """The fault `fail_job` on a creation or a change of config: it comes to nothing, for the reason in the message. On
    a deletion: it is refused as a conflict with the message; without one it is answered, and nothing goes. On
    `optimization_info`: the model that is asked about cannot be optimized from then on."""

    def __init__(
        self,
        registry: Registry,
        *,
        base_models: Iterable[str],
        pace: Pace,
        clock: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._pace = pace
        self._clock = clock
        self._now_ms = now_ms
        self._not_optimizable: set[str] = set()
        self.endpoints = {name: Endpoint(name=name, created_ms=now_ms(), pay_per_token=True) for name in base_models}

    def add_routes(self, gate: Gate) -> None:
        root = "/api/2.0/serving-endpoints"
        gate.route("POST", root, "serving_endpoints.create", self._create)
        gate.route("GET", root, "serving_endpoints.list", self._list)
        gate.route("GET", f"{root}/<name>", "serving_endpoints.get", self._get)
        gate.route("PUT", f"{root}/<name>/config", "serving_endpoints.update_config", self._update_config)
        gate.route("DELETE", f"{root}/<name>", "serving_endpoints.delete", self._delete)
        gate.route("GET", f"{root}/get-model-optimization-info/<model>/<version>", "optimization_info", self._info)
        Querying(self.find, now_ms=self._now_ms).add_routes(gate)

    def settle(self) -> None:
        """Lets updates that have had their time take effect."""
        for endpoint in self.endpoints.values():
            endpoint.settle(self._clock(), self._pace.deploying)

    def _create(self) -> Any:
        asked = body_as(_Create)
        if _NAME.match(asked.name) is None or asked.name.startswith("databricks-"):
            raise invalid(
                f"Endpoint name '{asked.name}' is invalid: use letters, digits, hyphens and underscores, at most 63, "
                "and do not begin with 'databricks-'."
            )
        served = self._served(asked.config)
        if asked.name in self.endpoints:
            raise RefusalError(409, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{asked.name}' already exists.")
        if len({tag.key for tag in asked.tags}) < len(asked.tags):
            raise invalid("The tags of an endpoint must have different keys.")
        endpoint = Endpoint(name=asked.name, created_ms=self._now_ms(), tags=asked.tags, update=self._update(served))
        self.endpoints[asked.name] = endpoint
        return endpoint.document()

    def _update_config(self, name: str) -> Any:
        endpoint = self._own(name)
        served = self._served(body_as(_Config))
        if endpoint.updating:
            message = f"Endpoint '{name}' cannot be updated while another update of it is in progress."
            raise RefusalError(409, "RESOURCE_CONFLICT", message)
        endpoint.update, endpoint.update_failed = self._update(served), False
        return endpoint.document()

    def _update(self, served: Served) -> Update:
        failure = None if g.failure is None else g.failure or _FAILED
        return Update(served=served, began=self._clock(), failure=failure)

    def _served(self, config: _Config | None) -> Served:
        if config is None or len(config.served_entities) != 1:
            raise invalid("The endpoint config must have exactly one served entity here.")
        entity = config.served_entities[0]
        version = self._registry.find(entity.entity_name, entity.entity_version)
        if version is None:
            raise _no_such_version(entity.entity_name, entity.entity_version)
        _check_size(entity)
        if _throughputs(entity) and entity.entity_name in self._not_optimizable:
            raise invalid(f"Model '{entity.entity_name}' is not eligible for provisioned throughput.")
        return Served(entity, version.model)

    def find(self, name: str) -> Endpoint:
        if name not in self.endpoints:
            raise RefusalError(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
        return self.endpoints[name]

    def _own(self, name: str) -> Endpoint:
        endpoint = self.find(name)
        if endpoint.pay_per_token:
            raise RefusalError(403, "PERMISSION_DENIED", f"Endpoint '{name}' is managed by Databricks.")
        return endpoint

    def _get(self, name: str) -> Any:
        return self.find(name).document()

    def _list(self) -> Any:
        return {"endpoints": [endpoint.document() for endpoint in self.endpoints.values()]}

    def _delete(self, name: str) -> Any:
        self._own(name)
        if g.failure:
            raise RefusalError(409, "RESOURCE_CONFLICT", g.failure)
        if g.failure is None:
            del self.endpoints[name]
        return {}

    def _info(self, model: str, version: str) -> Any:
        if self._registry.find(model, version) is None:
            raise _no_such_version(model, version)
        if g.failure is not None:
            self._not_optimizable.add(model)
        if model in self._not_optimizable:
            return {"optimizable": False}
        return {"optimizable": True, "model_type": "llama", "throughput_chunk_size": THROUGHPUT_CHUNK}


def _no_such_version(model: str, version: str) -> RefusalError:
    return RefusalError(404, "RESOURCE_DOES_NOT_EXIST", f"Model version '{version}' of '{model}' does not exist.")


def _throughputs(entity: ServedEntity) -> list[int]:
    both = (entity.min_provisioned_throughput, entity.max_provisioned_throughput)
    return [value for value in both if value is not None]


def _check_size(entity: ServedEntity) -> None:
    given = _throughputs(entity)
    if not given and entity.workload_size is None and entity.provisioned_model_units is None:
        raise invalid("A served entity needs a workload_size, a provisioned throughput or provisioned_model_units.")
    if any(value % THROUGHPUT_CHUNK for value in given):
        raise invalid(f"Provisioned throughput must be a multiple of the model's chunk size, {THROUGHPUT_CHUNK}.")
    if entity.min_provisioned_throughput and not entity.max_provisioned_throughput:
        raise invalid("max_provisioned_throughput must be given with min_provisioned_throughput.")
