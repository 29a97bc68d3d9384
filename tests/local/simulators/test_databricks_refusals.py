"""What the simulated workspace refuses, as the SDK reports it: the SDK's class, the error code and the words."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    InvalidState,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.oauth import ClientCredentials
from databricks.sdk.service.jobs import NotebookTask, SubmitTask
from databricks.sdk.service.serving import (
    ChatMessage,
    ChatMessageRole,
    EndpointCoreConfigInput,
    EndpointTag,
    ServedEntityInput,
)

from local.simulators.databricks.serving import THROUGHPUT_CHUNK
from local.simulators.faults import Fault, FaultKind
from tests.contracts.databricks_rig import SCHEMA, TRAINING_JOB_ID, VOLUME, DatabricksRig, databricks_rig

MODEL = f"{SCHEMA}.tunedrop_taken"
RIGID = f"{SCHEMA}.tunedrop_deleted"
"""A model that cannot be optimized."""


class Workspace:
    """A workspace with one trained model, a ready endpoint `taken` of it, a starting one, and a deleted run."""

    def __init__(self, rig: DatabricksRig) -> None:
        self.rig = rig
        self.sdk = rig.sdk()
        self.run_id = int(rig.provider.create(rig.order("taken")))
        self.deleted_run_id = int(rig.provider.create(rig.order("deleted")))
        rig.advance(60)
        self.serve("taken")
        rig.faults.add(Fault(operation="optimization_info", kind=FaultKind.FAIL_JOB))
        self.get(f"/api/2.0/serving-endpoints/get-model-optimization-info/{RIGID}/1")
        self.sdk.jobs.get_run(self.deleted_run_id)
        self.sdk.jobs.delete_run(self.deleted_run_id)
        rig.advance(60)
        self.active_run_id = int(rig.provider.create(rig.order("active")))
        self.serve("starting")

    def put(self, path: str, *, overwrite: bool = True) -> None:
        self.sdk.files.upload(path, io.BytesIO(b"{}"), overwrite=overwrite)

    def run(self, job_id: int = TRAINING_JOB_ID, *, token: str | None = None, **parameters: Any) -> None:
        self.sdk.jobs.run_now(job_id, idempotency_token=token, job_parameters=parameters)

    def submit(self, *tasks: SubmitTask) -> None:
        self.sdk.jobs.submit(tasks=list(tasks), run_name="by hand")

    def serve(
        self, name: str, entity: str = MODEL, version: str = "1", *, tags: Sequence[str] = (), **size: Any
    ) -> None:
        config = EndpointCoreConfigInput(name=name, served_entities=[_entity(entity, version, size)])
        self.sdk.serving_endpoints.create(name, config=config, tags=[EndpointTag(key) for key in tags])

    def update(self, name: str, version: str = "1") -> None:
        self.sdk.serving_endpoints.update_config(name, served_entities=[_entity(MODEL, version, {})])

    def ask(self, endpoint: str, *roles: ChatMessageRole) -> None:
        messages = [ChatMessage(role=role, content="hello") for role in roles]
        self.sdk.serving_endpoints.query(endpoint, messages=messages)

    def get(self, path: str, sdk: WorkspaceClient | None = None, **query: Any) -> None:
        (sdk or self.sdk).api_client.do("GET", path, query=query)


def _entity(name: str, version: str, size: dict[str, Any]) -> ServedEntityInput:
    return ServedEntityInput(entity_name=name, entity_version=version, **(size or {"workload_size": "Small"}))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with databricks_rig(tmp_path_factory.mktemp("databricks")) as rig:
        yield Workspace(rig)


Act = Callable[[Workspace], object]
NOTEBOOK = SubmitTask(task_key="a", notebook_task=NotebookTask(notebook_path="/Shared/a"))
USER = ChatMessageRole.USER

REFUSALS: dict[str, tuple[Act, type[DatabricksError], str, str]] = {
    "a wrong token": (
        lambda it: it.get("/api/2.2/jobs/get", it.rig.sdk("a-wrong-token"), job_id=1),
        PermissionDenied,
        "403",
        "Invalid access token.",
    ),
    "basic authentication": (
        lambda it: it.sdk.api_client.do("GET", "/api/2.2/jobs/get", auth=lambda r: r),
        Unauthenticated,
        "401",
        "Credential was not sent",
    ),
    "a path that is no API": (lambda it: it.get("/api/2.0/nothing"), NotFound, "ENDPOINT_NOT_FOUND", "No API found"),
    "a file outside of /Volumes": (
        lambda it: it.put("/tmp/train.jsonl"),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "Invalid path: /tmp/train.jsonl",
    ),
    "a volume that does not exist": (
        lambda it: it.put("/Volumes/main/tunedrop/nothing/train.jsonl"),
        NotFound,
        "NOT_FOUND",
        "Volume 'main.tunedrop.nothing' does not exist.",
    ),
    "a directory that does not exist": (
        lambda it: it.put(f"{VOLUME}/nowhere/train.jsonl"),
        NotFound,
        "NOT_FOUND",
        "The directory being accessed is not found.",
    ),
    "a file that exists, without overwrite": (
        lambda it: it.put(f"{VOLUME}/tunedrop/taken/train.jsonl", overwrite=False),
        AlreadyExists,
        "ALREADY_EXISTS",
        "The file being created already exists.",
    ),
    "a file that does not exist": (
        lambda it: it.get(f"/api/2.0/fs/files{VOLUME}/none.jsonl"),
        NotFound,
        "NOT_FOUND",
        "The file being accessed is not found.",
    ),
    "an unknown job": (
        lambda it: it.run(99),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "Job 99 does not exist.",
    ),
    "a job parameter that the job does not declare": (
        lambda it: it.run(temperature="1"),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "['temperature'] are not defined",
    ),
    "a number for a job parameter": (
        lambda it: it.run(epochs=3),
        BadRequest,
        "MALFORMED_REQUEST",
        "Could not parse request object: Expected `str`, got `int`",
    ),
    "an idempotency token of 65 characters": (
        lambda it: it.run(token="x" * 65),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "at most 64 characters",
    ),
    "the token of a deleted run": (
        lambda it: it.run(token="tunedrop-deleted"),
        InvalidState,
        "INVALID_STATE",
        "has been deleted",
    ),
    "a submitted run without tasks": (
        lambda it: it.submit(),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "One of the fields is required: tasks",
    ),
    "a submitted run with two tasks": (
        lambda it: it.submit(NOTEBOOK, NOTEBOOK),
        BadRequest,
        "FEATURE_DISABLED",
        "one notebook task",
    ),
    "an unknown run": (
        lambda it: it.sdk.jobs.get_run(99),
        ResourceDoesNotExist,
        "INVALID_PARAMETER_VALUE",
        "Run 99 does not exist.",
    ),
    "cancelling an unknown run": (
        lambda it: it.sdk.jobs.cancel_run(99),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "Run 99 does not exist.",
    ),
    "deleting an active run": (
        lambda it: it.sdk.jobs.delete_run(it.active_run_id),
        InvalidState,
        "INVALID_STATE",
        "is active",
    ),
    "the output of a run instead of its task's": (
        lambda it: it.sdk.jobs.get_run_output(it.run_id),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "Please retrieve the output of each individual task run instead.",
    ),
    "runs that are both active and completed": (
        lambda it: list(it.sdk.jobs.list_runs(active_only=True, completed_only=True)),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "cannot both be true",
    ),
    "twenty-five runs on one page": (
        lambda it: list(it.sdk.jobs.list_runs(limit=25)),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "Invalid limit: 25",
    ),
    "a model name of two parts": (
        lambda it: it.sdk.registered_models.get("main.tunedrop"),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "catalog.schema.model",
    ),
    "an unknown schema": (
        lambda it: it.sdk.registered_models.get("main.nothing.model"),
        NotFound,
        "SCHEMA_DOES_NOT_EXIST",
        "Schema 'main.nothing' does not exist.",
    ),
    "an unknown model": (
        lambda it: list(it.sdk.model_versions.list(f"{SCHEMA}.none")),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        f"Registered model '{SCHEMA}.none' does not exist.",
    ),
    "an unknown version": (
        lambda it: it.sdk.model_versions.get(MODEL, 7),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Model version '7'",
    ),
    "an unknown experiment": (
        lambda it: it.sdk.experiments.get_by_name("/Shared/none"),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "'/Shared/none' does not exist",
    ),
    "an endpoint's name that is taken": (
        lambda it: it.serve("taken"),
        ResourceAlreadyExists,
        "RESOURCE_ALREADY_EXISTS",
        "Endpoint with name 'taken' already exists.",
    ),
    "an endpoint's name with a dot": (
        lambda it: it.serve("main.tuned"),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "'main.tuned' is invalid",
    ),
    "an endpoint of an unknown version": (
        lambda it: it.serve("another", version="2"),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Model version '2'",
    ),
    "an endpoint without a size": (
        lambda it: it.serve("another", scale_to_zero_enabled=True),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "needs a workload_size",
    ),
    "two tags with one key": (
        lambda it: it.serve("another", tags=["team", "team"]),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "must have different keys",
    ),
    "a second update while one goes on": (
        lambda it: it.update("starting"),
        ResourceConflict,
        "RESOURCE_CONFLICT",
        "another update of it is in progress",
    ),
    "an update to an unknown version": (
        lambda it: it.update("taken", version="2"),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Model version '2'",
    ),
    "an update of Databricks' own endpoint": (
        lambda it: it.update("databricks-meta-llama-3-1-8b-instruct"),
        PermissionDenied,
        "PERMISSION_DENIED",
        "managed by Databricks",
    ),
    "throughput for a model that cannot be optimized": (
        lambda it: it.serve("another", RIGID, max_provisioned_throughput=THROUGHPUT_CHUNK),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "is not eligible for provisioned throughput",
    ),
    "how to optimize an unknown version": (
        lambda it: it.get(f"/api/2.0/serving-endpoints/get-model-optimization-info/{MODEL}/2"),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Model version '2'",
    ),
    "deleting an unknown endpoint": (
        lambda it: it.sdk.serving_endpoints.delete("nothing"),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Endpoint with name 'nothing' does not exist.",
    ),
    "a throughput that is not a multiple of the chunk": (
        lambda it: it.serve("another", max_provisioned_throughput=THROUGHPUT_CHUNK + 1),
        InvalidParameterValue,
        "INVALID_PARAMETER_VALUE",
        "must be a multiple",
    ),
    "an unknown endpoint": (
        lambda it: it.ask("nothing", USER),
        ResourceDoesNotExist,
        "RESOURCE_DOES_NOT_EXIST",
        "Endpoint with name 'nothing' does not exist.",
    ),
    "a question to an endpoint that is not ready": (
        lambda it: it.ask("starting", USER),
        BadRequest,
        "BAD_REQUEST",
        "Endpoint starting is not ready",
    ),
    "a query without a user's message": (
        lambda it: it.ask("taken", ChatMessageRole.SYSTEM),
        BadRequest,
        "BAD_REQUEST",
        "'messages' must hold a message of a user",
    ),
    "deleting Databricks' own endpoint": (
        lambda it: it.sdk.serving_endpoints.delete("databricks-meta-llama-3-1-8b-instruct"),
        PermissionDenied,
        "PERMISSION_DENIED",
        "managed by Databricks",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses_with_the_services_own_error(workspace: Workspace, case: str) -> None:
    act, error, code, words = REFUSALS[case]

    with pytest.raises(DatabricksError) as refusal:
        act(workspace)

    assert type(refusal.value) is error
    assert refusal.value.error_code == code
    assert words in str(refusal.value)


def test_a_wrong_client_secret_gets_no_token(workspace: Workspace) -> None:
    token_url = f"{workspace.rig.url}/oidc/v1/token"
    tokens = ClientCredentials("someone", "wrong", token_url, scopes="all-apis", use_header=True)

    with pytest.raises(ValueError, match="invalid_client: Client authentication failed"):
        tokens.token()
