"""Asking a serving endpoint: at its own address, and at the one that the clients of OpenAI's API know."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from local.simulators.answers import base_answer
from local.simulators.databricks.endpoints import Endpoint
from local.simulators.databricks.gate import Gate, RefusalError, body_as


class _Turn(msgspec.Struct):
    role: Literal["system", "user", "assistant"]
    content: str


class _Query(msgspec.Struct, kw_only=True):
    model: str | None = None
    messages: list[_Turn] = []
    max_tokens: int | None = None
    temperature: float | None = None


class Querying:
    """`find` gives an endpoint by its name, or raises the refusal for one that does not exist."""

    def __init__(self, find: Callable[[str], Endpoint], *, now_ms: Callable[[], int]) -> None:
        self._find = find
        self._now_ms = now_ms

    def add_routes(self, gate: Gate) -> None:
        name = "serving_endpoints.query"
        gate.route("POST", "/serving-endpoints/<name>/invocations", name, self._invoke)
        gate.route("POST", "/serving-endpoints/chat/completions", name, self._complete_chat)

    def _invoke(self, name: str) -> Any:
        return self._answer(self._find(name), body_as(_Query))

    def _complete_chat(self) -> Any:
        """OpenAI's form, in which the model names the endpoint."""
        asked = body_as(_Query)
        if not asked.model:
            raise RefusalError(400, "BAD_REQUEST", "Bad request: 'model' must name a serving endpoint.")
        return self._answer(self._find(asked.model), asked)

    def _answer(self, endpoint: Endpoint, asked: _Query) -> Any:
        if not endpoint.ready:
            raise RefusalError(400, "BAD_REQUEST", f"Endpoint {endpoint.name} is not ready: its deployment goes on.")
        questions = [turn.content for turn in asked.messages if turn.role == "user"]
        if not questions:
            raise RefusalError(400, "BAD_REQUEST", "Bad request: 'messages' must hold a message of a user.")
        question = questions[-1]
        answer = base_answer(question) if endpoint.active is None else endpoint.active.model.answer(question)
        asked_tokens = sum(len(turn.content.split()) for turn in asked.messages)
        said_tokens = len(answer.split())
        return {
            "id": f"chatcmpl_{uuid.uuid4()}",
            "object": "chat.completion",
            "created": self._now_ms() // 1000,
            "model": endpoint.name,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"},
            ],
            "usage": {
                "prompt_tokens": asked_tokens,
                "completion_tokens": said_tokens,
                "total_tokens": asked_tokens + said_tokens,
            },
        }
