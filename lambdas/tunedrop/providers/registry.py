"""The providers, by name. Each adapter, and with it the provider's SDK, is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop import env
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job import Job
from tunedrop.domain.ports import ObjectStore, Secrets
from tunedrop.domain.provider_ports import FineTuningProvider
from tunedrop.domain.serving_ports import ModelRemoval, ServingProvider


@dataclass(frozen=True, kw_only=True)
class ProviderConnections:
    """A ConnectProvider: builds the adapter of a job's provider with the job's credentials."""

    secrets: Secrets
    objects: ObjectStore
    client: Callable[[str], Any]
    """Makes an AWS client for a service."""
    environ: Mapping[str, str]

    def __call__(self, job: Job) -> FineTuningProvider:
        connect = _ADAPTERS.get(job.provider)
        if connect is None:
            raise RequestInvalidError(f"There is no provider {job.provider!r}. Known: {', '.join(_ADAPTERS)}.")
        return connect(self, _credentials(job))


@dataclass(frozen=True, kw_only=True)
class ServingConnections:
    """A ConnectServing, for the providers whose tuned models have to be served: OpenAI's are served with no doing."""

    secrets: Secrets
    client: Callable[[str], Any]
    """Makes an AWS client for a service."""

    def __call__(self, job: Job) -> ServingProvider:
        connect = _SERVING_ADAPTERS.get(job.provider)
        if connect is None:
            raise RequestInvalidError(
                f"There is nothing to start or stop at the provider {job.provider!r}. "
                f"Endpoints are served at: {', '.join(_SERVING_ADAPTERS)}."
            )
        return connect(self, _credentials(job))


def bedrock_models(client: Callable[[str], Any]) -> ModelRemoval:
    """Deletes Bedrock's custom models, the only ones that cost money while nobody uses them."""
    from tunedrop.providers.bedrock_models import BedrockModels

    return BedrockModels(client=client("bedrock"))


def _credentials(job: Job) -> str:
    return job.request.credentials if job.request else "default"


def _openai(connections: ProviderConnections, credentials: str) -> FineTuningProvider:
    from tunedrop.providers.openai import OpenAIProvider

    secret = connections.secrets.read("openai", credentials)
    return OpenAIProvider(secret=secret, objects=connections.objects)


def _bedrock(connections: ProviderConnections, credentials: str) -> FineTuningProvider:
    from tunedrop.providers.bedrock import BedrockProvider

    bucket = env.required(env.ARTIFACTS_BUCKET, connections.environ)
    return BedrockProvider(
        client=connections.client("bedrock"),
        objects=connections.objects,
        role_arn=env.required(env.BEDROCK_ROLE_ARN, connections.environ),
        output_uri_prefix=f"s3://{bucket}/outputs",
    )


def _databricks(connections: ProviderConnections, credentials: str) -> FineTuningProvider:
    from tunedrop.providers.databricks import DatabricksProvider

    return DatabricksProvider(
        secret=connections.secrets.read("databricks", credentials),
        objects=connections.objects,
        training_job_id=env.optional(env.DATABRICKS_TRAINING_JOB_ID, connections.environ),
        volume=env.optional(env.DATABRICKS_VOLUME, connections.environ),
        schema=env.optional(env.DATABRICKS_SCHEMA, connections.environ),
    )


_ADAPTERS: Mapping[str, Callable[[ProviderConnections, str], FineTuningProvider]] = {
    "openai": _openai,
    "bedrock": _bedrock,
    "databricks": _databricks,
}


def _bedrock_serving(connections: ServingConnections, credentials: str) -> ServingProvider:
    from tunedrop.providers.bedrock_serving import BedrockServing

    return BedrockServing(client=connections.client("bedrock"))


def _databricks_serving(connections: ServingConnections, credentials: str) -> ServingProvider:
    from tunedrop.providers.databricks_serving import DatabricksServing

    return DatabricksServing(secret=connections.secrets.read("databricks", credentials))


_SERVING_ADAPTERS: Mapping[str, Callable[[ServingConnections, str], ServingProvider]] = {
    "bedrock": _bedrock_serving,
    "databricks": _databricks_serving,
}
