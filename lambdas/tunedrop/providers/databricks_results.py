"""What a run has to show: its metrics, the model version that it registered, or why it failed."""

from __future__ import annotations

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.catalog import ModelVersionInfo, ModelVersionInfoStatus
from databricks.sdk.service.jobs import RunOutput

from tunedrop.domain.errors import TunedropError
from tunedrop.domain.job import Progress
from tunedrop.domain.provider_ports import ProviderJob, ProviderState
from tunedrop.providers.databricks_errors import translated
from tunedrop.providers.databricks_runs import Run
from tunedrop.providers.databricks_training_job import DOCUMENT, Registered

_LOSSES = ("loss", "train_loss")


def succeeded(workspace: WorkspaceClient, run: Run, progress: Progress | None) -> ProviderJob:
    """A run that ended well, judged by the model version that it must have registered."""
    name, version = _model_version(workspace, run)
    state, error_code, error_message = ProviderState.SUCCEEDED, None, None
    if version is None or version.status is ModelVersionInfoStatus.FAILED_REGISTRATION:
        state, error_code = ProviderState.FAILED, "MODEL_NOT_REGISTERED"
        error_message = (
            f"The training job ended well, but it registered no usable version of the model {name or '(unnamed)'} in "
            f"Unity Catalog. {DOCUMENT} says what the job must register and return."
        )
    elif version.status is ModelVersionInfoStatus.PENDING_REGISTRATION:
        state = ProviderState.TRAINING
    return ProviderJob(
        state=state,
        raw_status=run.raw_status,
        tuned_model=f"{name}/{version.version}" if version and state is ProviderState.SUCCEEDED else None,
        error_code=error_code,
        error_message=error_message,
        progress=progress,
    )


def _model_version(workspace: WorkspaceClient, run: Run) -> tuple[str, ModelVersionInfo | None]:
    """The version that the notebook says it registered, else the newest of `register_to` since the run began."""
    output = _task_output(workspace, run)
    exit_value = output.notebook_output.result if output is not None and output.notebook_output is not None else None
    registered = Registered.from_exit(exit_value)
    name = registered.model_name if registered is not None else run.parameter("register_to")
    try:
        if registered is not None:
            return name, workspace.model_versions.get(name, registered.model_version)
        versions = workspace.model_versions.list(name) if name else ()
        own = [version for version in versions if (version.created_at or 0) >= run.start_time]
        # The list promises no order.
        return name, max(own, key=lambda version: version.created_at or 0, default=None)
    except NotFound:
        return name, None
    except PermissionDenied as error:
        if registered is None or error.error_code != "PERMISSION_DENIED":
            raise
        # The notebook's word is enough: a principal that may not read the model must not cost a training.
        return name, ModelVersionInfo(version=registered.model_version)


def failure_words(workspace: WorkspaceClient, run: Run) -> str:
    """The run's message and the notebook's own error: the run itself only says that its workload failed."""
    message = run.end_message or f"The run ended as {run.raw_status}."
    try:
        with translated("reading the run's output"):
            output = _task_output(workspace, run)
    except TunedropError:
        return message
    return f"{message} {output.error}" if output is not None and output.error else message


def _task_output(workspace: WorkspaceClient, run: Run) -> RunOutput | None:
    # Databricks gives the output of a task's run only, not of the run that it belongs to.
    return workspace.jobs.get_run_output(run.tasks[-1].run_id) if run.tasks else None


def progress_of(workspace: WorkspaceClient, run: Run) -> Progress | None:
    """The last loss that the training logged to MLflow. None where it cannot be read: never a reason to fail."""
    job_id = run.parameter("tunedrop_job_id")
    experiment_name = run.parameter("mlflow_experiment")
    if not job_id or not experiment_name:
        return None
    try:
        with translated("reading the training's metrics"):
            experiment = workspace.experiments.get_by_name(experiment_name).experiment
            if experiment is None or experiment.experiment_id is None:
                return None
            logged = workspace.experiments.search_runs(
                experiment_ids=[experiment.experiment_id],
                filter=f"tags.tunedrop_job_id = '{job_id}'",
                max_results=1,
            )
            data = next((one.data for one in logged), None)
    except TunedropError:
        return None
    metrics = {metric.key: metric for metric in (data.metrics if data else None) or ()}
    loss = next((metrics[key] for key in _LOSSES if key in metrics), None)
    if loss is None:
        return None
    steps = next((one.value for one in (data.params if data else None) or () if one.key == "max_steps"), None)
    return Progress(
        step=loss.step,
        total_steps=int(steps) if steps and steps.isdigit() else None,
        training_loss=loss.value,
    )
