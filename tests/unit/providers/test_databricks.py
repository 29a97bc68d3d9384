"""The Databricks adapter: settings, what it sends, and what every answer and every exception of the SDK means."""

from __future__ import annotations

import inspect
import io
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import databricks.sdk.errors as sdk_errors
import msgspec
import pytest
import requests
from databricks.sdk.service.jobs import (
    RunLifeCycleState,
    RunLifecycleStateV2State,
    RunResultState,
    TerminationCodeCode,
    TerminationTypeType,
)

from local.simulators.answers import TunedModel
from local.simulators.faults import Fault, FaultKind
from tests.contracts.databricks_rig import SCHEMA, TOKEN, VOLUME, DatabricksRig, databricks_rig
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    RequestInvalidError,
    SettingsMissingError,
    SubmissionUncertainError,
    TunedropError,
)
from tunedrop.domain.provider_ports import ProviderState
from tunedrop.providers.databricks_errors import translated
from tunedrop.providers.databricks_runs import ENDS, LIFECYCLE, RESULTS, TYPES, Run
from tunedrop.providers.databricks_workspace import checked

LONG_ENOUGH = 60.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DatabricksRig]:
    with databricks_rig(tmp_path) as rig:
        yield rig


# --- settings and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("training_job_id", "tunedrop:databricks_training_job_id"),
        ("volume", "tunedrop:databricks_volume"),
        ("schema", "tunedrop:databricks_schema"),
    ],
)
def test_a_missing_setting_is_named_before_anything_is_sent(setting: str, key: str) -> None:
    with databricks_rig(Path()) as rig:
        provider = rig.connect(**{setting: None})
        order = rig.order("a")
    # The workspace is gone by now: whatever were sent would fail otherwise.
    for call in (provider.find, provider.create):
        with pytest.raises(SettingsMissingError, match=key) as missing:
            call(order)
        assert f"cdk deploy -c {key}=" in str(missing.value)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("training_job_id", "train", "must be the number"),
        ("volume", "main.tunedrop.data", "/Volumes/<catalog>/<schema>/<volume>"),
        ("schema", "main", "catalog.schema"),
    ],
)
def test_a_setting_of_the_wrong_form_is_explained(rig: DatabricksRig, setting: str, value: str, words: str) -> None:
    with pytest.raises(SettingsMissingError, match=words):
        rig.connect(**{setting: value}).create(rig.order("a"))
    assert rig.simulator.volumes.files == {}


@pytest.mark.parametrize("register_to", ["main", "a.b.c.d", "main.my schema", "main..x"])
def test_a_bad_register_to_is_the_requests_fault(rig: DatabricksRig, register_to: str) -> None:
    with pytest.raises(RequestInvalidError, match="register_to"):
        rig.provider.create(rig.order("a", register_to=register_to))


@pytest.mark.parametrize("path", [f"{VOLUME}/support/rows", f"{VOLUME}/support/rows/"])
def test_files_go_to_the_folder_that_the_order_names(rig: DatabricksRig, path: str) -> None:
    provider = rig.connect(volume=None)
    run_id = provider.create(rig.order("a", train_data_path=path))

    where = f"{VOLUME}/support/rows/tunedrop/a/train.jsonl"
    assert list(rig.simulator.volumes.files) == [where]
    assert only_run(rig).parameters["train_data_path"] == where
    rig.advance(LONG_ENOUGH)
    assert provider.status(run_id).state is ProviderState.SUCCEEDED


def test_the_orders_folder_wins_over_the_setting(rig: DatabricksRig) -> None:
    provider = rig.connect(volume="/Volumes/main/tunedrop/elsewhere")
    provider.create(rig.order("a", train_data_path=VOLUME))
    assert list(rig.simulator.volumes.files) == [f"{VOLUME}/tunedrop/a/train.jsonl"]


