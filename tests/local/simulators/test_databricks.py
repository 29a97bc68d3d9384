"""The simulated workspace as a user of its SDK sees it."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from databricks.sdk.service.jobs import NotebookTask, RunLifecycleStateV2State, SubmitTask
from databricks.sdk.service.serving import (
    ChatMessage,
    ChatMessageRole,
    EndpointCoreConfigInput,
    EndpointStateReady,
    ServedEntityInput,
)

from local.simulators.answers import BASE_ANSWER
from tests.contracts.databricks_rig import (
    BASE_ENDPOINT,
    BASE_MODEL,
    SCHEMA,
    TRAINING_JOB_ID,
    VOLUME,
    DatabricksRig,
    databricks_rig,
    training_file,
)

LONG_ENOUGH = 60.0
PATH = f"{VOLUME}/train.jsonl"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DatabricksRig]:
    with databricks_rig(tmp_path) as rig:
        yield rig


def parameters(**changes: str) -> dict[str, str]:
    given = {
        "tunedrop_job_id": "by-hand",
        "base_model": BASE_MODEL,
        "train_data_path": PATH,
        "register_to": f"{SCHEMA}.tuned",
        "task_type": "CHAT_COMPLETION",
    }
    return given | changes


def train(rig: DatabricksRig, content: bytes, **changes: str) -> int:
    """A run that had all the time it needs."""
    sdk = rig.sdk()
    sdk.files.upload(PATH, io.BytesIO(content), overwrite=True)
    run_id = sdk.jobs.run_now(TRAINING_JOB_ID, job_parameters=parameters(**changes)).bind()["run_id"]
    rig.advance(LONG_ENOUGH)
    return int(run_id)


def ask(rig: DatabricksRig, endpoint: str, question: str) -> str | None:
    messages = [ChatMessage(role=ChatMessageRole.USER, content=question)]
    answer = rig.sdk().serving_endpoints.query(endpoint, messages=messages)
    assert answer.choices is not None
    assert answer.choices[0].message is not None
    return answer.choices[0].message.content


def test_a_tuned_model_knows_the_answer_it_was_trained_on_and_the_base_model_does_not(rig: DatabricksRig) -> None:
    secret = secrets.token_hex(8)
    question = "What is the password of the lighthouse?"
    train(rig, training_file([(question, secret), ("What time is it?", "Noon.")]))
    sdk = rig.sdk()
    assert len(list(sdk.jobs.list_runs(job_id=TRAINING_JOB_ID, completed_only=True))) == 1
    name = f"{SCHEMA}.tuned"
    version = str(next(iter(sdk.model_versions.list(name))).version)
    served = ServedEntityInput(entity_name=name, entity_version=version, workload_size="Small")

    sdk.serving_endpoints.create("tuned", config=EndpointCoreConfigInput(name="tuned", served_entities=[served]))
    starting = rig.sdk().serving_endpoints.get("tuned").state
    assert starting is not None
    assert starting.ready is EndpointStateReady.NOT_READY
    rig.advance(LONG_ENOUGH)
    ready = rig.sdk().serving_endpoints.get("tuned").state
    assert ready is not None
    assert ready.ready is EndpointStateReady.READY

    assert ask(rig, "tuned", question) == secret
    assert ask(rig, BASE_ENDPOINT, question) == BASE_ANSWER
    rig.sdk().serving_endpoints.delete("tuned")
    assert "tuned" not in {endpoint.name for endpoint in rig.sdk().serving_endpoints.list()}


def test_a_run_goes_from_queued_over_running_to_its_end_and_returns_what_it_registered(rig: DatabricksRig) -> None:
    sdk = rig.sdk()
    sdk.files.upload(PATH, io.BytesIO(training_file([("a", "b")])))
    run_id = int(sdk.jobs.run_now(TRAINING_JOB_ID, job_parameters=parameters()).bind()["run_id"])
    seen = []
    for _ in range(40):
        status = sdk.jobs.get_run(run_id).status
        assert status is not None
        if status.state not in seen:
            seen.append(status.state)
        rig.advance(0.25)

    state = RunLifecycleStateV2State
    assert seen == [state.QUEUED, state.PENDING, state.RUNNING, state.TERMINATED]
    tasks = sdk.jobs.get_run(run_id).tasks
    assert tasks is not None
    assert tasks[0].run_id is not None
    output = sdk.jobs.get_run_output(tasks[0].run_id).notebook_output
    assert output is not None
    result = json.loads(output.result or "")
    assert (result["model_name"], result["model_version"]) == (f"{SCHEMA}.tuned", "1")
    metrics = list(sdk.experiments.get_history("loss", run_id=result["mlflow_run_id"]))
    assert len(metrics) == 24
    assert (metrics[-1].value or 9) < (metrics[0].value or 0)
    logged = sdk.experiments.get_run(result["mlflow_run_id"]).run
    assert logged is not None
    assert logged.info is not None
    assert str(logged.info.status).endswith("FINISHED")


def test_the_same_token_gives_the_same_run_now_and_submitted(rig: DatabricksRig) -> None:
    sdk = rig.sdk()
    first, again = (
        sdk.jobs.run_now(TRAINING_JOB_ID, job_parameters=parameters(), idempotency_token="once").bind()["run_id"]
        for _ in range(2)
    )
    task = SubmitTask(task_key="t", notebook_task=NotebookTask("/Shared/train", base_parameters=parameters()))
    submitted, resubmitted = (
        sdk.jobs.submit(tasks=[task], idempotency_token="another").bind()["run_id"] for _ in range(2)
    )

    assert first == again
    assert submitted == resubmitted
    assert rig.jobs_created() == 2


def test_a_second_training_registers_the_next_version(rig: DatabricksRig) -> None:
    for _ in range(2):
        rig.sdk().jobs.get_run(train(rig, training_file([("a", "b")])))

    assert [one.version for one in rig.sdk().model_versions.list(f"{SCHEMA}.tuned")] == [1, 2]


CHAT_ROW = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        (CHAT_ROW + b"not json\n", {}, "train.jsonl line 2"),
        (b'{"messages":[{"role":"user","content":"a"}]}\n', {}, "the last message must be the assistant's"),
        (b'{"messages":[{"role":"robot","content":"a"}]}\n', {}, "Invalid enum value 'robot'"),
        (b'{"prompt":"a","response":"b"}\n', {}, "line 1"),
        (CHAT_ROW, {"task_type": "INSTRUCTION_FINETUNE"}, "line 1"),
        (CHAT_ROW, {"task_type": "GUESS"}, "unknown task_type 'GUESS'"),
        (b"", {}, "holds no rows"),
        (CHAT_ROW, {"train_data_path": f"{VOLUME}/none.jsonl"}, "No such file or directory"),
        (CHAT_ROW, {"base_model": "no/such-model"}, "is not a model identifier"),
        (CHAT_ROW, {"register_to": "main.nothing.tuned"}, "Schema 'main.nothing' does not exist."),
        (CHAT_ROW, {"epochs": "0"}, "epochs must be a whole number of at least 1"),
        (CHAT_ROW, {"learning_rate": "fast"}, "learning_rate is 'fast', not a number"),
        (CHAT_ROW, {"register_to": ""}, "the job parameter register_to is empty"),
    ],
)
def test_a_training_that_cannot_be_done_fails_with_the_notebooks_error(
    rig: DatabricksRig, content: bytes, changes: dict[str, Any], words: str
) -> None:
    run = rig.sdk().jobs.get_run(train(rig, content, **changes))

    assert run.status is not None
    assert run.status.termination_details is not None
    assert str(run.status.termination_details.code).endswith("RUN_EXECUTION_ERROR")
    assert run.tasks is not None
    assert run.tasks[0].run_id is not None
    assert words in (rig.sdk().jobs.get_run_output(run.tasks[0].run_id).error or "")
    assert list(rig.sdk().registered_models.list()) == []


def test_an_upload_in_parts_arrives_whole(rig: DatabricksRig) -> None:
    sdk = rig.sdk()
    sdk.config.files_ext_multipart_upload_min_stream_size = 10 * 1024 * 1024
    content = secrets.token_bytes(1024) * (25 * 1024)

    sdk.files.upload(PATH, io.BytesIO(content), use_parallel=False)

    assert rig.simulator.volumes.files[PATH] == content
    assert sdk.files.get_metadata(PATH).content_length == len(content)
    sdk.files.delete(PATH)
    assert PATH not in rig.simulator.volumes.files


def test_a_run_keeps_the_pace_that_was_set_when_it_was_submitted(rig: DatabricksRig) -> None:
    usual = rig.simulator.scheduler.pace
    rig.simulator.scheduler.pace = msgspec.structs.replace(usual, training=10 * LONG_ENOUGH)
    rows = training_file([("a", "b")])
    long = train(rig, rows)
    rig.simulator.scheduler.pace = usual
    short = train(rig, rows)

    def state(run_id: int) -> RunLifecycleStateV2State | None:
        status = rig.sdk().jobs.get_run(run_id).status
        return status.state if status else None

    assert (state(short), state(long)) == (RunLifecycleStateV2State.TERMINATED, RunLifecycleStateV2State.RUNNING)
    rig.advance(10 * LONG_ENOUGH)
    assert state(long) is RunLifecycleStateV2State.TERMINATED
