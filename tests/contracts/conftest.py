"""The providers, each as a rig, and again as one for what serves their tuned models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.contracts.bedrock_rig import bedrock_rig
from tests.contracts.bedrock_serving_rig import bedrock_serving_rig
from tests.contracts.databricks_rig import databricks_rig
from tests.contracts.databricks_serving_rig import databricks_serving_rig
from tests.contracts.openai_rig import openai_rig
from tests.contracts.rig import ProviderRig
from tests.contracts.serving_rig import ServingRig
from tunedrop.providers.openai_upload import UploadSizes

RIGS: dict[str, Callable[[Path], AbstractContextManager[ProviderRig]]] = {
    "openai": openai_rig,
    "openai in parts": partial(openai_rig, upload_sizes=UploadSizes(in_one_call=500, part=300)),
    "bedrock": bedrock_rig,
    "databricks": databricks_rig,
}

SERVING_RIGS: dict[str, Callable[[Path], AbstractContextManager[ServingRig]]] = {
    "bedrock on demand": bedrock_serving_rig,
    "bedrock provisioned": partial(bedrock_serving_rig, kind="provisioned"),
    "databricks": databricks_serving_rig,
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProviderRig]:
    with RIGS[request.param](tmp_path) as rig:
        yield rig


@pytest.fixture(params=SERVING_RIGS)
def serving_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServingRig]:
    with SERVING_RIGS[request.param](tmp_path) as rig:
        yield rig
