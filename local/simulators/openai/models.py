"""The simulated models: base ones, tuned ones, and what they answer to chat completions."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from local.simulators.answers import Example, TunedModel
from local.simulators.openai import fields as fields
from local.simulators.openai.errors import Refusal, no_such_model, unsupported_value
from local.simulators.openai.files import new_id
from local.simulators.openai.training_files import text_of

SHUTDOWN_DATE = "2027-01-14"
TUNABLE = (
    "gpt-4.1-2025-04-14",
    "gpt-4.1-mini-2025-04-14",
    "gpt-4o-2024-08-06",
    "gpt-4o-2024-11-20",
    "gpt-4o-mini-2024-07-18",
)
"""Those that developers.openai.com/api/docs/deprecations shuts down on SHUTDOWN_DATE."""
TUNABLE_BY_PREFERENCE = ("gpt-4.1-2025-04-14", "gpt-4.1-mini-2025-04-14")
"""Those that developers.openai.com/api/docs/guides/direct-preference-optimization names (read 2026-11-22)."""
ALIASES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
}
NOT_TUNABLE = ("gpt-6-luna",)
_CHAT_ROLES = ["system", "developer", "user", "assistant", "tool", "function"]


class Models:
    """Every model of the account; tuned ones with the examples they were trained on."""

    def __init__(self) -> None:
        self._tuned: dict[str, tuple[list[Example], int]] = {}

    def add(self, name: str, examples: list[Example], created: int) -> None:
        self._tuned[name] = (examples, created)

    def tunable(self, name: str, method: str) -> str | None:
        """The snapshot behind a name, or a tuned model, which can be tuned further; None for what `method` cannot."""
        snapshot = ALIASES.get(name, name)
        base = snapshot.split(":")[1] if snapshot in self._tuned else snapshot
        return snapshot if base in (TUNABLE_BY_PREFERENCE if method == "dpo" else TUNABLE) else None

    def examples_of(self, name: str) -> list[Example]:
        return list(self._tuned[name][0]) if name in self._tuned else []

    def list(self) -> Response:
        names = [*ALIASES, *TUNABLE, *NOT_TUNABLE, *self._tuned]
        return jsonify(object="list", data=[self._document(name) for name in names])

    def retrieve(self, name: str) -> Response:
        if not self._exists(name):
            raise no_such_model(name)
        return jsonify(self._document(name))

    def delete(self, name: str) -> Response:
        if not self._exists(name):
            raise no_such_model(name)
        if name not in self._tuned:
            raise Refusal("You have insufficient permissions for this operation.", status=403)
        del self._tuned[name]
        return jsonify(id=name, object="model", deleted=True)

    def chat(self, body: Any, *, now: int) -> Response:
        """`POST /v1/chat/completions`, without streaming."""
        values = fields.mapping("body", body)
        name = fields.text("model", fields.required(values, "model"))
        messages = _messages(fields.required(values, "messages"))
        if values.get("stream"):
            raise unsupported_value("stream", "true", ["false"])
        if not self._exists(name):
            raise Refusal(
                f"The model `{name}` does not exist or you do not have access to it.",
                status=404,
                code="model_not_found",
            )
        asked = [text_of(message.get("content")) for message in messages if message["role"] == "user"]
        examples = self.examples_of(name)
        answer = TunedModel(examples).answer(asked[-1] if asked else "")
        sent = sum(len(text_of(message.get("content")).split()) for message in messages)
        got = len(answer.split())
        said: dict[str, Any] = {"role": "assistant", "content": answer, "refusal": None, "annotations": []}
        return jsonify(
            id=new_id("chatcmpl-", 29),
            object="chat.completion",
            created=now,
            model=ALIASES.get(name, name),
            choices=[{"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}],
            usage={"prompt_tokens": sent, "completion_tokens": got, "total_tokens": sent + got},
            service_tier="default",
            system_fingerprint=None,
        )

    def _exists(self, name: str) -> bool:
        return name in ALIASES or name in TUNABLE or name in NOT_TUNABLE or name in self._tuned

    def _document(self, name: str) -> dict[str, Any]:
        base = name.split(":")[1] if name.startswith("ft:") else name
        return {
            "id": name,
            "object": "model",
            "created": self._tuned[name][1] if name in self._tuned else 1_744_316_542,
            "owned_by": "tunedrop" if name in self._tuned else "system",
            "shutdown_date": SHUTDOWN_DATE if ALIASES.get(base, base) in TUNABLE else None,
        }


def _messages(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise fields.empty_array("messages")
    for index, message in enumerate(value):
        role = fields.mapping(f"messages[{index}]", message).get("role")
        if role not in _CHAT_ROLES:
            raise unsupported_value(f"messages[{index}].role", role, _CHAT_ROLES)
    return value