def test_a_folder_in_a_volume_that_does_not_exist_is_the_workspaces_refusal(rig: DatabricksRig) -> None:
    with pytest.raises(ProviderRejectedError, match=r"Volume 'main.tunedrop.nothing' does not exist"):
        rig.provider.create(rig.order("a", train_data_path="/Volumes/main/tunedrop/nothing"))
    assert rig.jobs_created() == 0


def test_a_folder_of_the_wrong_form_is_the_requests_fault(rig: DatabricksRig) -> None:
    with pytest.raises(RequestInvalidError, match="train_data_path is '/tmp/rows'; it must be /Volumes/"):
        rig.provider.create(rig.order("a", train_data_path="/tmp/rows"))


def test_what_a_request_may_say_in_place_of_a_setting_is_named(rig: DatabricksRig) -> None:
    provider = rig.connect(volume=None, schema=None)
    with pytest.raises(SettingsMissingError, match=r"\(or name train_data_path and register_to in the manifest\)"):
        provider.create(rig.order("a"))


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ({}, "no host"),
        ({"host": "https://x.cloud.databricks.com"}, "neither a client_id nor a token"),
        ({"host": "https://x.cloud.databricks.com", "client_id": "a"}, "no client_secret"),
        ({"host": "https://x.cloud.databricks.com", "client_secret": "a"}, "no client_id"),
        ({"host": "ftp://x.cloud.databricks.com", "token": "t"}, "address alone"),
        ({"host": "https://x.cloud.databricks.com/?o=1", "token": "t"}, "address alone"),
    ],
)
def test_a_secret_that_cannot_be_used_says_what_it_lacks(secret: dict[str, str], words: str) -> None:
    with pytest.raises(CredentialsError, match=words):
        checked(secret)


def test_oauth_wins_over_a_token_and_the_way_is_named(rig: DatabricksRig) -> None:
    both = {"host": "x.cloud.databricks.com", "client_id": "a", "client_secret": "b", "token": "c"}

    assert checked(both)["auth_type"] == "oauth-m2m"
    assert checked({"host": "x.cloud.databricks.com", "token": "c"})["auth_type"] == "pat"


def test_works_with_a_personal_access_token(rig: DatabricksRig) -> None:
    provider = rig.connect(secret={"host": rig.url, "token": TOKEN})

    assert provider.status(provider.create(rig.order("a"))).state is ProviderState.QUEUED


@pytest.mark.parametrize("wrong", [{"token": "nope"}, {"client_id": "a-service-principal", "client_secret": "nope"}])
def test_wrong_credentials_are_said_to_be(rig: DatabricksRig, wrong: dict[str, str]) -> None:
    provider = rig.connect(secret={"host": rig.url, **wrong})

    with pytest.raises(CredentialsError) as refused:
        provider.create(rig.order("a"))
    assert "Config:" not in str(refused.value)


def test_a_workspace_that_is_not_there_may_be_there_later() -> None:
    with databricks_rig(Path()) as rig:
        provider, order = rig.provider, rig.order("a")
    with pytest.raises(ProviderUnavailableError, match=rig.url):
        provider.create(order)


# --- what is sent ---------------------------------------------------------------------------------------------------


def only_run(rig: DatabricksRig) -> Any:
    (run,) = rig.simulator.scheduler.runs.values()
    return run


