"""The functions' AWS clients: one a service, made when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CLIENT_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    # Safe on every call that is made: writes to records are conditional, and what creates a job carries its token.
    retries={"mode": "standard", "total_max_attempts": 3},
)
"""Every call is bounded well below the functions' timeouts."""


@cache
def client(service: str, config: Config = CLIENT_CONFIG) -> Any:
    """boto3's client of `service`, in the function's own region."""
    return boto3.client(service, config=config)
