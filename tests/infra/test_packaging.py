"""The functions' layers: reproducible, complete, without duplicates, and small enough."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

import pytest

from infra.packaging import LAYERS, TARGETS, PackagingError, build_layer, layer_archive, layer_requirements
from tests.infra.layers import built, contents

ELF_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}


def make_wheel(folder: Path, name: str) -> str:
    """A wheel with a module and a script in `folder`; returns its line for a lock file."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": "def main() -> None: ...\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-run = {name}:main\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lock files of a project whose packages come from a folder; the installer sees no registry."""
    wheels, locks = tmp_path / "wheels", tmp_path / "requirements"
    wheels.mkdir()
    locks.mkdir()
    shared, extra = make_wheel(wheels, "sharedpart"), make_wheel(wheels, "extrapart")
    (locks / "functions-base.txt").write_text(shared)
    (locks / "functions-openai.txt").write_text(f"# written by a tool\n{extra}{shared}")
    for name, value in {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels), "UV_CACHE_DIR": str(tmp_path / "c")}.items():
        monkeypatch.setenv(name, value)
    return locks


@pytest.mark.parametrize("target", ["aws", "host"])
def test_two_builds_are_equal_byte_for_byte(target: str, requirements: Path, tmp_path: Path) -> None:
    for layers in (tmp_path / "one", tmp_path / "two"):
        assert build_layer(TARGETS[target], "base", requirements=requirements, layers=layers)
    one, two = (layer_archive(target, "base", tmp_path / layers) for layers in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    first = contents(built(target, "base", tmp_path / "one"))
    assert first == contents(built(target, "base", tmp_path / "two"))
    with zipfile.ZipFile(one) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == first
    assert "python/sharedpart/__init__.py" in first


def test_scripts_with_the_path_of_an_interpreter_are_left_out(requirements: Path, tmp_path: Path) -> None:
    build_layer(TARGETS["host"], "base", requirements=requirements, layers=tmp_path)
    files = contents(built("host", "base", tmp_path))
    assert not [name for name in files if "/bin/" in name or name.endswith((".pyc", ".lock"))]
    assert not [name for name, content in files.items() if sys.executable.encode() in content]
    assert b"sharedpart-run" not in files["python/sharedpart-1.0.dist-info/RECORD"]


def test_a_layer_leaves_out_what_the_base_layer_brings(requirements: Path, tmp_path: Path) -> None:
    build_layer(TARGETS["host"], "openai", requirements=requirements, layers=tmp_path)
    assert {path.name for path in (built("host", "openai", tmp_path) / "python").iterdir()} == {
        "extrapart",
        "extrapart-1.0.dist-info",
    }


def test_a_layer_is_built_again_only_when_its_lock_file_changes(requirements: Path, tmp_path: Path) -> None:
    def build() -> bool:
        return build_layer(TARGETS["host"], "openai", requirements=requirements, layers=tmp_path)

    assert [build(), build()] == [True, False]
    lock = requirements / "functions-openai.txt"
    lock.write_text(lock.read_text() + make_wheel(requirements.parent / "wheels", "another"))
    assert [build(), build()] == [True, False]
    assert (built("host", "openai", tmp_path) / "python" / "another").is_dir()


def test_two_versions_of_one_package_in_a_function_are_refused(requirements: Path) -> None:
    lock = requirements / "functions-openai.txt"
    lock.write_text(lock.read_text().replace("sharedpart==1.0", "sharedpart==2.0"))
    with pytest.raises(
        PackagingError, match=r"pins sharedpart==2\.0, the base layer sharedpart==1\.0: run `make lock`"
    ):
        layer_requirements("openai", requirements)


def test_a_package_that_is_not_what_was_locked_is_refused(requirements: Path, tmp_path: Path) -> None:
    lock = requirements / "functions-base.txt"
    lock.write_text(f"sharedpart==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(PackagingError, match=r"(?s)could not be installed from the lock files.*[Hh]ash"):
        build_layer(TARGETS["host"], "base", requirements=requirements, layers=tmp_path)
    with pytest.raises(PackagingError, match="make setup"):
        built("host", "base", tmp_path)


@pytest.mark.parametrize("target", ["aws", "host"])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_built_layers_are_for_their_target(target: str, layer: str) -> None:
    python = built(target, layer) / "python"
    machines = {_elf_machine(path) for path in python.rglob("*.so*")} - {None}
    assert machines <= {TARGETS[target].architecture}
    tag = f"cpython-{TARGETS[target].python_version.replace('.', '')}"
    assert {
        path.name.split(".")[1].split("-aarch64")[0].split("-x86_64")[0] for path in python.rglob("*.cpython-*.so")
    } <= {tag}
    assert not list(python.rglob("*.pyc"))
    assert not (python / "bin").exists()


@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_built_for_aws_loads_on_amazon_linux_2023(layer: str) -> None:
    """Which has glibc 2.34; what asks for a newer one is found out at the first invocation only."""
    needed = {
        int(version)
        for path in (built("aws", layer) / "python").rglob("*.so*")
        for version in re.findall(rb"\bGLIBC_2\.(\d+)", path.read_bytes())
    }
    assert max(needed, default=0) <= 34


def _elf_machine(path: Path) -> str | None:
    head = path.read_bytes()[:20]
    return ELF_MACHINES.get(head[18:20], "unknown") if head.startswith(b"\x7fELF") else None
