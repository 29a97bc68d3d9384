"""What a function is deployed with: its code, its layers and its variables are enough, and fit into Lambda."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra import packaging
from tests.infra.layers import built, contents
from tests.infra.templates import Synthesis

CHECK_ROWS = """
import io
from tunedrop.domain.models import MODELS
from tunedrop.training_data.dataset import DatasetPreparation
row = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
for model in MODELS:
    preparation = DatasetPreparation(model, hyperparameters={})
    for chunk in preparation.chunks(io.BytesIO(b"\\n".join([row] * 200)), name="rows", role="training"):
        pass
    assert preparation.report().training.tokens.tokens > 0
"""
TASKS = [
    f"provider_task('{operation}')"
    for operation in ("submit", "poll", "cancel", "start_endpoint", "poll_endpoint", "stop_endpoint")
]
API_USE_CASES = (
    "create_job",
    "create_answers",
    "sign_uploads",
    "validate_request",
    "retry_job",
    "job_list",
    "timeline",
    "show_job",
    "request_cancel",
    "refresh_job",
    "start_endpoint",
    "stop_endpoint",
    "show_endpoint",
    "delete_model",
)


@pytest.mark.parametrize("target", ["aws", "host"])
@pytest.mark.parametrize("layers", [("openai",), ("databricks",), ("prepare",), ("api", "prepare")])
def test_a_function_with_its_layers_fits_into_lambda(target: str, layers: tuple[str, ...]) -> None:
    folders = [built(target, each) / "python" for each in ("base", *layers)]
    code = sum(
        len(content) for name, content in contents(packaging.LAMBDAS_FOLDER).items() if "__pycache__" not in name
    )
    dependencies = sum(len(content) for folder in folders for content in contents(folder).values())
    assert code + dependencies < packaging.UNZIPPED_LIMIT_BYTES
    # Of two versions of one package, a function would get the one whose layer comes last.
    packages = [path.name.split("-")[0].lower() for folder in folders for path in folder.glob("*.dist-info")]
    assert sorted(set(packages)) == sorted(packages)


@pytest.mark.parametrize(
    ("function", "layers", "use_cases"),
    [
        ("intake", [], ["receive_upload()", "hear_of_upload()"]),
        ("prepare", ["prepare"], ["prepare_job()"]),
        ("bedrock_tasks", [], TASKS),
        ("openai_tasks", ["openai"], TASKS[:3]),
        ("databricks_tasks", ["databricks"], TASKS),
        ("finish", [], ["finish_job()", "adapters.endpoint_workflow()"]),
        ("notify", [], ["notify_change()", "notify_endpoint_change()"]),
        ("api", ["api", "prepare"], [f"{name}()" for name in API_USE_CASES]),
        ("webhook", ["openai"], ["openai_webhooks()", "hear_provider_news()", "webhook_deliveries()"]),
        ("wake", [], ["hear_news()"]),
        ("recover", [], ["recover_execution()"]),
    ],
)
def test_a_function_starts_with_its_own_layers_and_variables_and_nothing_else(
    function: str, layers: list[str], use_cases: list[str], host: Synthesis
) -> None:
    """Nothing of the environment that the tests run in is there; what a provider needs is loaded when it is used."""
    folders = [str(packaging.LAMBDAS_FOLDER), *(str(built("host", layer) / "python") for layer in ("base", *layers))]
    work = f"import tunedrop.providers.{function.removesuffix('_tasks')}" if function.endswith("_tasks") else ""
    if function == "prepare":
        work = CHECK_ROWS
    program = f"""
import sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + {folders!r}
import {function}
from tunedrop import wiring
{"; ".join(f"wiring.{use_case}" for use_case in use_cases)}
{work}
"""
    (given,) = (
        each["Properties"]["Environment"]["Variables"]
        for each in host.resources("AWS::Lambda::Function").values()
        if each["Properties"]["Handler"] == f"{function}.handler"
    )
    environment = {**dict.fromkeys(given, "x"), "POWERTOOLS_LOG_LEVEL": "INFO", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
