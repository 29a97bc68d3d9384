"""Converse: base models by id or inference profile, tuned ones by the ARN of what serves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.simulators.answers import base_answer
from local.simulators.bedrock.deployments import Deployments
from local.simulators.bedrock.errors import Refusal, invalid
from local.simulators.bedrock.models import answering
from local.simulators.bedrock.provisioned import ProvisionedThroughputs

_TYPICAL_MS = 120


def converse(
    request: Mapping[str, Any], deployments: Deployments, throughputs: ProvisionedThroughputs, region: str
) -> dict[str, Any]:
    question = _question(request.get("messages", ()))
    answer = _answer(request["modelId"], question, deployments, throughputs, region)
    words = answer.split()
    most = request.get("inferenceConfig", {}).get("maxTokens", len(words))
    stop_reason = "end_turn" if len(words) <= most else "max_tokens"
    if stop_reason == "max_tokens":
        answer = " ".join(words[:most])
    asked = sum(len(str(block.get("text", "")).split()) for block in _blocks(request))
    said = len(answer.split())
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": answer}]}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": asked, "outputTokens": said, "totalTokens": asked + said},
        "metrics": {"latencyMs": _TYPICAL_MS},
    }


def _answer(
    model_id: str, question: str, deployments: Deployments, throughputs: ProvisionedThroughputs, region: str
) -> str:
    if ":custom-model-deployment/" in model_id:
        deployment = deployments.find(model_id)
        _refuse_unless(deployments.status(deployment) == "Active")
        return deployment.model.answers.answer(question)
    if ":provisioned-model/" in model_id:
        throughput = throughputs.find(model_id)
        _refuse_unless(throughputs.status(throughput) == "InService")
        return throughput.model.answers.answer(question)
    if answering(model_id, region) is None:
        raise invalid("The provided model identifier is invalid.")
    return base_answer(question)


def _refuse_unless(ready: bool) -> None:
    if not ready:
        raise Refusal(
            "ModelNotReadyException", "The model specified in the request is not ready to serve inference requests."
        )


def _question(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last user turn; raises Refusal for a conversation that the service would not take."""
    if not messages or messages[0]["role"] != "user":
        raise invalid(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    for index, message in enumerate(messages):
        if message["role"] != ("assistant" if index % 2 else "user"):
            raise invalid(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
                "between user and assistant roles and try again."
            )
        for number, block in enumerate(message["content"]):
            _check_block(block, f"messages.{index}.content.{number}")
    if messages[-1]["role"] != "user":
        raise invalid(
            "The conversation must end with a user message; a partial answer of the assistant is not supported."
        )
    return " ".join(str(block["text"]) for block in messages[-1]["content"])


def _check_block(block: Mapping[str, Any], place: str) -> None:
    if "text" not in block:
        raise invalid(f"This model doesn't support the {next(iter(block))} content at {place}. Use text.")
    if not block["text"].strip():
        raise invalid(
            f"The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
        )


def _blocks(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    blocks = list(request.get("system", ()))
    for message in request["messages"]:
        blocks += message["content"]
    return blocks
