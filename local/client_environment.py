"""What a program's environment needs, so that Tunedrop's client, the AWS SDKs, DSPy and LiteLLM reach this machine."""

from __future__ import annotations

import os

from local.running_stack import RunningStack
from local.simulated_providers import SimulatedProviders


def client_environment(stack: RunningStack) -> dict[str, str]:
    """To be added to an environment without other `AWS_*` variables. Every key and token in it is made up."""
    return {
        **stack.aws.environment,
        # The user's own profiles stay out of it, one that is called "default" above all.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TUNEDROP_URL": stack.api.base_url,
        **model_environment(stack.providers),
    }


def model_environment(providers: SimulatedProviders) -> dict[str, str]:
    """Where LiteLLM and DSPy, by which users call models, find the simulated ones.

    LiteLLM asks Bedrock over plain HTTP, at an address of its own variable, and does not read the AWS SDKs'. It takes a
    Databricks workspace from the two of API_BASE and API_KEY; the workspace's own SDK from HOST and TOKEN.
    """
    api_key, token = providers.credentials["openai"]["api_key"], providers.databricks_token
    return {
        "AWS_BEDROCK_RUNTIME_ENDPOINT": providers.bedrock_url,
        "OPENAI_API_KEY": api_key,
        "OPENAI_BASE_URL": providers.openai_url,
        "OPENAI_API_BASE": providers.openai_url,
        "DATABRICKS_API_BASE": f"{providers.databricks_url}/serving-endpoints",
        "DATABRICKS_API_KEY": token,
        "DATABRICKS_HOST": providers.databricks_url,
        "DATABRICKS_TOKEN": token,
        # Otherwise it asks the network for the prices of models when it is imported.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