def test_the_run_is_given_the_contracts_parameters_as_strings(rig: DatabricksRig) -> None:
    rig.objects.put("s3://artifacts/eval.jsonl", b"{}\n")
    rig.provider.create(rig.order("a-1", validation_uri="s3://artifacts/eval.jsonl"))

    given = only_run(rig).parameters
    assert given["tunedrop_job_id"] == "a-1"
    assert given["register_to"] == f"{SCHEMA}.tunedrop_a_1"
    assert given["train_data_path"] == f"{VOLUME}/tunedrop/a-1/train.jsonl"
    assert given["eval_data_path"] == f"{VOLUME}/tunedrop/a-1/eval.jsonl"
    assert given["task_type"] == "CHAT_COMPLETION"
    assert (given["epochs"], given["learning_rate"]) == ("3", "1e-05")
    files = rig.simulator.volumes.files
    assert files[given["train_data_path"]] == rig.objects.objects["s3://artifacts/jobs/a-1/train.jsonl"]
    assert files[given["eval_data_path"]] == b"{}\n"


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"format": "completion"}, "task_type", "INSTRUCTION_FINETUNE"),
        ({"format": "completion", "task_type": "CHAT_COMPLETION"}, "task_type", "CHAT_COMPLETION"),
        ({"register_to": "dev.models"}, "register_to", "dev.models.tunedrop_a"),
        ({"register_to": "dev.models.mine"}, "register_to", "dev.models.mine"),
        ({}, "eval_data_path", ""),
    ],
)
def test_the_order_decides_task_and_model(rig: DatabricksRig, changes: dict[str, Any], name: str, value: str) -> None:
    rig.provider.create(rig.order("a", **changes))

    assert only_run(rig).parameters[name] == value


