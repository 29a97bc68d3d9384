"""Asks a model at Bedrock: Converse, which takes every model's questions in one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.client.asking import AskingError, Question, Reply
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError

if TYPE_CHECKING:
    from tunedrop.client.connection import Connection
    from tunedrop.client.records import CallRecord

_PASSES = frozenset(
    {"ThrottlingException", "InternalServerException", "ServiceUnavailableException", "ModelTimeoutException"}
)


def ask_bedrock(connection: Connection, call: CallRecord, question: Question) -> Reply:
    """Raises AskingError, ConfigurationError and ConnectionFailedError."""
    from botocore import exceptions

    request: dict[str, Any] = {
        "modelId": call.model_id,
        "messages": [{"role": "user", "content": [{"text": question.text}]}],
    }
    if question.system is not None:
        request["system"] = [{"text": question.system}]
    if question.max_tokens is not None:
        request["inferenceConfig"] = {"maxTokens": question.max_tokens}
    try:
        runtime = connection.client("bedrock-runtime", timeout=question.timeout)
        answer: Mapping[str, Any] = runtime.converse(**request)
    except exceptions.ClientError as error:
        raise _refusal(error.response.get("Error", {}), connection.region) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.TokenRetrievalError) as error:
        raise ConfigurationError(f"Amazon Bedrock cannot be asked without credentials: {error}") from None
    except exceptions.BotoCoreError as error:
        raise ConnectionFailedError(
            f"Amazon Bedrock in {connection.region} gave no answer: {error}. Ask again in a moment."
        ) from None
    return _reply(answer)


def _refusal(error: Mapping[str, Any], region: str) -> AskingError | ConnectionFailedError:
    code, message = error.get("Code", "an error"), error.get("Message", "")
    words = f"Amazon Bedrock in {region} refused ({code}): {message}"
    if code in _PASSES:
        return ConnectionFailedError(f"{words} Ask again in a moment.")
    if code == "AccessDeniedException":
        return AskingError(f"{words} Your own policy must allow bedrock:InvokeModel on the model.")
    if code == "ModelNotReadyException":
        return AskingError(f"{words} Ask again in a moment.")
    return AskingError(words)


def _reply(answer: Mapping[str, Any]) -> Reply:
    blocks = answer["output"]["message"]["content"]
    usage = answer.get("usage", {})
    return Reply(
        text="".join(block.get("text", "") for block in blocks),
        stop_reason=answer.get("stopReason"),
        cut=answer.get("stopReason") == "max_tokens",
        input_tokens=usage.get("inputTokens"),
        output_tokens=usage.get("outputTokens"),
    )
