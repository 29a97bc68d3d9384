"""Where the stack is and who calls it: the API's URL, its stage and region, and the caller's credentials."""

from __future__ import annotations

import ipaddress
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from tunedrop.client.errors import ConfigurationError, ConnectionFailedError

URL_VARIABLE = "TUNEDROP_URL"
DEFAULT_PROFILE = "default"
_LONGEST_CONNECT_SECONDS = 10.0

_AWS_HOST = re.compile(r".+\.execute-api\.(?P<region>[a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?")
_URL_HELP = (
    "It is the stack's output ApiUrl, as https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev: "
    f"pass it as url, or set {URL_VARIABLE}."
)


class Connection:
    """May be used by threads. Raises ConfigurationError for a URL, profile or region that cannot be used."""

    def __init__(self, url: str | None = None, *, profile: str | None = None, region: str | None = None) -> None:
        self.url = _checked_url(url or os.environ.get(URL_VARIABLE))
        self.profile = profile
        self._session = _session(profile)
        self._clients: dict[tuple[str, float | None, int | None], Any] = {}
        self._lock = threading.RLock()
        self.region = self._region(region)

    @property
    def stage(self) -> str:
        """The last part of the URL's path. Raises ConfigurationError for a domain of one's own without a path."""
        stage = urlsplit(self.url).path.rpartition("/")[2]
        if not stage:
            raise ConfigurationError(f"{self.url} does not tell the stack's stage: use the URL in its output ApiUrl.")
        return stage

    @property
    def is_local(self) -> bool:
        """Whether the API is on this machine: then no proxy of the environment is in between."""
        return _is_loopback(urlsplit(self.url).hostname or "")

    @property
    def ca_bundle(self) -> str | None:
        """The file of certificates that AWS's tools were told to trust; None: the usual ones."""
        found = self._session.get_config_variable("ca_bundle")
        return str(found) if found else None

    @property
    def credentials(self) -> Any:
        """The caller's, as botocore finds and refreshes them. Raises ConfigurationError where there are none."""
        with self._lock, reading_credentials():
            found = self._session.get_credentials()
        if found is None:
            of_profile = f" in the profile {self.profile!r}" if self.profile else ""
            raise ConfigurationError(
                f"There are no AWS credentials{of_profile}. Sign in (aws sso login, aws configure), set AWS_PROFILE, "
                "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        return found

    def client(self, service: str, *, timeout: float | None = None, attempts: int | None = None) -> Any:
        """botocore's client of an AWS service, in the stack's region and by the caller's credentials; made once.

        `timeout`: seconds for an answer; `attempts`: tries of a call in all. botocore's own unless given.
        """
        kind = (service, timeout, attempts)
        with self._lock:
            if kind not in self._clients:
                self._clients[kind] = self._create(service, timeout, attempts)
            return self._clients[kind]

    def _create(self, service: str, timeout: float | None, attempts: int | None) -> Any:
        settings: dict[str, Any] = {"proxies": {}} if self.is_local else {}
        if timeout is not None:
            settings |= {"connect_timeout": min(timeout, _LONGEST_CONNECT_SECONDS), "read_timeout": timeout}
        if attempts is not None:
            settings["retries"] = {"total_max_attempts": attempts, "mode": "standard"}
        config = Config(user_agent_extra="tunedrop", **settings)
        try:
            return self._session.create_client(service, region_name=self.region, config=config)
        except (BotoCoreError, ValueError) as error:
            raise ConfigurationError(f"AWS ({service}) cannot be called: {error}") from error

    def _region(self, asked: str | None) -> str:
        host = _AWS_HOST.fullmatch(urlsplit(self.url).hostname or "")
        if host is not None:
            if asked not in (None, host["region"]):
                raise ConfigurationError(
                    f"region is {asked!r}, but the API is in {host['region']}, as its URL says. Leave region out."
                )
            return host["region"]
        region = asked or os.environ.get("AWS_REGION") or self._session.get_config_variable("region")
        if not region:
            raise ConfigurationError("There is no AWS region: pass region, or set AWS_REGION.")
        return str(region)

    def __repr__(self) -> str:
        return f"Connection({self.url!r}, region={self.region!r}, profile={self.profile!r})"


def connected(connection: Connection, profile: str | None) -> Connection:
    """The same stack with another profile's credentials; the same connection where that is its profile already."""
    if profile is None or profile == connection.profile:
        return connection
    return Connection(connection.url, profile=profile, region=connection.region)


@contextmanager
def reading_credentials() -> Iterator[None]:
    """What finding or refreshing them may raise, in our words: a program is run, a service asked, a file read."""
    try:
        yield
    except (botocore.exceptions.ConnectionError, HTTPClientError) as error:
        raise ConnectionFailedError(f"The AWS credentials cannot be refreshed: {error}") from error
    except (BotoCoreError, ClientError, OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"The AWS credentials cannot be used: {error}. Sign in again (aws sso login), or get new ones."
        ) from error


def _session(profile: str | None) -> Any:
    try:
        session = botocore.session.Session()
        known = session.available_profiles
        if profile is not None and profile not in known:
            if profile != DEFAULT_PROFILE:
                raise ConfigurationError(_unknown_profile(profile, known))
            profile = None  # nothing is configured under this name, which stands for what is there without a name
        session = botocore.session.Session(profile=profile)
        session.get_scoped_config()
    except BotoCoreError as error:
        raise ConfigurationError(f"The AWS configuration cannot be used: {error}") from error
    return session


def _unknown_profile(profile: str, known: list[str]) -> str:
    there = ", ".join(sorted(known)) or "there are none"
    return f"There is no AWS profile {profile!r} (known: {there}). Add it with: aws configure --profile {profile}"


def _checked_url(url: str | None) -> str:
    if not url or not url.strip():
        raise ConfigurationError(f"There is no URL of a Tunedrop stack. {_URL_HELP}")
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"The URL cannot be read ({error}). {_URL_HELP}") from error
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"The URL holds a user name or password: leave it out. {_URL_HELP}")
    if not host or parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{url!r} is not the URL of a stack. {_URL_HELP}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigurationError(f"{url!r} is not encrypted: only https is called, except on this machine.")
    if _AWS_HOST.fullmatch(host) and not re.fullmatch(r"/[^/]+", parts.path):
        raise ConfigurationError(f"{url!r} does not end with the stage. {_URL_HELP}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