class Trickle(io.RawIOBase):
    """A stream that gives less than it is asked for, as a network does, and cannot be rewound."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self.largest_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.largest_read = max(self.largest_read, len(buffer))
        chunk = self._content.read(min(len(buffer), 65_536))
        buffer[: len(chunk)] = chunk
        return len(chunk)


@pytest.mark.parametrize("size", [0, 300_000, 23 * 1024 * 1024])
def test_a_file_arrives_whole_whatever_its_size_and_the_stream_s_pace(
    rig: DatabricksRig, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = (secrets.token_bytes(1023) + b"\n") * (size // 1024)
    stream = Trickle(content)
    monkeypatch.setattr(rig.objects, "open", lambda uri: stream)

    rig.provider.create(rig.order("a"))

    assert rig.simulator.volumes.files[f"{VOLUME}/tunedrop/a/train.jsonl"] == content
    assert stream.largest_read <= 11 * 1024 * 1024


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training_job_id": "99"}, "Job 99 does not exist"),
        ({"volume": "/Volumes/main/tunedrop/none"}, "Volume 'main.tunedrop.none' does not exist"),
    ],
)
def test_a_setting_that_points_nowhere_ends_with_databricks_words(
    rig: DatabricksRig, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(ProviderRejectedError, match=words) as refused:
        rig.connect(**changes).create(rig.order("a"))
    assert refused.value.provider_code in ("INVALID_PARAMETER_VALUE", "NOT_FOUND")
    assert rig.jobs_created() == 0


def test_a_run_that_somebody_deleted_is_not_started_again(rig: DatabricksRig) -> None:
    order = rig.order("a")
    run_id = int(rig.provider.create(order))
    rig.advance(LONG_ENOUGH)
    rig.sdk().jobs.delete_run(run_id)

    with pytest.raises(ProviderRejectedError, match="deleted"):
        rig.provider.create(order)
    with pytest.raises(ProviderRejectedError, match="does not exist"):
        rig.provider.status(str(run_id))


def test_an_upload_that_fails_started_nothing_and_may_be_repeated(rig: DatabricksRig) -> None:
    rig.faults.add(Fault(operation="files.upload", kind=FaultKind.LOSE_REPLY))
    with pytest.raises(ProviderUnavailableError):
        rig.provider.create(rig.order("a"))
    assert rig.jobs_created() == 0

    rig.provider.create(rig.order("a"))
    assert list(rig.simulator.volumes.files) == [f"{VOLUME}/tunedrop/a/train.jsonl"]


@pytest.mark.parametrize(("seconds", "hint"), [(45.0, 45.0), (0.0, None)])
def test_a_retry_after_is_passed_on_at_once_and_not_waited_for(
    rig: DatabricksRig, monkeypatch: pytest.MonkeyPatch, seconds: float, hint: float | None
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    rig.faults.add(Fault(operation="jobs.run_now", kind=FaultKind.THROTTLE, seconds=seconds))

    with pytest.raises(ProviderThrottledError) as throttled:
        rig.provider.create(rig.order("a"))
    assert throttled.value.retry_after == hint
    assert waits == []


# --- what an ended run means ----------------------------------------------------------------------------------------


def trained(rig: DatabricksRig, **changes: Any) -> str:
    run_id = rig.provider.create(rig.order("a", **changes))
    rig.advance(LONG_ENOUGH)
    rig.sdk().jobs.get_run(int(run_id))
    return run_id


def test_without_the_notebooks_word_the_newest_version_since_the_run_began_counts(rig: DatabricksRig) -> None:
    register_to = f"{SCHEMA}.shared"
    trained(rig, register_to=register_to)
    rig.advance(1)
    run_id = trained(rig, register_to=register_to, token="tunedrop-second")
    rig.simulator.scheduler.runs[int(run_id)].result = {"something": "else"}
    rig.advance(1)
    rig.simulator.registry.register(register_to, model=TunedModel([]), base_model="b", mlflow_run_id="m")

    assert rig.provider.status(run_id).tuned_model == f"{register_to}/3"


def test_a_model_of_an_earlier_run_is_not_taken_for_this_ones(rig: DatabricksRig) -> None:
    register_to = f"{SCHEMA}.shared"
    trained(rig, register_to=register_to)
    rig.advance(1)
    run_id = trained(rig, register_to=register_to, token="tunedrop-second")
    rig.simulator.scheduler.runs[int(run_id)].result = None
    rig.simulator.registry._models[register_to].pop()

    answer = rig.provider.status(run_id)
    assert (answer.state, answer.error_code) == (ProviderState.FAILED, "MODEL_NOT_REGISTERED")
    assert "docs/databricks-training-job.md" in (answer.error_message or "")


def test_a_notebook_that_names_a_model_that_is_not_there_has_failed(rig: DatabricksRig) -> None:
    run_id = trained(rig)
    result = {"model_name": f"{SCHEMA}.tunedrop_a", "model_version": "9"}
    rig.simulator.scheduler.runs[int(run_id)].result = result

    assert rig.provider.status(run_id).error_code == "MODEL_NOT_REGISTERED"


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("ValueError: line 3", "RUN_EXECUTION_ERROR", "ValueError: line 3"),
        ("CLOUD_FAILURE: The node was lost.", "CLOUD_FAILURE", "The node was lost."),
        ("INTERNAL_ERROR: Something broke.", "INTERNAL_ERROR", "Something broke."),
    ],
)
def test_a_failed_run_gives_its_code_and_the_notebooks_error(
    rig: DatabricksRig, asked: str, code: str, words: str
) -> None:
    rig.faults.add(Fault(operation="jobs.run_now", kind=FaultKind.FAIL_JOB, message=asked))
    answer = rig.provider.status(trained(rig))

    assert (answer.state, answer.error_code) == (ProviderState.FAILED, code)
    assert words in (answer.error_message or "")


def test_a_run_that_is_being_cancelled_is_stopping(rig: DatabricksRig) -> None:
    run_id = rig.provider.create(rig.order("a"))
    rig.advance(2)
    rig.provider.stop(run_id)

    answer = rig.provider.status(run_id)
    assert (answer.state, answer.raw_status) == (ProviderState.STOPPING, "TERMINATING/USER_CANCELED")


@pytest.mark.parametrize("operation", ["experiments.get_by_name", "experiments.search_runs"])
@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.THROTTLE, FaultKind.LOSE_REPLY])
def test_metrics_that_cannot_be_read_do_not_disturb_the_look(
    rig: DatabricksRig, operation: str, kind: FaultKind
) -> None:
    run_id = rig.provider.create(rig.order("a"))
    rig.advance(4)
    rig.faults.add(Fault(operation=operation, kind=kind))

    answer = rig.provider.status(run_id)
    assert (answer.state, answer.progress) == (ProviderState.TRAINING, None)
    progress = rig.provider.status(run_id).progress
    assert progress is not None
    assert progress.total_steps == 24


# --- every status that the SDK knows --------------------------------------------------------------------------------


def run(status: dict[str, Any] | None = None, state: dict[str, Any] | None = None) -> Run:
    document = {"run_id": 1, "status": status, "state": state}
    return msgspec.convert({name: value for name, value in document.items() if value}, Run)


@pytest.mark.parametrize("state", [*RunLifecycleStateV2State, *RunLifeCycleState])
def test_every_state_that_the_sdk_knows_has_a_meaning(state: RunLifecycleStateV2State | RunLifeCycleState) -> None:
    if state.value == "TERMINATED":
        return
    assert LIFECYCLE[state.value] is run({"state": state.value}).provider_state
    assert LIFECYCLE[state.value] is run(None, {"life_cycle_state": state.value}).provider_state


def test_every_end_that_the_sdk_knows_has_a_meaning() -> None:
    assert set(ENDS) == {code.value for code in TerminationCodeCode}
    assert set(TYPES) == {kind.value for kind in TerminationTypeType}
    assert set(RESULTS) == {result.value for result in RunResultState}
    assert set(LIFECYCLE) == {state.value for state in (*RunLifecycleStateV2State, *RunLifeCycleState)} - {"TERMINATED"}


@pytest.mark.parametrize("code", TerminationCodeCode)
def test_only_success_succeeds_and_only_a_user_s_cancel_cancels(code: TerminationCodeCode) -> None:
    state = run({"state": "TERMINATED", "termination_details": {"code": code.value}}).provider_state

    expected = {"SUCCESS": ProviderState.SUCCEEDED, "USER_CANCELED": ProviderState.CANCELLED}
    assert state is expected.get(code.value, ProviderState.FAILED)


@pytest.mark.parametrize("result", RunResultState)
def test_an_older_workspace_s_result_counts_where_there_is_no_status(result: RunResultState) -> None:
    state = run(None, {"life_cycle_state": "TERMINATED", "result_state": result.value}).provider_state

    expected = {"SUCCESS": ProviderState.SUCCEEDED, "CANCELED": ProviderState.CANCELLED}
    assert state is expected.get(result.value, ProviderState.FAILED)


@pytest.mark.parametrize(
    ("status", "state", "meaning", "raw"),
    [
        ({"state": "HIBERNATING"}, None, ProviderState.UNKNOWN, "HIBERNATING"),
        (None, {"life_cycle_state": "DREAMING"}, ProviderState.UNKNOWN, "DREAMING"),
        (None, None, ProviderState.UNKNOWN, "(no status)"),
        (
            {"state": "TERMINATED", "termination_details": {"code": "NEW", "type": "CLOUD_FAILURE"}},
            None,
            ProviderState.FAILED,
            "TERMINATED/NEW",
        ),
        (
            {"state": "TERMINATED", "termination_details": {"code": "NEW"}},
            {"life_cycle_state": "TERMINATED", "result_state": "FAILED"},
            ProviderState.FAILED,
            "TERMINATED/NEW",
        ),
        (
            {"state": "TERMINATING", "termination_details": {"code": "SUCCESS"}},
            None,
            ProviderState.TRAINING,
            "TERMINATING/SUCCESS",
        ),
    ],
)
def test_a_word_that_is_new_is_kept_and_never_guessed(
    status: dict[str, Any] | None, state: dict[str, Any] | None, meaning: ProviderState, raw: str
) -> None:
    assert (run(status, state).provider_state, run(status, state).raw_status) == (meaning, raw)


# --- every exception that the SDK has -------------------------------------------------------------------------------


def ours(error: Exception, *, creating: bool = False) -> TunedropError:
    with pytest.raises(TunedropError) as raised, translated("trying", creating=creating):
        raise error
    return raised.value


SDK_EXCEPTIONS = sorted(
    {cls for _, cls in inspect.getmembers(sdk_errors, inspect.isclass) if issubclass(cls, Exception)},
    key=lambda cls: cls.__name__,
)
MEANINGS: dict[str, type[TunedropError]] = {
    "Aborted": ProviderUnavailableError,
    "AlreadyExists": ProviderRejectedError,
    "BadRequest": ProviderRejectedError,
    "Cancelled": ProviderUnavailableError,
    "DataLoss": ProviderUnavailableError,
    "DatabricksError": ProviderUnavailableError,
    "DeadlineExceeded": ProviderUnavailableError,
    "InternalError": ProviderUnavailableError,
    "InvalidParameterValue": ProviderRejectedError,
    "InvalidState": ProviderRejectedError,
    "NotFound": ProviderRejectedError,
    "NotImplemented": ProviderRejectedError,
    "OperationFailed": ProviderRejectedError,
    "OperationTimeout": ProviderUnavailableError,
    "PermissionDenied": CredentialsError,
    "PrivateLinkValidationError": ProviderRejectedError,
    "RequestLimitExceeded": ProviderThrottledError,
    "ResourceAlreadyExists": ProviderRejectedError,
    "ResourceConflict": ProviderRejectedError,
    "ResourceDoesNotExist": ProviderRejectedError,
    "ResourceExhausted": ProviderThrottledError,
    "TemporarilyUnavailable": ProviderUnavailableError,
    "TooManyRequests": ProviderThrottledError,
    "Unauthenticated": CredentialsError,
    "Unknown": ProviderUnavailableError,
}


@pytest.mark.parametrize("cls", SDK_EXCEPTIONS)
def test_every_exception_of_the_sdk_is_one_of_ours(cls: type[Exception]) -> None:
    meaning = MEANINGS[cls.__name__]

    assert type(ours(cls("words"))) is meaning
    creating = SubmissionUncertainError if meaning is ProviderUnavailableError else meaning
    assert type(ours(cls("words"), creating=creating is not meaning)) is creating


def test_a_permission_that_is_lacking_is_not_a_wrong_token() -> None:
    lacking = ours(sdk_errors.PermissionDenied("no CAN_MANAGE_RUN", error_code="PERMISSION_DENIED"))

    assert type(lacking) is ProviderRejectedError
    assert "Grant this" in str(lacking)


REQUESTS_EXCEPTIONS = [
    cls
    for _, cls in inspect.getmembers(requests.exceptions, inspect.isclass)
    if issubclass(cls, requests.RequestException)
]


@pytest.mark.parametrize("cls", REQUESTS_EXCEPTIONS)
def test_every_failure_on_the_way_is_one_of_ours(cls: type[requests.RequestException]) -> None:
    cannot_be_sent = ("InvalidURL", "InvalidSchema", "InvalidHeader", "InvalidProxyURL")
    expected = CredentialsError if cls.__name__ in cannot_be_sent else ProviderUnavailableError
    error = cls("words", "", 0) if issubclass(cls, requests.exceptions.JSONDecodeError) else cls("words")

    assert type(ours(error)) is expected


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (TimeoutError("Timed out after 0:00:20"), ProviderUnavailableError),
        (ValueError("oauth-m2m: invalid_client: Client authentication failed"), CredentialsError),
        (ValueError("temporarily_unavailable: come back"), ProviderUnavailableError),
        (NotImplementedError("Not supported yet: 'expires_in'"), ProviderUnavailableError),
    ],
)
def test_what_the_sdk_raises_around_a_call_is_one_of_ours(error: Exception, meaning: type[TunedropError]) -> None:
    assert type(ours(error)) is meaning


def test_the_sdk_s_own_configuration_is_not_part_of_the_message() -> None:
    shown = str(ours(sdk_errors.Unauthenticated("No way. Config: host=https://x, client_secret=***, auth_type=pat")))

    assert "No way." in shown
    assert "client_secret=" not in shown


def test_every_parameter_that_is_sent_is_in_the_contract(rig: DatabricksRig) -> None:
    rig.provider.create(rig.order("a"))

    contract = (Path(__file__).parents[3] / "docs" / "databricks-training-job.md").read_text()
    assert [name for name in only_run(rig).parameters if f"`{name}`" not in contract] == []
