"""Which providers tell by themselves that a job has ended: where they do, Tunedrop asks less often."""

from __future__ import annotations

import pytest

from local.simulators.openai.webhooks import new_secret
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.providers.bedrock import BedrockProvider
from tunedrop.providers.databricks import DatabricksProvider
from tunedrop.providers.openai import OpenAIProvider


@pytest.mark.parametrize(
    ("fields", "tells"),
    [
        ({}, False),
        ({"webhook_secret": ""}, False),
        # The webhook would refuse every event: waiting for one would be in vain.
        ({"webhook_secret": "not-a-signing-secret"}, False),
        ({"webhook_secret": new_secret()}, True),
    ],
)
def test_openai_tells_where_webhooks_are_set_up(fields: dict[str, str], tells: bool) -> None:
    provider = OpenAIProvider(secret={"api_key": "k", **fields}, objects=MemoryObjectStore())

    assert provider.tells_news is tells
    provider.close()


def test_bedrock_tells_on_the_event_bus() -> None:
    provider = BedrockProvider(client=None, objects=MemoryObjectStore(), role_arn="r", output_uri_prefix="s3://a/o")

    assert provider.tells_news


def test_databricks_does_not_tell() -> None:
    provider = DatabricksProvider(
        secret={"host": "https://dbc-1.cloud.databricks.com", "token": "t"},
        objects=MemoryObjectStore(),
        training_job_id=None,
        volume=None,
        schema=None,
    )

    assert not provider.tells_news
