"""Reading the layers that were built."""

from __future__ import annotations

from pathlib import Path

from infra.packaging import LAYERS_FOLDER, layer_archive


def built(target: str, layer: str, layers: Path = LAYERS_FOLDER) -> Path:
    """The folder that the archive was made of."""
    return layer_archive(target, layer, layers).with_suffix("")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
