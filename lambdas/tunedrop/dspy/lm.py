"""DSPy's LM, with Tunedrop as what trains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dspy
from dspy.clients.lm import LM as PlainLM  # noqa: N811

from tunedrop.client.submission.model_names import inference_model
from tunedrop.dspy.held_secret import held, without_secrets
from tunedrop.dspy.provider import TunedropProvider

_CLASS_KEY = "_dspy_lm_class"
_PLAIN_CLASS = "dspy.clients.lm.LM"


class LM(PlainLM):  # type: ignore[misc]  # dspy has no types
    """`dspy.LM` for `openai/…`, `bedrock/…` and `databricks/…` models that `finetune` trains in a Tunedrop stack.

    `model` is also what a job results in: an LM, of which this is a copy. A base model is called by the name that its
    provider answers to, and trained by the one that it trains (`finetuning_model`, unless that is given).
    """

    # dspy's own, which has no types
    provider: Any
    train_kwargs: dict[str, Any]

    def __init__(self, model: str | dspy.LM, *positional: Any, **settings: Any) -> None:
        """The other arguments are `dspy.LM`'s. Raises as that does."""
        if isinstance(model, PlainLM):
            self._take(model, settings, positional)
        else:
            called = inference_model(model) if isinstance(model, str) else model
            if called != model and settings.get("finetuning_model") is None:
                settings["finetuning_model"] = model
            super().__init__(called, *positional, **settings)
        self.train_kwargs = held(self.train_kwargs)

    def _take(self, other: dspy.LM, settings: Mapping[str, Any], positional: tuple[Any, ...]) -> None:
        if positional:
            raise TypeError("LM(model=<an LM>) takes its other arguments by keyword")
        self.__dict__.update(vars(other.copy(**settings)))
        if not self.provider.finetunable:
            self.provider = self.infer_provider()

    def infer_provider(self) -> Any:
        if TunedropProvider.is_provider_model(self.model):
            return TunedropProvider()
        return super().infer_provider()

    def dump_state(self) -> dict[str, Any]:
        """Without secrets, and as a plain `dspy.LM`, which calls the model by the same name: a saved program loads with
        and without Tunedrop, and without DSPy's `allow_unsafe_lm_state`."""
        state: dict[str, Any] = super().dump_state()
        if type(self) is LM and _CLASS_KEY in state:
            state[_CLASS_KEY] = _PLAIN_CLASS
        state["train_kwargs"] = without_secrets(state["train_kwargs"])
        return state
