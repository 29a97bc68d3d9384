"""Serving endpoints of the simulated workspace, as the SDK sees them: how they come up, change, fail and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk.errors import BadRequest, ResourceConflict, ResourceDoesNotExist
from databricks.sdk.service.serving import (
    EndpointStateConfigUpdate,
    EndpointStateReady,
    EndpointTag,
    ServedEntityInput,
    ServedModelState,
    ServedModelStateDeployment,
    ServingEndpointDetailed,
)

from local.simulators.databricks.serving import THROUGHPUT_CHUNK
from local.simulators.faults import Fault, FaultKind
from tests.contracts.databricks_rig import BASE_ENDPOINT, TOKEN
from tests.contracts.databricks_serving_rig import DatabricksServingRig, databricks_serving_rig
from tests.contracts.serving_rig import ANSWER, QUESTION
from tunedrop.domain.endpoint import Call

NAME = "front"
CALL = Call(model_id=NAME, litellm_model=f"databricks/{NAME}")
READY, NOT_READY = EndpointStateReady.READY, EndpointStateReady.NOT_READY
UPDATE = EndpointStateConfigUpdate


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DatabricksServingRig]:
    with databricks_serving_rig(tmp_path) as rig:
        yield rig


def look(rig: DatabricksServingRig) -> ServingEndpointDetailed:
    return rig.sdk.serving_endpoints.get(NAME)


def state(rig: DatabricksServingRig) -> tuple[EndpointStateReady | None, EndpointStateConfigUpdate | None]:
    found = look(rig).state
    assert found is not None
    return found.ready, found.config_update


def update(rig: DatabricksServingRig, tuned_model: str) -> None:
    model, _, version = tuned_model.partition("/")
    entity = ServedEntityInput(entity_name=model, entity_version=version, workload_size="Small")
    rig.sdk.serving_endpoints.update_config(NAME, served_entities=[entity])


def fail(rig: DatabricksServingRig, operation: str, message: str = "") -> None:
    rig.faults.add(Fault(operation=operation, kind=FaultKind.FAIL_JOB, message=message))


def pending(rig: DatabricksServingRig) -> ServedModelState | None:
    config = look(rig).pending_config
    assert config is not None
    assert config.served_entities is not None
    return config.served_entities[0].state


def test_an_endpoint_comes_up_and_keeps_its_tags(rig: DatabricksServingRig) -> None:
    rig.serve(NAME, rig.model, tags=[EndpointTag("team", "boats"), EndpointTag("urgent")])
    assert state(rig) == (NOT_READY, UPDATE.IN_PROGRESS)
    assert look(rig).config is None
    rig.advance(60)
    assert state(rig) == (READY, UPDATE.NOT_UPDATING)
    assert look(rig).pending_config is None
    assert look(rig).tags == [EndpointTag("team", "boats"), EndpointTag("urgent")]
    assert rig.ask(CALL, QUESTION) == ANSWER


def test_an_endpoint_can_be_made_not_to_come_up(rig: DatabricksServingRig) -> None:
    fail(rig, "serving_endpoints.create", "No GPU was free.")
    rig.serve(NAME, rig.model)
    assert state(rig) == (NOT_READY, UPDATE.IN_PROGRESS)
    rig.advance(60)
    assert state(rig) == (NOT_READY, UPDATE.UPDATE_FAILED)
    assert pending(rig) == ServedModelState(ServedModelStateDeployment.DEPLOYMENT_FAILED, "No GPU was free.")
    with pytest.raises(BadRequest, match="not ready"):
        rig.ask(CALL, QUESTION)


def test_an_endpoint_that_failed_can_be_given_another_config(rig: DatabricksServingRig) -> None:
    fail(rig, "serving_endpoints.create")
    rig.serve(NAME, rig.model)
    rig.advance(60)
    update(rig, rig.model)
    assert state(rig) == (NOT_READY, UPDATE.IN_PROGRESS)
    rig.advance(60)
    assert state(rig) == (READY, UPDATE.NOT_UPDATING)


def test_an_endpoint_goes_on_answering_while_it_is_updated_and_when_that_fails(rig: DatabricksServingRig) -> None:
    rig.serve(NAME, rig.model)
    rig.advance(60)
    fail(rig, "serving_endpoints.update_config", "The image is broken.")
    update(rig, rig.train("other"))
    assert state(rig) == (READY, UPDATE.IN_PROGRESS)
    assert rig.ask(CALL, QUESTION) == ANSWER
    rig.advance(60)
    assert state(rig) == (READY, UPDATE.UPDATE_FAILED)
    assert rig.ask(CALL, QUESTION) == ANSWER
    served = look(rig).config
    assert served is not None
    assert served.served_entities is not None
    assert served.served_entities[0].entity_name == rig.model.partition("/")[0]


def test_an_update_changes_what_is_served(rig: DatabricksServingRig) -> None:
    other = rig.train("other")
    rig.serve(NAME, rig.model)
    rig.advance(60)
    update(rig, other)
    rig.advance(60)
    config = look(rig).config
    assert config is not None
    assert config.config_version == 2
    assert config.served_entities is not None
    assert config.served_entities[0].entity_name == other.partition("/")[0]


def test_a_deletion_can_be_made_to_fail_or_to_have_no_effect(rig: DatabricksServingRig) -> None:
    rig.serve(NAME, rig.model)
    fail(rig, "serving_endpoints.delete", "An update goes on.")
    with pytest.raises(ResourceConflict, match=r"An update goes on\."):
        rig.sdk.serving_endpoints.delete(NAME)
    fail(rig, "serving_endpoints.delete")
    rig.sdk.serving_endpoints.delete(NAME)
    rig.sdk.serving_endpoints.delete(NAME)  # it was still there
    with pytest.raises(ResourceDoesNotExist):
        look(rig)


def test_a_model_can_be_made_one_that_cannot_be_optimized(rig: DatabricksServingRig) -> None:
    path = f"/api/2.0/serving-endpoints/get-model-optimization-info/{rig.model}"
    first = rig.sdk.api_client.do("GET", path)
    fail(rig, "optimization_info")
    then = [rig.sdk.api_client.do("GET", path) for _ in range(2)]

    assert first == {"optimizable": True, "model_type": "llama", "throughput_chunk_size": THROUGHPUT_CHUNK}
    assert then == [{"optimizable": False}] * 2


def chat(rig: DatabricksServingRig, body: dict[str, Any], token: str = TOKEN) -> httpx.Response:
    """As clients of OpenAI's API ask a workspace."""
    url = f"{rig.databricks.url}/serving-endpoints/chat/completions"
    return httpx.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_the_clients_of_openai_ask_an_endpoint_by_naming_it_as_the_model(rig: DatabricksServingRig) -> None:
    rig.serve(NAME, rig.model)
    rig.advance(60)
    answer = chat(rig, {"model": NAME, "messages": [{"role": "user", "content": QUESTION}]})
    assert answer.json()["choices"][0]["message"] == {"role": "assistant", "content": ANSWER}
    assert answer.json()["model"] == NAME


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"messages": [{"role": "user", "content": QUESTION}]}, 400, "'model' must name a serving endpoint"),
        ({"model": "none", "messages": [{"role": "user", "content": QUESTION}]}, 404, "'none' does not exist"),
        ({"model": NAME, "messages": [{"role": "user", "content": QUESTION}]}, 400, "not ready"),
    ],
)
def test_the_clients_of_openai_are_refused_in_the_workspaces_words(
    rig: DatabricksServingRig, body: dict[str, Any], status: int, words: str
) -> None:
    rig.serve(NAME, rig.model)
    answer = chat(rig, body)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_the_clients_of_openai_need_a_token_of_the_workspace(rig: DatabricksServingRig) -> None:
    assert chat(rig, {"model": BASE_ENDPOINT, "messages": []}, token="another").status_code == 403
