"""What Databricks is asked to serve, and how its answers are read. The rest is in the serving contract."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from databricks.sdk.errors import NotFound, ResourceConflict
from databricks.sdk.service.serving import (
    EndpointStateConfigUpdate,
    EndpointStateReady,
    EndpointTag,
    ServedEntityInput,
    ServedModelStateDeployment,
)

from local.simulators.databricks.endpoints import ServedEntity
from local.simulators.databricks.serving import THROUGHPUT_CHUNK
from local.simulators.faults import Fault, FaultKind
from tests.contracts.databricks_serving_rig import DatabricksServingRig, databricks_serving_rig
from tests.contracts.serving_rig import ANSWER, QUESTION
from tunedrop.domain.endpoint import endpoint_token
from tunedrop.domain.errors import CredentialsError, ProviderRejectedError, ProviderUnavailableError
from tunedrop.domain.serving_ports import ProviderEndpoint, ServingState
from tunedrop.providers import databricks_serving
from tunedrop.providers.databricks_endpoints import DEPLOYMENTS, READINESS, UPDATES, ServingEndpoint
from tunedrop.providers.databricks_serving import JOB_TAG, DatabricksServing


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DatabricksServingRig]:
    with databricks_serving_rig(tmp_path) as rig:
        yield rig


def served(rig: DatabricksServingRig, name: str = "tunedrop-a") -> ServedEntity:
    """What the simulated workspace was asked to serve."""
    update = rig.databricks.simulator.serving.endpoints[name].update
    assert update is not None
    return update.served.entity


def test_an_optimizable_model_gets_one_chunk_of_throughput_and_scales_to_zero(rig: DatabricksServingRig) -> None:
    rig.serving.create(rig.order("a"))

    model, _, version = rig.model.partition("/")
    assert served(rig) == ServedEntity(
        entity_name=model,
        entity_version=version,
        min_provisioned_throughput=0,
        max_provisioned_throughput=THROUGHPUT_CHUNK,
    )


def test_another_model_gets_a_small_workload_that_scales_to_zero(rig: DatabricksServingRig) -> None:
    rig.faults.add(Fault(operation="optimization_info", kind=FaultKind.FAIL_JOB))
    resource_id = rig.serving.create(rig.order("a"))

    model, _, version = rig.model.partition("/")
    assert served(rig) == ServedEntity(
        entity_name=model, entity_version=version, workload_size="Small", scale_to_zero_enabled=True
    )
    rig.advance(60)
    assert rig.ask(rig.serving.call(resource_id), QUESTION) == ANSWER


def test_a_workspace_that_cannot_say_how_to_serve_it_creates_nothing(rig: DatabricksServingRig) -> None:
    rig.faults.add(Fault(operation="optimization_info", kind=FaultKind.ERROR))

    with pytest.raises(ProviderUnavailableError):
        rig.serving.create(rig.order("a"))
    assert rig.endpoints() == 0


def test_a_job_keeps_its_endpoints_name_and_address_over_a_restart(rig: DatabricksServingRig) -> None:
    first = rig.serving.create(rig.order("a"))
    call = rig.serving.call(first)
    rig.serving.delete(first)
    again = rig.serving.create(rig.order("a", token=endpoint_token("a", 2)))

    assert again == first == "tunedrop-a"
    assert rig.serving.call(again) == call


def test_the_endpoint_has_the_jobs_tag(rig: DatabricksServingRig) -> None:
    rig.serving.create(rig.order("a"))

    assert rig.sdk.serving_endpoints.get("tunedrop-a").tags == [EndpointTag(JOB_TAG, "a")]


@pytest.mark.parametrize(
    "host",
    ["https://dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com/", "dbc-1.cloud.databricks.com"],
)
def test_what_to_call_needs_no_look_at_the_workspace(host: str) -> None:
    call = DatabricksServing(secret={"host": host, "token": "t"}).call("tunedrop-a")

    assert call.model_id == "tunedrop-a"
    assert call.litellm_model == "databricks/tunedrop-a"
    assert call.url == "https://dbc-1.cloud.databricks.com/serving-endpoints/tunedrop-a/invocations"


def test_a_secret_that_cannot_be_used_says_what_it_lacks() -> None:
    with pytest.raises(CredentialsError, match="neither a client_id nor a token"):
        DatabricksServing(secret={"host": "https://dbc-1.cloud.databricks.com"})


def test_wrong_credentials_are_said_to_be(rig: DatabricksServingRig) -> None:
    with pytest.raises(CredentialsError):
        rig.connect(client_secret="wrong").status("tunedrop-a")


@pytest.mark.parametrize("tags", [[], [EndpointTag(JOB_TAG, "b")], [EndpointTag("team", "a")]])
def test_an_endpoint_without_the_jobs_tag_is_neither_adopted_nor_deleted(
    rig: DatabricksServingRig, tags: list[EndpointTag]
) -> None:
    rig.serve("tunedrop-a", rig.model, tags=tags)

    assert rig.serving.find(rig.order("a")) is None
    with pytest.raises(ProviderRejectedError, match="It is not this job's") as refused:
        rig.serving.create(rig.order("a"))
    assert refused.value.provider_code == "RESOURCE_ALREADY_EXISTS"
    with pytest.raises(ProviderRejectedError, match="may be somebody else's"):
        rig.serving.delete("tunedrop-a")
    assert rig.endpoints() == 1


def test_an_endpoint_of_another_version_is_not_adopted_though_it_has_the_jobs_tag(rig: DatabricksServingRig) -> None:
    other = rig.train("other")
    rig.serve("tunedrop-a", other, tags=[EndpointTag(JOB_TAG, "a")])

    assert rig.serving.find(rig.order("a")) is None
    with pytest.raises(ProviderRejectedError, match=f"does not serve {rig.model}"):
        rig.serving.create(rig.order("a"))


def test_an_endpoint_that_answers_is_adopted_as_well_as_one_that_starts(rig: DatabricksServingRig) -> None:
    rig.serve("tunedrop-a", rig.model, tags=[EndpointTag(JOB_TAG, "a"), EndpointTag("team", "boats")])
    assert rig.serving.find(rig.order("a")) == "tunedrop-a"
    rig.advance(60)

    assert rig.serving.create(rig.order("a")) == "tunedrop-a"
    assert rig.endpoints() == 1


def change_config(rig: DatabricksServingRig, tuned_model: str) -> None:
    model, _, version = tuned_model.partition("/")
    entity = ServedEntityInput(entity_name=model, entity_version=version, workload_size="Small")
    rig.sdk.serving_endpoints.update_config("tunedrop-a", served_entities=[entity])


def test_an_update_that_somebody_makes_does_not_take_a_ready_endpoint_away(rig: DatabricksServingRig) -> None:
    rig.serving.create(rig.order("a"))
    rig.advance(60)
    change_config(rig, rig.model)
    assert rig.serving.status("tunedrop-a") == ProviderEndpoint(
        state=ServingState.READY, raw_status="READY IN_PROGRESS"
    )
    rig.advance(60)
    rig.faults.add(Fault(operation="serving_endpoints.update_config", kind=FaultKind.FAIL_JOB, message="No."))
    change_config(rig, rig.model)
    rig.advance(60)

    assert rig.serving.status("tunedrop-a") == ProviderEndpoint(
        state=ServingState.READY, raw_status="READY UPDATE_FAILED"
    )


def test_a_path_that_is_no_api_does_not_mean_that_the_endpoint_is_gone(
    rig: DatabricksServingRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a proxy, or a host that is no workspace, would answer: what may still be there must not be forgotten."""

    def nowhere(*_: Any) -> Any:
        raise NotFound("No API found for 'GET /serving-endpoints'", error_code="ENDPOINT_NOT_FOUND")

    monkeypatch.setattr(databricks_serving, "read_document", nowhere)

    for act in (rig.serving.status, rig.serving.delete):
        with pytest.raises(ProviderRejectedError, match="No API found"):
            act("tunedrop-a")


