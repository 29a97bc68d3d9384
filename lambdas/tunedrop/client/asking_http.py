"""Asks a model at OpenAI or at Databricks, which take the same form of question: chat completions over HTTPS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tunedrop.client.asking import AskingError, Question, Reply
from tunedrop.client.errors import ConfigurationError
from tunedrop.client.keyed_http import KeyedHost, keyed_host, post

if TYPE_CHECKING:
    from tunedrop.client.records import CallRecord

OPENAI_URL = "https://api.openai.com/v1"


def ask_openai(call: CallRecord, question: Question) -> Reply:
    """With OPENAI_API_KEY, at OPENAI_BASE_URL where that is set. Raises as `post` does."""
    host = keyed_host(
        "OpenAI",
        url=os.environ.get("OPENAI_BASE_URL") or OPENAI_URL,
        url_name="OPENAI_BASE_URL",
        key=_key("OPENAI_API_KEY", "OpenAI", "a key of the project that the model was trained in"),
    )
    return _ask(host, f"{host.url}/chat/completions", call, question, limit="max_completion_tokens")


def ask_databricks(call: CallRecord, question: Question) -> Reply:
    """With DATABRICKS_TOKEN, which goes to DATABRICKS_HOST, or where that is not set to the endpoint's own host.

    Raises as `post` does, and ConfigurationError where the endpoint is of another workspace than DATABRICKS_HOST.
    """
    path = f"/serving-endpoints/{quote(call.model_id, safe='')}/invocations"
    named = os.environ.get("DATABRICKS_HOST")
    served_at = call.url.removesuffix(path) if call.url else None
    if not (named or served_at):
        raise ConfigurationError("Set DATABRICKS_HOST to the workspace, such as https://dbc-….cloud.databricks.com.")
    host = keyed_host(
        "Databricks",
        url=_with_scheme(named) if named else str(served_at),
        url_name="DATABRICKS_HOST" if named else "the endpoint's address",
        key=_key("DATABRICKS_TOKEN", "Databricks", "a personal access token of the workspace"),
    )
    if served_at and not host.is_at(served_at):
        raise ConfigurationError(
            f"The model is served at {served_at}, but DATABRICKS_HOST is {host.url}: set DATABRICKS_HOST and "
            "DATABRICKS_TOKEN to those of that workspace."
        )
    return _ask(host, f"{host.url}{path}", call, question, limit="max_tokens")


def _key(name: str, provider: str, what: str) -> str:
    key = os.environ.get(name, "").strip()
    if not key:
        raise ConfigurationError(f"{provider} is asked with your own key: set {name} to {what}.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError(f"{name} holds a space or a character that no key has: set it again.")
    return key


def _with_scheme(host: str) -> str:
    """Databricks' own tools take a host without one."""
    return host if "://" in host else f"https://{host}"


def _ask(host: KeyedHost, url: str, call: CallRecord, question: Question, *, limit: str) -> Reply:
    messages = [{"role": "user", "content": question.text}]
    if question.system is not None:
        messages.insert(0, {"role": "system", "content": question.system})
    body: dict[str, Any] = {"messages": messages}
    if host.provider == "OpenAI":
        body["model"] = call.model_id
    if question.max_tokens is not None:
        body[limit] = question.max_tokens
    return _reply(host.provider, post(host, url, body, timeout=question.timeout))


def _reply(provider: str, document: Mapping[str, Any]) -> Reply:
    try:
        choice = document["choices"][0]
        message, usage = choice["message"], document.get("usage") or {}
        text, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise AskingError(f"{provider} answered without a message: is this the address of its API?") from None
    if refusal:
        raise AskingError(f"The model refused: {refusal}")
    if not isinstance(text, str):
        raise AskingError(f"{provider} answered without text (it ended with {choice.get('finish_reason')!r}).")
    return Reply(
        text=text,
        stop_reason=choice.get("finish_reason"),
        cut=choice.get("finish_reason") == "length",
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
    )
