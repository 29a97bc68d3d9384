"""docs/guide.md has the code of DSPy's guide: only imports, and rows that the guide leaves out, may differ.

The guide's own lines are in tests/docs/guide_blocks, one file a block. The placeholders (bucket, host, token) are kept,
so they are compared like everything else.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.guide_blocks import PAGE, read_blocks

FIXTURES = sorted((Path(__file__).parent / "guide_blocks").glob("*.py"))
KEPT = [block for block in read_blocks() if not block.ours]


class _WithoutDifferences(ast.NodeTransformer):
    """Takes back what may differ; anything else stays as it is."""

    def visit_Import(self, node: ast.Import) -> ast.AST:
        if ast.unparse(node) == "import tunedrop.dspy as dspy":
            return ast.Import(names=[ast.alias(name="dspy")])
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if ast.unparse(node.targets[0]) == "train_data" and isinstance(node.value, ast.List):
            *rows, last = node.value.elts
            if rows and ast.unparse(last) == "*more_examples":
                node.value.elts = rows
        return node


def normalised(page: ast.Module) -> str:
    """A block of the page as the guide would have it."""
    return ast.dump(_WithoutDifferences().visit(copy.deepcopy(page)))


def guides(fixture: Path) -> str:
    return ast.dump(ast.parse(fixture.read_text()))


def test_the_page_has_every_block_of_the_guide_and_marks_every_other_one() -> None:
    assert len(KEPT) == len(FIXTURES) == 11


@pytest.mark.parametrize("number", range(len(FIXTURES)), ids=[fixture.stem for fixture in FIXTURES])
def test_a_block_of_the_page_is_the_guides_but_for_imports_and_rows(number: int) -> None:
    assert normalised(KEPT[number].tree()) == guides(FIXTURES[number])


def test_the_differences_are_there_so_that_the_page_can_be_run() -> None:
    differing = [
        fixture.stem for fixture, block in zip(FIXTURES, KEPT, strict=True) if ast.dump(block.tree()) != guides(fixture)
    ]
    assert differing == ["01_basic_usage", "11_bootstrap_finetune"]
    assert "*more_examples" in KEPT[0].text


# Any other change is seen: each of these changes every place of a block where it can be made, one at a time.

Mutation = Callable[[ast.AST], bool]
"""Changes a node, if it can be changed so; whether it was."""


def _another_constant(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant):
        return False
    match node.value:
        case str() as text:
            node.value = f"{text}!"
        case bool() as flag:
            node.value = not flag
        case int() | float() as number:
            node.value = number + 1
        case other:
            raise TypeError(f"{other!r} is in the guide, and nothing here changes it")
    return True


def _another_name(node: ast.AST) -> bool:
    for field in ("id", "name", "attr", "arg", "module"):
        if isinstance(getattr(node, field, None), str):
            setattr(node, field, f"{getattr(node, field)}x")
            return True
    return False


def _one_statement_less(node: ast.AST) -> bool:
    return _shortened(node, "body")


def _one_statement_more(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.FunctionDef | ast.For):
        return False
    node.body.append(ast.parse("print()").body[0])
    return True


def _another_order(node: ast.AST) -> bool:
    for field in ("body", "elts", "keywords", "values"):
        found = getattr(node, field, None)
        if isinstance(found, list) and len(found) > 1:
            found.append(found.pop(0))
            return True
    return False


def _one_element_less(node: ast.AST) -> bool:
    return _shortened(node, "elts") or _shortened(node, "keywords") or _shortened(node, "args")


def _one_element_more(node: ast.AST) -> bool:
    if not isinstance(node, ast.List):
        return False
    node.elts.append(ast.Constant("one more"))
    return True


def _one_item_less(node: ast.AST) -> bool:
    return _shortened(node, "values") and _shortened(node, "keys")


def _one_item_more(node: ast.AST) -> bool:
    if not isinstance(node, ast.Dict):
        return False
    node.keys.append(ast.Constant("more"))
    node.values.append(ast.Constant(1))
    return True


def _another_alias(node: ast.AST) -> bool:
    if not isinstance(node, ast.alias):
        return False
    node.asname = "other"
    return True


def _shortened(node: ast.AST, field: str) -> bool:
    found = getattr(node, field, None)
    if not isinstance(found, list) or not found:
        return False
    found.pop()
    return True


MUTATIONS: tuple[Mutation, ...] = (
    *(_another_constant, _another_name, _another_alias, _another_order),
    *(_one_statement_less, _one_statement_more, _one_element_less, _one_element_more, _one_item_less, _one_item_more),
)


def _mutants(tree: ast.Module, mutate: Mutation) -> Iterator[ast.Module]:
    for place in range(len(list(ast.walk(tree)))):
        mutant = copy.deepcopy(tree)
        if mutate(list(ast.walk(mutant))[place]):
            yield mutant


def _takes_back_a_difference(mutant: ast.Module, number: int) -> bool:
    """A page that is nearer to the guide than ours, since what may differ no longer does."""
    return ast.dump(mutant) in {guides(FIXTURES[number]), _without_more_rows(number)}


def _without_more_rows(number: int) -> str:
    return ast.dump(ast.parse(KEPT[number].text.replace("    *more_examples,\n", "")))


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__.strip("_"))
@pytest.mark.parametrize("number", range(len(FIXTURES)), ids=[fixture.stem for fixture in FIXTURES])
def test_any_other_change_of_a_block_is_seen(number: int, mutate: Mutation) -> None:
    original = guides(FIXTURES[number])
    unseen = [
        ast.unparse(mutant)
        for mutant in _mutants(KEPT[number].tree(), mutate)
        if normalised(mutant) == original and not _takes_back_a_difference(mutant, number)
    ]
    assert unseen == []


def test_every_kind_of_change_is_made_somewhere() -> None:
    for mutate in MUTATIONS:
        assert sum(1 for block in KEPT for _ in _mutants(block.tree(), mutate)) >= 2, mutate.__name__


@pytest.mark.parametrize("change", ["two swapped", "one left out", "one twice"])
def test_another_order_of_the_blocks_is_seen(change: str) -> None:
    texts = [normalised(block.tree()) for block in KEPT]
    changed = {
        "two swapped": [texts[1], texts[0], *texts[2:]],
        "one left out": texts[1:],
        "one twice": [*texts, texts[-1]],
    }[change]
    assert changed != [guides(fixture) for fixture in FIXTURES]
    assert texts == [guides(fixture) for fixture in FIXTURES]


class TestWhatItSaysOfDspy:
    words = " ".join(PAGE.read_text().split())

    @pytest.mark.parametrize("section", ["OpenAI", "AWS Bedrock", "Databricks"])
    def test_each_providers_section_says_what_differs(self, section: str) -> None:
        text = PAGE.read_text().partition(f"### {section}\n")[2].partition("\n##")[0]
        assert "**Unlike plain DSPy:**" in text

    def test_nothing_says_that_dspy_itself_trains_at_bedrock(self) -> None:
        assert "DSPy has nothing for Bedrock." in self.words
