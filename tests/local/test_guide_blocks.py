"""The runner of docs/guide.md reads every block, and changes what a reader changes and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from local.guide_blocks import PAGE, PROVIDERS, Block, GuidePageError, read_blocks
from local.guide_substitutions import (
    MODELS,
    STRINGS,
    TRAINED_AS,
    Reader,
    section_kwargs,
    substituted,
    substituted_kwargs,
)

BLOCKS = read_blocks()
GUIDES = [block for block in BLOCKS if not block.ours]
for_each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def reader_of(provider: str) -> Reader:
    return Reader(
        provider=provider,
        bucket="rows-of-mine",
        databricks_host="https://mine.example",
        databricks_token="secret",
        simulator="http://127.0.0.1:9",
    )


def changed_lines(block: Block, provider: str) -> dict[str, str]:
    """What the reader's code has in place of what the page has, by the page's own words; written in one style."""
    before = ast.unparse(block.tree()).splitlines()
    after = ast.unparse(substituted(block, reader_of(provider), BLOCKS)).splitlines()
    return {old.strip(): new.strip() for old, new in zip(before, after, strict=True) if old != new}


def test_every_python_block_of_the_page_is_read_with_its_line() -> None:
    lines = PAGE.read_text().splitlines()
    fences = [number for number, line in enumerate(lines, start=1) if line.startswith("```python")]
    assert [block.line for block in BLOCKS] == [fence + 1 for fence in fences]
    for block in BLOCKS:
        assert lines[block.line - 1] == block.text.splitlines()[0]


def test_a_block_that_is_about_one_provider_runs_for_that_one_only() -> None:
    runs = {block.section: [each for each in PROVIDERS if block.runs_for(each)] for block in BLOCKS if block.provider}
    assert runs == {"OpenAI": ["openai"], "Databricks": ["databricks"]}


@for_each_provider
def test_every_block_of_the_guide_runs_for_every_provider(provider: str) -> None:
    assert all(block.runs_for(provider) for block in GUIDES)


def page_of(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text)
    return page


def test_a_mark_that_is_not_known_is_refused_with_its_line(tmp_path: Path) -> None:
    page = page_of(tmp_path, "# Title\n\n```python tunedrop azure\nx = 1\n```\n")
    with pytest.raises(GuidePageError, match=r"^line 3: 'tunedrop azure' is no mark .* 'tunedrop openai'"):
        read_blocks(page)


def test_code_that_is_not_python_is_refused_with_its_line(tmp_path: Path) -> None:
    [block] = read_blocks(page_of(tmp_path, "# Title\n\n```python\nx = 1\ny = = 2\n```\n"))
    with pytest.raises(GuidePageError, match=r"^line 5 is not Python"):
        block.tree()


def test_at_bedrock_the_reader_puts_in_the_placeholders_and_nothing_else() -> None:
    changed = [pair for block in BLOCKS for pair in changed_lines(block, "bedrock").items()]
    assert {words for before, after in changed for words in _differing(before, after)} == {
        ("s3://your-bucket/fine-tuning-data/", "s3://rows-of-mine/fine-tuning-data/"),
        ("https://your-workspace.cloud.databricks.com", "https://mine.example"),
        ("your-token", "secret"),
    }


def _differing(before: str, after: str) -> set[tuple[str, str]]:
    """The strings of a statement that are others."""
    strings = [
        [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)] for text in (before, after)
    ]
    return {(str(old), str(new)) for old, new in zip(*strings, strict=True) if old != new}


@pytest.mark.parametrize("provider", ["openai", "databricks"])
def test_at_another_provider_the_reader_names_its_model_and_gives_its_kwargs(provider: str) -> None:
    first, *_, last = GUIDES
    kwargs = substituted_kwargs(reader_of(provider), BLOCKS)
    for block, calls in ((first, ["lm.finetune"]), (last, ["BootstrapFinetune"])):
        code = substituted(block, reader_of(provider), BLOCKS)
        assert [name for name, given in _given_kwargs(code) if given == kwargs] == calls
        assert MODELS[provider] in ast.unparse(code)
        assert "bedrock/" not in ast.unparse(code)


def test_at_databricks_the_reader_names_the_endpoint_to_call_and_the_model_to_train() -> None:
    for block in (GUIDES[0], GUIDES[-1]):
        code = ast.unparse(substituted(block, reader_of("databricks"), BLOCKS))
        assert f"{MODELS['databricks']}', finetuning_model='{TRAINED_AS['databricks']}')" in code
    for provider in ("openai", "bedrock"):
        codes = [ast.unparse(substituted(block, reader_of(provider), BLOCKS)) for block in BLOCKS]
        assert not any("finetuning_model" in code for code in codes)


@pytest.mark.parametrize("provider", ["openai", "databricks"])
def test_at_another_provider_the_other_blocks_are_those_of_bedrock(provider: str) -> None:
    for block in [*GUIDES[1:-1], *(block for block in BLOCKS if block.ours)]:
        assert changed_lines(block, provider) == changed_lines(block, "bedrock")


@for_each_provider
def test_statements_keep_their_lines_so_that_an_error_names_the_right_one(provider: str) -> None:
    for block in BLOCKS:
        kept = [node.lineno for node in block.tree().body]
        assert [node.lineno for node in substituted(block, reader_of(provider), BLOCKS).body] == kept
        last = block.line + len(block.text.splitlines())
        code = substituted(block, reader_of(provider), BLOCKS)
        lines = [line for node in ast.walk(code) if (line := getattr(node, "lineno", None)) is not None]
        assert all(block.line <= line < last for line in lines)


def _given_kwargs(code: ast.Module) -> list[tuple[str, object]]:
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call)]
    return [
        (ast.unparse(call.func), ast.literal_eval(keyword.value))
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "train_kwargs" and isinstance(keyword.value, ast.Dict)
    ]


def test_each_section_gives_the_kwargs_of_its_provider() -> None:
    keys = {provider: set(ast.literal_eval(found)) for provider, found in section_kwargs(BLOCKS).items()}
    assert "n_epochs" in keys["openai"]
    assert "s3_path" in keys["bedrock"]
    assert "register_to" in keys["databricks"]


def test_a_page_that_gives_no_kwargs_for_a_provider_is_refused() -> None:
    others = [block for block in BLOCKS if block.section != "OpenAI"]
    with pytest.raises(GuidePageError, match="the section 'OpenAI' gives train_kwargs 0 times"):
        substituted(GUIDES[0], reader_of("openai"), others)


def test_every_substitution_says_why_and_is_needed() -> None:
    for each in STRINGS:
        assert len(each.reason) > 20
        assert any(each.written in block.text for block in GUIDES), each.written
