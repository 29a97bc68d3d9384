"""Asks a tuned model and its base model the same question, through each provider's own SDK."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.serving import ChatMessage, ChatMessageRole
from openai import OpenAI, OpenAIError

from local.running_stack import RunningStack
from tunedrop.domain.endpoint import Call
from tunedrop.domain.job import Job
from tunedrop.domain.models import find_model

DATABRICKS_BASE_ENDPOINT = "databricks-meta-llama-3-1-8b-instruct"
"""A pay-per-token endpoint: the small Llama models have none of their own."""


class Answers(msgspec.Struct, frozen=True):
    base: str
    tuned: str


class AskingError(Exception):
    """A model could not be asked."""


def ask(stack: RunningStack, job: Job, call: Call, question: str) -> Answers:
    """The answers of the job's base model, and of its tuned model by what the endpoint's record says of calling it.

    Raises AskingError.
    """
    askers: dict[str, Callable[[RunningStack, Job, Call, str], Answers]] = {
        "openai": _openai,
        "bedrock": _bedrock,
        "databricks": _databricks,
    }
    try:
        return askers[job.provider](stack, job, call, question)
    except (ClientError, BotoCoreError, OpenAIError, DatabricksError) as error:
        raise AskingError(str(error)) from error


def _openai(stack: RunningStack, job: Job, call: Call, question: str) -> Answers:
    secret = stack.providers.credentials["openai"]
    with OpenAI(api_key=secret["api_key"], base_url=secret["base_url"]) as client:

        def answer(model: str) -> str:
            reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
            return reply.choices[0].message.content or ""

        return Answers(base=answer(str(job.base_model)), tuned=answer(call.model_id))


def _bedrock(stack: RunningStack, job: Job, call: Call, question: str) -> Answers:
    runtime = stack.aws.client("bedrock-runtime")

    def answer(model_id: str) -> str:
        turn = {"role": "user", "content": [{"text": question}]}
        text: str = runtime.converse(modelId=model_id, messages=[turn])["output"]["message"]["content"][0]["text"]
        return text

    base = find_model("bedrock", job.model).inference_id
    return Answers(base=answer(str(base)), tuned=answer(call.model_id))


def _databricks(stack: RunningStack, _job: Job, call: Call, question: str) -> Answers:
    secret = stack.providers.credentials["databricks"]
    workspace = WorkspaceClient(
        host=secret["host"],
        client_id=secret["client_id"],
        client_secret=secret["client_secret"],
        auth_type="oauth-m2m",
    )

    def answer(endpoint: str) -> str:
        messages = [ChatMessage(role=ChatMessageRole.USER, content=question)]
        choices = workspace.serving_endpoints.query(endpoint, messages=messages).choices
        return (choices[0].message.content or "") if choices and choices[0].message else ""

    return Answers(base=answer(DATABRICKS_BASE_ENDPOINT), tuned=answer(call.model_id))
