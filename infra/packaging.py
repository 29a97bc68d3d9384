"""The functions' dependencies, as Lambda layers built from the lock files.

`python -m infra.packaging` builds `build/layers/<target>/<layer>/python`, and beside it the same as `<layer>.zip`, for
both targets, and skips what is up to date. The archive is what is deployed: made once, not at every synthesis.
Two builds from the same lock file are equal byte for byte, so that a deployment changes nothing when nothing changed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LAYERS_FOLDER = PROJECT / "build" / "layers"
REQUIREMENTS_FOLDER = PROJECT / "requirements"
LAMBDAS_FOLDER = PROJECT / "lambdas"

BASE = "base"
LAYERS = (BASE, "openai", "databricks", "prepare", "api")
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
"""A function's code with all its layers (AWS Lambda quotas, deployment package, unzipped)."""
CODE_EXCLUDES = ("**/__pycache__", "**/*.pyc", "tunedrop/client", "tunedrop/dspy", "tunedrop/__main__.py", ".DS_Store")
"""What lambdas/ holds that no function runs."""

_RECIPE_VERSION = "2"
"""Part of every stamp: a change of what this module does to a layer builds it again."""


class PackagingError(Exception):
    """A layer is missing or cannot be built; the message says what to do."""


@dataclass(frozen=True)
class Target:
    """A machine that runs the functions: AWS Lambda, or this machine's own Python."""

    name: str
    python_version: str
    """As in `3.13`."""
    architecture: str
    """`arm64` or `x86_64`."""
    uv_arguments: tuple[str, ...]


def _host_architecture() -> str:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


_HOST_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = {
    # Lambda's Python 3.13 runs on Amazon Linux 2023, which has glibc 2.34: wheels for 2.28 load there.
    "aws": Target("aws", "3.13", "arm64", ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13")),
    "host": Target("host", _HOST_PYTHON, _host_architecture(), ("--python", sys.executable)),
}


@dataclass(frozen=True)
class _Requirement:
    name: str
    pin: str
    """The name, version and marker, without hashes."""
    text: str


def locked_requirements(lock: str) -> dict[str, _Requirement]:
    """The requirements of a lock file by name, each with its hashes."""
    logical_lines = re.sub(r"\\\n\s*", " ", lock).splitlines()
    found = {}
    for line in logical_lines:
        match = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
        if match:
            name = match[1].lower()
            found[name] = _Requirement(name, match[0], line)
    return found


def layer_requirements(layer: str, folder: Path = REQUIREMENTS_FOLDER) -> str:
    """What goes into a layer: its lock file without what the base layer brings already.

    Raises PackagingError where the two lock files pin different versions of one package.
    """
    wanted = locked_requirements((folder / f"functions-{layer}.txt").read_text())
    if layer != BASE:
        base = locked_requirements((folder / f"functions-{BASE}.txt").read_text())
        for name in wanted.keys() & base.keys():
            if wanted[name].pin != base[name].pin:
                raise PackagingError(
                    f"requirements/functions-{layer}.txt pins {wanted[name].pin}, the base layer {base[name].pin}: "
                    "run `make lock`, so that one function never gets two versions."
                )
            del wanted[name]
    return "".join(f"{requirement.text}\n" for _, requirement in sorted(wanted.items()))


def layer_archive(target: str, layer: str, layers: Path = LAYERS_FOLDER) -> Path:
    """The built layer. Raises PackagingError when there is none."""
    archive = layers / target / f"{layer}.zip"
    if not (layers / target / f"{layer}.stamp").is_file() or not archive.is_file():
        raise PackagingError(f"The functions' layer {archive} has not been built: run `make setup`, then try again.")
    return archive


def build_layer(
    target: Target, layer: str, *, requirements: Path = REQUIREMENTS_FOLDER, layers: Path = LAYERS_FOLDER
) -> bool:
    """Builds one layer; False when it is up to date. Raises PackagingError with the installer's own words."""
    wanted = layer_requirements(layer, requirements)
    recipe = "\n".join((_RECIPE_VERSION, target.python_version, target.architecture, wanted))
    stamp = hashlib.sha256(recipe.encode()).hexdigest()
    folder, archive, stamp_file = (layers / target.name / f"{layer}{ending}" for ending in ("", ".zip", ".stamp"))
    if archive.is_file() and stamp_file.is_file() and stamp_file.read_text() == stamp:
        return False
    stamp_file.unlink(missing_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{layer}-") as scratch:
        lock = Path(scratch) / "requirements.txt"
        lock.write_text(wanted)
        built = Path(scratch) / "layer"
        _install(target, lock, built / "python")
        _remove_machine_traces(built / "python")
        shutil.rmtree(folder, ignore_errors=True)
        built.rename(folder)
    _pack(folder, archive)
    stamp_file.write_text(stamp)
    return True


def _install(target: Target, lock: Path, into: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    command: Sequence[str | Path] = (
        uv, "pip", "install", "--quiet", "--target", into, *target.uv_arguments, "--only-binary", ":all:",
        "--require-hashes", "--no-deps", "--no-compile-bytecode", "--link-mode", "copy", "-r", lock,
    )  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if finished.returncode:
        raise PackagingError(
            f"The layers for {target.name} (Python {target.python_version}, {target.architecture}) could not be "
            f"installed from the lock files:\n{finished.stderr.strip()}"
        )


def _remove_machine_traces(python: Path) -> None:
    """Takes out what differs from machine to machine: scripts with the interpreter's path, and the installer's lock."""
    shutil.rmtree(python / "bin", ignore_errors=True)
    (python / ".lock").unlink(missing_ok=True)
    for record in python.glob("*.dist-info/RECORD"):
        lines = record.read_text().splitlines()
        kept = sorted(line for line in lines if not re.match(r"(\.\./)*bin/", line))
        record.write_text("".join(f"{line}\n" for line in kept))


def _pack(folder: Path, archive: Path) -> None:
    """Sorted, and with the same date and mode everywhere: equal folders make equal archives."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def main() -> int:
    """Builds every layer for every target."""
    try:
        for target in TARGETS.values():
            for layer in LAYERS:
                state = "built" if build_layer(target, layer) else "up to date"
                print(f"layer {target.name}/{layer}: {state}")
    except PackagingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
