"""What a reader of docs/guide.md changes in its code before running it.

This is the whole list: everything else runs as it stands.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from local.guide_blocks import Block, GuidePageError

SECTIONS = {"openai": "OpenAI", "bedrock": "AWS Bedrock", "databricks": "Databricks"}
"""Where the page has the `train_kwargs` of each provider."""
PAGES_MODEL = "bedrock/amazon.nova-lite-v1"
MODELS = {
    "openai": "openai/gpt-4o-mini-2024-07-18",
    "bedrock": PAGES_MODEL,
    "databricks": "databricks/databricks-meta-llama-3-1-8b-instruct",
}
"""What each provider's reader calls and trains."""
TRAINED_AS = {"databricks": "databricks/meta-llama/Meta-Llama-3.1-8B-Instruct"}
"""Where a base model is called by another name than it is trained by, the reader names both, as the page says: this one
as `finetuning_model`."""


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs the page: for one provider, with a bucket and a workspace of their own."""

    provider: str
    bucket: str
    databricks_host: str
    databricks_token: str
    simulator: str
    """The address of the provider's simulator."""


class Substitution(msgspec.Struct, frozen=True, kw_only=True):
    """Strings that begin with `written` begin with `put_in(reader)` instead."""

    written: str
    put_in: Callable[[Reader], str]
    reason: str


STRINGS = (
    Substitution(
        written="s3://your-bucket/",
        put_in=lambda reader: f"s3://{reader.bucket}/",
        reason="a placeholder: the reader's own bucket, which the stack may read",
    ),
    Substitution(
        written="https://your-workspace.cloud.databricks.com",
        put_in=lambda reader: reader.databricks_host,
        reason="a placeholder: the reader's own workspace",
    ),
    Substitution(
        written="your-token",
        put_in=lambda reader: reader.databricks_token,
        reason="a placeholder: the reader's own token",
    ),
    Substitution(
        written=PAGES_MODEL,
        put_in=lambda reader: MODELS[reader.provider],
        reason="the page names one model; for another provider the reader names one of that provider",
    ),
)
KWARGS = "train_kwargs"
"""The page's calls give those for Bedrock; for another provider, a reader puts in the dict of its section."""


def substituted(block: Block, reader: Reader, blocks: Sequence[Block]) -> ast.Module:
    """The block's code as the reader runs it; `blocks` are all of the page. Raises GuidePageError."""
    kwargs = None if reader.provider == "bedrock" or block.ours else section_kwargs(blocks)[reader.provider]
    tree: ast.Module = _Substituting(reader, kwargs).visit(block.tree())
    return ast.fix_missing_locations(tree)


def substituted_kwargs(reader: Reader, blocks: Sequence[Block]) -> dict[str, Any]:
    """The `train_kwargs` of the section of the reader's provider, as the reader has them."""
    kwargs: dict[str, Any] = ast.literal_eval(
        _Substituting(reader, None).visit(section_kwargs(blocks)[reader.provider])
    )
    return kwargs


def section_kwargs(blocks: Sequence[Block]) -> Mapping[str, ast.Dict]:
    """The dict that each provider's section gives as its `train_kwargs`."""
    return {provider: _kwargs_of(section, blocks) for provider, section in SECTIONS.items()}


def _kwargs_of(section: str, blocks: Sequence[Block]) -> ast.Dict:
    found = [
        node.value
        for block in blocks
        if block.section == section and not block.ours
        for node in block.tree().body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and _names(node) == [KWARGS]
    ]
    if len(found) != 1:
        raise GuidePageError(f"the section {section!r} gives {KWARGS} {len(found)} times, and not once")
    return found[0]


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


class _Substituting(ast.NodeTransformer):
    """`kwargs` takes the place of every dict that is given as `train_kwargs` to a call; None leaves them."""

    def __init__(self, reader: Reader, kwargs: ast.Dict | None) -> None:
        self._reader = reader
        self._kwargs = kwargs

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if self._kwargs is not None and node.arg == KWARGS and isinstance(node.value, ast.Dict):
            node.value = _moved_to(node.value, copy.deepcopy(self._kwargs))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        trained_as = TRAINED_AS.get(self._reader.provider)
        if trained_as and any(isinstance(value, ast.Constant) and value.value == PAGES_MODEL for value in given):
            node.keywords.append(ast.keyword(arg="finetuning_model", value=ast.Constant(value=trained_as)))
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            for each in STRINGS:
                if node.value.startswith(each.written):
                    node.value = each.put_in(self._reader) + node.value.removeprefix(each.written)
                    break
        return node


def _moved_to(place: ast.Dict, kwargs: ast.Dict) -> ast.Dict:
    """With the line of what it replaces, so that an error names the call."""
    for node in ast.walk(kwargs):
        ast.copy_location(node, place)
    return kwargs
