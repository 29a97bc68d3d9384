"""The functions' environment variables: names for the stack, typed parsing for the functions.

Optional variables have a default here and are not in the template; a function's environment may still set them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

STAGE = "STAGE"
JOBS_TABLE = "JOBS_TABLE"
INBOX_BUCKET = "INBOX_BUCKET"
ARTIFACTS_BUCKET = "ARTIFACTS_BUCKET"
TOPIC_ARN = "TOPIC_ARN"
STATE_MACHINE_ARN_PREFIX = "STATE_MACHINE_ARN_PREFIX"
"""Of the machines of fine-tuning jobs; a provider's name behind it makes an ARN."""
ENDPOINT_MACHINE_ARN_PREFIX = "ENDPOINT_MACHINE_ARN_PREFIX"
"""The same of the machines of endpoints."""
READABLE_BUCKETS = "READABLE_BUCKETS"
BEDROCK_ROLE_ARN = "BEDROCK_ROLE_ARN"
DATABRICKS_TRAINING_JOB_ID = "DATABRICKS_TRAINING_JOB_ID"
DATABRICKS_VOLUME = "DATABRICKS_VOLUME"
DATABRICKS_SCHEMA = "DATABRICKS_SCHEMA"

POLL_SHORTEST_SECONDS = "POLL_SHORTEST_SECONDS"
"""Optional; see tunedrop.domain.polling."""


class EnvironmentInvalidError(Exception):
    """A variable is missing or cannot be read; the message names it."""


def required(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value of `name`; raises with its name when it is missing or empty."""
    value = environ.get(name, "")
    if not value:
        raise EnvironmentInvalidError(f"The environment variable {name} is not set; the stack sets it on deployment.")
    return value


def optional(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The value of `name`, or None when it is missing or empty."""
    return environ.get(name) or None


def number(name: str, default: float, environ: Mapping[str, str] = os.environ) -> float:
    """The value of `name` as a number, or `default`."""
    value = environ.get(name)
    if not value:
        return default
    try:
        return float(value)
    except ValueError as error:
        raise EnvironmentInvalidError(f"The environment variable {name} is {value!r}, not a number.") from error
