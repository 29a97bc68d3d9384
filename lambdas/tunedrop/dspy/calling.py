"""What LiteLLM needs to call a tuned model with: the caller's own credentials, where the training named them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import botocore.session

from tunedrop.client.connection import DEFAULT_PROFILE
from tunedrop.dspy.held_secret import HeldSecret


def route(provider: str, name: str) -> str:
    """The name as LiteLLM takes it, also of a model that nothing serves: `openai/ft:…`, `databricks/…`."""
    return name if name.startswith(f"{provider}/") else f"{provider}/{name}"


def call_settings(provider: str, train_kwargs: Mapping[str, Any], *, profile: str | None = None) -> dict[str, Any]:
    """Of an LM that calls the model: the AWS profile at Bedrock (of the kwargs, or else `profile`), the workspace and
    its token at Databricks.

    What is not here LiteLLM finds in the environment: AWS's own variables, OPENAI_API_KEY, DATABRICKS_API_BASE and
    DATABRICKS_API_KEY.
    """
    if provider == "bedrock":
        return _profile(train_kwargs.get("aws_profile") or profile)
    if provider == "databricks":
        return _workspace(train_kwargs)
    return {}


def _profile(name: str | None) -> dict[str, Any]:
    """A profile `default` that no file has stands for what is there without a name, as in a submission."""
    if not name or (name == DEFAULT_PROFILE and name not in botocore.session.Session().available_profiles):
        return {}
    return {"aws_profile_name": name}


def _workspace(train_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Host and token of the kwargs; else of the environment, by the names that Databricks' own tools read.

    They come from one place together, so that no token goes to another workspace than its own.
    """
    host, token = train_kwargs.get("databricks_host"), train_kwargs.get("databricks_token")
    if not (host and token):
        if os.environ.get("DATABRICKS_API_BASE"):
            return {}
        host, token = os.environ.get("DATABRICKS_HOST"), os.environ.get("DATABRICKS_TOKEN")
    if not (host and token):
        return {}
    address = host if "://" in host else f"https://{host}"
    return {"api_base": f"{address.rstrip('/')}/serving-endpoints", "api_key": HeldSecret(token)}
