"""The three simulated providers, served beside the embedded AWS, and how to reach them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from local.emulator.connection import ACCOUNT, EmbeddedAws
from local.simulators.bedrock.account import AwsAccount
from local.simulators.bedrock.simulator import BedrockSimulator
from local.simulators.control import training_for
from local.simulators.databricks.simulator import DatabricksSimulator
from local.simulators.openai.simulator import OpenAISimulator
from local.simulators.openai.webhooks import new_secret
from local.simulators.pace import Pace
from local.simulators.serving import serving

ACCESS_KEYS = ("test", ACCOUNT)
"""The access key ids of the embedded AWS: of its users, and of its functions, which sign with the account's number."""

TRAINING_JOB_ID = 4711
VOLUME = "/Volumes/main/tunedrop/uploads"
SCHEMA = "main.tunedrop"
GUIDE_VOLUME = "/Volumes/catalog/schema/volume"
GUIDE_SCHEMA = "catalog.schema"
"""The volume and the schema that the guide's code names."""


class LateAws:
    """The embedded AWS for a simulator that is served before it: it starts with the simulator's address."""

    def __init__(self) -> None:
        self._aws: EmbeddedAws | None = None

    def connect(self, aws: EmbeddedAws) -> None:
        self._aws = aws

    def client(self, service: str) -> Any:
        return self._connected().client(service)

    def put_event(self, event: Mapping[str, Any]) -> None:
        """Puts an event of one of AWS's own services, in EventBridge's form, on the default bus."""
        self._connected().service_events.put(
            source=event["source"],
            detail_type=event["detail-type"],
            detail=event["detail"],
            resources=event["resources"],
        )

    def _connected(self) -> EmbeddedAws:
        if self._aws is None:
            raise RuntimeError("The embedded AWS has not been started yet.")
        return self._aws


@dataclass(frozen=True, kw_only=True)
class SimulatedProviders:
    openai_url: str
    """The base URL for OpenAI's clients."""
    bedrock_url: str
    databricks_url: str
    credentials: Mapping[str, Mapping[str, str]]
    """What belongs into each provider's secret; made up for this run."""
    databricks_token: str
    """A personal access token of the workspace, as a user has one for calling it; made up for this run."""
    aws: LateAws
    openai: OpenAISimulator
    bedrock: BedrockSimulator
    databricks: DatabricksSimulator

    @property
    def aws_endpoints(self) -> dict[str, str]:
        """The services of AWS that a simulator answers for."""
        return {"bedrock": self.bedrock_url, "bedrock-runtime": self.bedrock_url}

    @property
    def urls(self) -> dict[str, str]:
        """Each simulator's own address, where faults can be asked for."""
        return {
            "openai": self.openai_url.removesuffix("/v1"),
            "bedrock": self.bedrock_url,
            "databricks": self.databricks_url,
        }

    @contextmanager
    def training_for(self, seconds: float) -> Iterator[None]:
        """The jobs that are created at the providers within the block train for so long; not nested."""
        with ExitStack() as block:
            for url in self.urls.values():
                block.enter_context(training_for(url, seconds))
            yield


@contextmanager
def simulated_providers(pace: Pace | None = None) -> Iterator[SimulatedProviders]:
    """Serves all three on free loopback ports, in threads of this process; `pace` is theirs where it is given."""
    api_key, token, client_secret = (secrets.token_urlsafe(24) for _ in range(3))
    aws = LateAws()
    openai = OpenAISimulator(api_key=api_key, pace=pace)
    bedrock = BedrockSimulator(
        account=AwsAccount(client=aws.client), access_keys=ACCESS_KEYS, pace=pace, on_job_state_change=aws.put_event
    )
    databricks = DatabricksSimulator(
        token=token,
        client_id="tunedrop",
        client_secret=client_secret,
        training_job_id=TRAINING_JOB_ID,
        volumes=[VOLUME, GUIDE_VOLUME],
        schemas=[SCHEMA, GUIDE_SCHEMA],
        pace=pace,
    )
    with ExitStack() as served:
        served.callback(bedrock.close)
        served.callback(openai.close)
        openai_url = served.enter_context(serving(openai.app)) + "/v1"
        bedrock_url = served.enter_context(serving(bedrock.app))
        databricks_url = served.enter_context(serving(databricks.app))
        yield SimulatedProviders(
            openai_url=openai_url,
            bedrock_url=bedrock_url,
            databricks_url=databricks_url,
            credentials={
                "openai": {"api_key": api_key, "base_url": openai_url, "webhook_secret": new_secret()},
                "databricks": {"host": databricks_url, "client_id": "tunedrop", "client_secret": client_secret},
            },
            databricks_token=token,
            aws=aws,
            openai=openai,
            bedrock=bedrock,
            databricks=databricks,
        )
