"""`--output`: the prepared file is there whole, or nothing has changed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.client.cli.commands import run, write_rows
from tunedrop.client.cli import files

NOVA = ("-p", "bedrock", "-m", "nova-lite")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_it_holds_the_rows_as_they_would_be_sent(good: Path, out: Path) -> None:
    result = run("validate", good, *NOVA, "--output", out / "sent.jsonl", "--json")
    assert result.exit_code == 0
    content = (out / "sent.jsonl").read_bytes()
    assert b"bedrock-conversation-2024" in content
    assert msgspec.json.decode(result.stdout)["training"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert list(out.iterdir()) == [out / "sent.jsonl"]


def test_it_has_the_mode_of_any_new_file(good: Path, out: Path) -> None:
    run("validate", good, *NOVA, "--output", out / "sent.jsonl")
    (out / "new").touch()
    assert (out / "sent.jsonl").stat().st_mode == (out / "new").stat().st_mode


def test_a_file_that_is_replaced_keeps_its_mode_and_its_link(good: Path, out: Path) -> None:
    (out / "real").write_text("old")
    (out / "real").chmod(0o640)
    (out / "link").symlink_to("real")
    assert run("validate", good, *NOVA, "--output", out / "link").exit_code == 0
    assert (out / "link").is_symlink()
    assert (out / "real").stat().st_mode & 0o777 == 0o640
    assert (out / "real").read_bytes().startswith(b'{"')


@pytest.mark.parametrize("which", ["training", "validation"])
def test_a_bad_file_leaves_what_was_there(tmp_path: Path, good: Path, out: Path, which: str) -> None:
    bad = write_rows(tmp_path / "bad.jsonl", 3_000, bad_lines=(2_999,))
    (out / "sent.jsonl").write_text("old")
    training, validation = (bad, good) if which == "training" else (good, bad)
    result = run("validate", training, "--validation-file", validation, *NOVA, "--output", out / "sent.jsonl")
    assert result.exit_code == 1
    assert (out / "sent.jsonl").read_text() == "old"
    assert len(list(out.iterdir())) == 1


def test_a_price_above_the_limit_leaves_nothing(good: Path, out: Path) -> None:
    result = run("validate", good, "-m", "llama-3.2-1b", "--max-cost-usd", "1", "--output", out / "sent.jsonl")
    assert result.exit_code == 1
    assert list(out.iterdir()) == []


def test_an_interrupt_leaves_nothing(good: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.OutputFile, "keep", interrupted)
    result = run("validate", good, *NOVA, "--output", out / "sent.jsonl")
    assert result.exit_code == 130
    assert "Traceback" not in result.output
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard", "dotted"])
@pytest.mark.parametrize("which", ["training", "validation"])
def test_an_input_is_never_written(tmp_path: Path, good: Path, out: Path, link: str, which: str) -> None:
    other = write_rows(tmp_path / "other.jsonl")
    target = {"itself": good, "symbolic": out / "s", "hard": out / "h", "dotted": out / ".." / good.name}[link]
    if link == "symbolic":
        target.symlink_to(good)
    elif link == "hard":
        os.link(good, target)
    before = good.read_bytes()
    training, validation = (good, other) if which == "training" else (other, good)
    result = run("validate", training, "--validation-file", validation, *NOVA, "--output", target)
    assert result.exit_code == 2
    assert result.stderr == f"error: cannot write {target}: it is a file that is read (name another)\n"
    assert good.read_bytes() == before


def test_a_folder_and_a_device_are_refused(good: Path, out: Path) -> None:
    for target in (out, Path(os.devnull)):
        result = run("validate", good, *NOVA, "--output", target)
        assert (result.exit_code, result.stderr) == (2, f"error: cannot write {target}: it is no ordinary file\n")


def test_a_folder_that_is_missing_is_one_line(good: Path, out: Path) -> None:
    result = run("validate", good, *NOVA, "--output", out / "none" / "sent.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: cannot write {out}/none/sent.jsonl: No such file or directory\n"


def test_a_full_disk_is_one_line_and_leaves_nothing(good: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name.startswith(".tunedrop-"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", full)
    result = run("validate", good, *NOVA, "--output", out / "sent.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: cannot write {out}/sent.jsonl: No space left on device\n"
    assert list(out.iterdir()) == []
