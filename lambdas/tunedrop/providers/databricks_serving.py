"""Databricks: a serving endpoint of a registered model version, which scales to zero while nobody asks.

A job's endpoint has the same name at every start, so that its address stays the same. Names are unique in a workspace,
so creating is safe to repeat: what has the name is the job's own, or in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import quote

import msgspec
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidState, NotFound, ResourceConflict
from databricks.sdk.service.serving import EndpointCoreConfigInput, EndpointTag, ServedEntityInput

from tunedrop.domain.endpoint import Call
from tunedrop.domain.errors import ProviderRejectedError, ProviderUnavailableError
from tunedrop.domain.serving_ports import EndpointOrder, ProviderEndpoint, ServingState
from tunedrop.providers.databricks_endpoints import ServingEndpoint
from tunedrop.providers.databricks_errors import translated
from tunedrop.providers.databricks_workspace import address, checked, connect, read_document

JOB_TAG = "tunedrop_job_id"
_NAME_PREFIX = "tunedrop-"
_ENDPOINTS = "/api/2.0/serving-endpoints"
_NO_SUCH_PATH = "ENDPOINT_NOT_FOUND"
"""Despite its name the code for a path of the API that does not exist, such as at a host that is no workspace."""


class _OptimizationInfo(msgspec.Struct, frozen=True):
    """How a model version can be served with provisioned throughput; of an API that the SDK has no method for."""

    optimizable: bool = False
    throughput_chunk_size: int | None = None
    """Tokens a second; throughput comes in multiples of it."""


class DatabricksServing:
    """A ServingProvider; an endpoint's id is its name.

    `secret` holds {host, client_id, client_secret} or {host, token}. Raises CredentialsError when it cannot be used.
    """

    def __init__(self, *, secret: Mapping[str, str], http_timeout_seconds: float = 10.0) -> None:
        self._credentials = checked(secret)
        self._http_timeout_seconds = http_timeout_seconds

    @cached_property
    def _workspace(self) -> WorkspaceClient:
        return connect(self._credentials, http_timeout_seconds=self._http_timeout_seconds)

    def find(self, order: EndpointOrder) -> str | None:
        """The job's endpoint if it is there and serves the job's model, whichever start made it."""
        name, (model, version) = endpoint_name(order.job_id), _model_version(order)
        endpoint = self._read(name)
        ours = endpoint is not None and endpoint.serves(model, version) and endpoint.has_tag(JOB_TAG, order.job_id)
        return name if ours else None

    def create(self, order: EndpointOrder) -> str:
        name = endpoint_name(order.job_id)
        config = EndpointCoreConfigInput(name=name, served_entities=[self._entity(order)])
        tags = [EndpointTag(JOB_TAG, order.job_id)]
        try:
            with translated(f"creating the serving endpoint {name}", creating=True):
                self._workspace.serving_endpoints.create(name, config=config, tags=tags)
        except ProviderRejectedError as refusal:
            if not isinstance(refusal.__cause__, ResourceConflict):
                raise
            if self.find(order) is None:
                raise ProviderRejectedError(
                    f"{refusal} It is not this job's, as it does not serve {order.tuned_model} with the tag "
                    f"{JOB_TAG}={order.job_id}: delete or rename it, and start again.",
                    provider_code=refusal.provider_code,
                ) from refusal
        return name

    def _entity(self, order: EndpointOrder) -> ServedEntityInput:
        model, version = _model_version(order)
        with translated(f"asking how {order.tuned_model} can be served"):
            path = f"{_ENDPOINTS}/get-model-optimization-info/{quote(model)}/{version}"
            info = msgspec.convert(read_document(self._workspace, path), _OptimizationInfo)
        if info.optimizable and info.throughput_chunk_size:
            return ServedEntityInput(
                entity_name=model,
                entity_version=version,
                min_provisioned_throughput=0,
                max_provisioned_throughput=info.throughput_chunk_size,
            )
        return ServedEntityInput(
            entity_name=model, entity_version=version, workload_size="Small", scale_to_zero_enabled=True
        )

    def status(self, resource_id: str) -> ProviderEndpoint:
        endpoint = self._read(resource_id)
        if endpoint is None:
            return ProviderEndpoint(state=ServingState.GONE, raw_status="RESOURCE_DOES_NOT_EXIST")
        return endpoint.standing()

    def delete(self, resource_id: str) -> None:
        endpoint = self._read(resource_id)
        if endpoint is None:
            return
        job_id = resource_id.removeprefix(_NAME_PREFIX)
        if not endpoint.has_tag(JOB_TAG, job_id):
            raise ProviderRejectedError(
                f"The serving endpoint {resource_id} is not deleted: it does not have the tag {JOB_TAG}={job_id}, so "
                "it may be somebody else's. Delete it in the workspace, or give it the tag."
            )
        doing = f"deleting the serving endpoint {resource_id}"
        with translated(doing):
            try:
                self._workspace.serving_endpoints.delete(resource_id)
            except NotFound as error:
                if error.error_code == _NO_SUCH_PATH:
                    raise
            except (ResourceConflict, InvalidState) as error:
                # So it is while an update goes on.
                raise ProviderUnavailableError(f"Databricks refused for now while {doing}: {error}") from error

    def call(self, resource_id: str) -> Call:
        return Call(
            model_id=resource_id,
            litellm_model=f"databricks/{resource_id}",
            url=f"{address(self._credentials)}/serving-endpoints/{resource_id}/invocations",
        )

    def _read(self, name: str) -> ServingEndpoint | None:
        with translated(f"reading the serving endpoint {name}"):
            try:
                answer = read_document(self._workspace, f"{_ENDPOINTS}/{name}")
            except NotFound as error:
                if error.error_code == _NO_SUCH_PATH:
                    raise
                return None
        return msgspec.convert(answer, ServingEndpoint)


def endpoint_name(job_id: str) -> str:
    """At most 63 characters: letters, digits, hyphens."""
    return f"{_NAME_PREFIX}{job_id}"


def _model_version(order: EndpointOrder) -> tuple[str, str]:
    """Of `catalog.schema.model/version`."""
    model, _, version = order.tuned_model.rpartition("/")
    return model, version
