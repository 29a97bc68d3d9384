"""How programs reach an embedded AWS that runs."""

import functools
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local.emulator.service_events import ServiceEvents

REGION = "us-east-1"
ACCOUNT = "000000000000"
_NOTHING = os.devnull
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_session_lock = threading.Lock()


@functools.cache
def _session() -> boto3.Session:
    """One session for all clients, as reading a service's model is most of the time that a client takes to make."""
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, _NOTHING, None),
            "credentials_file": (None, None, _NOTHING, None),
        }
    )
    return boto3.Session(botocore_session=core)


def endpoint_variables(endpoints: Mapping[str, str]) -> dict[str, str]:
    """The variables by which the AWS SDKs find a service elsewhere, such as `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`."""
    return {f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}": url for service, url in endpoints.items()}


@dataclass(frozen=True)
class EmbeddedAws:
    """An embedded AWS that runs."""

    url: str
    """The endpoint of every service."""
    pid: int
    """Its process, which leads a process group of the same number."""
    log_file: Path
    service_events: ServiceEvents
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Services that are elsewhere, by their names in boto3."""

    @property
    def environment(self) -> dict[str, str]:
        """The `AWS_*` variables by which the SDKs, the CLI and `cdk` reach it, with made-up credentials."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **endpoint_variables(self.endpoints),
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def command_environment(self) -> dict[str, str]:
        """The whole environment for a command: this program's, with `environment` in place of the user's own AWS."""
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and name.lower() not in {"http_proxy", "https_proxy", "all_proxy"}
        }
        return {**own, "AWS_CONFIG_FILE": _NOTHING, "AWS_SHARED_CREDENTIALS_FILE": _NOTHING, **self.environment}

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client at this endpoint, or where `endpoints` says; `config` as for `botocore.config.Config`.

        The user's AWS profile and proxies do not matter to it.
        """
        with _session_lock:
            return _session().client(
                service,
                endpoint_url=self.endpoints.get(service, self.url),
                region_name=REGION,
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
                config=Config(proxies={}, **config),
            )