def test_a_conflict_at_creation_that_is_no_name_taken_leaves_nothing_adopted(
    rig: DatabricksServingRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*_: Any, **__: Any) -> Any:
        raise ResourceConflict("A change of the workspace goes on.", error_code="RESOURCE_CONFLICT")

    monkeypatch.setattr(rig.serving._workspace.serving_endpoints, "create", conflict)

    with pytest.raises(ProviderRejectedError, match="A change of the workspace goes on"):
        rig.serving.create(rig.order("a"))


def words(enum: Any) -> set[str]:
    return {member.value for member in enum}


def test_every_word_that_the_sdk_knows_has_a_meaning() -> None:
    assert set(READINESS) == words(EndpointStateReady)
    assert set(UPDATES) == words(EndpointStateConfigUpdate)
    assert set(DEPLOYMENTS) == words(ServedModelStateDeployment)


def standing(ready: str | None, update: str | None, *deployments: str, said: str = "") -> ProviderEndpoint:
    entities = [{"state": {"deployment": word, "deployment_state_message": said}} for word in deployments]
    document = {
        "name": "a",
        "state": {"ready": ready, "config_update": update},
        "pending_config": {"served_entities": entities},
    }
    return msgspec.convert(document, ServingEndpoint).standing()


STANDINGS: dict[tuple[str, str], ServingState] = {
    ("READY", "NOT_UPDATING"): ServingState.READY,
    ("READY", "IN_PROGRESS"): ServingState.READY,
    ("READY", "UPDATE_FAILED"): ServingState.READY,
    ("READY", "UPDATE_CANCELED"): ServingState.READY,
    ("NOT_READY", "NOT_UPDATING"): ServingState.STARTING,
    ("NOT_READY", "IN_PROGRESS"): ServingState.STARTING,
    ("NOT_READY", "UPDATE_FAILED"): ServingState.FAILED,
    ("NOT_READY", "UPDATE_CANCELED"): ServingState.FAILED,
}


