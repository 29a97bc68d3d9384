"""What the use cases need from a provider that serves tuned models."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from tunedrop.domain.endpoint import Call, EndpointKind
from tunedrop.domain.job import Job


class ServingState(StrEnum):
    """A provider's word on an endpoint, in our terms."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"
    GONE = "gone"
    """Nothing is there, or not any more."""
    UNKNOWN = "unknown"
    """A word that this version does not know: keep asking, and log it."""


class EndpointOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider needs to serve a model. Made from the records alone, the same at every attempt."""

    job_id: str
    token: str
    """Of `endpoint_token`; a legal name and idempotency token everywhere."""
    tuned_model: str
    kind: EndpointKind
    model_units: int | None


class ProviderEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of an endpoint now."""

    state: ServingState
    raw_status: str
    error_message: str | None = None


class ServingProvider(Protocol):
    """One provider's serving API for one job's credentials. Errors are those of FineTuningProvider."""

    def find(self, order: EndpointOrder) -> str | None:
        """The provider's id of what an earlier attempt created for this order, or None."""
        ...

    def create(self, order: EndpointOrder) -> str:
        """Creates it, once, with the order's token; returns the provider's id.

        Raises SubmissionUncertainError when the reply was lost and it may exist.
        """
        ...

    def status(self, resource_id: str) -> ProviderEndpoint:
        """GONE where the provider knows no such resource."""
        ...

    def delete(self, resource_id: str) -> None:
        """Asks for its deletion; what is gone is left at that. It costs money until `status` says GONE."""
        ...

    def call(self, resource_id: str) -> Call:
        """How a model that is served so is called."""
        ...


class ConnectServing(Protocol):
    def __call__(self, job: Job) -> ServingProvider:
        """The job's provider, with the credentials that it names. Raises CredentialsError, SettingsMissingError."""
        ...


class ModelRemoval(Protocol):
    def delete(self, tuned_model: str) -> None:
        """Deletes a tuned model at the provider; one that is gone is left at that.

        Raises ConflictError while it is deployed, and what a FineTuningProvider raises.
        """
        ...