@pytest.mark.parametrize("pair", sorted(product(words(EndpointStateReady), words(EndpointStateConfigUpdate))))
def test_readiness_and_update_together_are_the_state(pair: tuple[str, str]) -> None:
    answer = standing(*pair)

    assert (answer.state, answer.raw_status) == (STANDINGS[pair], " ".join(pair))


@pytest.mark.parametrize(
    ("deployment", "state"),
    [
        ("DEPLOYMENT_CREATING", ServingState.STARTING),
        ("DEPLOYMENT_RECOVERING", ServingState.STARTING),
        ("DEPLOYMENT_READY", ServingState.STARTING),
        ("DEPLOYMENT_FAILED", ServingState.FAILED),
        ("DEPLOYMENT_ABORTED", ServingState.FAILED),
        ("DEPLOYMENT_FROZEN", ServingState.UNKNOWN),
    ],
)
def test_a_served_entity_tells_before_the_endpoint_does(deployment: str, state: ServingState) -> None:
    answer = standing("NOT_READY", "IN_PROGRESS", deployment)

    assert (answer.state, answer.raw_status) == (state, f"NOT_READY IN_PROGRESS {deployment}")


@pytest.mark.parametrize("pair", [("HALF_READY", "NOT_UPDATING"), ("NOT_READY", "PAUSED"), (None, None)])
def test_a_word_that_is_new_is_kept_and_never_guessed(pair: tuple[str | None, str | None]) -> None:
    answer = standing(*pair)

    assert (answer.state, answer.raw_status) == (ServingState.UNKNOWN, " ".join(word for word in pair if word))


def test_a_failure_is_told_in_the_words_of_the_entity_that_failed_and_else_by_its_state() -> None:
    told = standing("NOT_READY", "UPDATE_FAILED", "DEPLOYMENT_FAILED", said="No GPU was free.")
    untold = standing("NOT_READY", "UPDATE_FAILED", "DEPLOYMENT_CREATING", said="Creating the served entity.")

    assert told.error_message == "No GPU was free."
    assert untold.error_message is not None
    assert "NOT_READY UPDATE_FAILED" in untold.error_message


def test_an_answer_that_holds_more_and_less_than_documented_can_be_read() -> None:
    document = {"name": "a", "config": None, "state": {"ready": "READY", "suspend": "NOT_SUSPENDED"}, "creator": "me"}

    assert msgspec.convert(document, ServingEndpoint).standing().state is ServingState.READY
