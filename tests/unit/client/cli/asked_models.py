"""Tuned models at the simulated providers, served on loopback, with the jobs in the account that made them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from local.simulators.faults import Fault, FaultKind, Faults
from tests.api.account import Account
from tests.api.states import endpoint
from tests.builders import ended
from tests.contracts.bedrock_serving_rig import bedrock_serving_rig
from tests.contracts.databricks_rig import TOKEN
from tests.contracts.databricks_serving_rig import databricks_serving_rig
from tests.contracts.serving_rig import ANSWER, QUESTION
from tests.local.simulators.openai_account import FINISHED, KEY, ROWS, account_served, row
from tunedrop.domain.endpoint import Call, EndpointKind, EndpointStatus
from tunedrop.domain.job import JobStatus, job_id_from
from tunedrop.domain.job_request import JobRequest

__all__ = ["ANSWER", "KEY", "QUESTION", "TOKEN", "AskedModel", "at_bedrock", "at_databricks", "at_openai"]


class AskedModel(msgspec.Struct):
    """A model that was trained to say ANSWER to QUESTION."""

    job_id: str
    model_id: str
    url: str
    """Where its provider is."""
    faults: Faults
    operation: str
    """The simulator's name of asking."""

    def fail(self, kind: FaultKind, *, times: int = 1, seconds: float = 0.0, message: str = "") -> None:
        fault = Fault(operation=self.operation, kind=kind, times=times, seconds=seconds, message=message)
        self.faults.add(fault)


def _served(account: Account, provider: str, kind: EndpointKind, call: Call) -> str:
    """The id of a job that succeeded, and whose endpoint is ready."""
    request = JobRequest(provider=provider, model="a-model", training_file="s3://inbox/train.jsonl")
    job = ended(
        JobStatus.SUCCEEDED,
        job_id=job_id_from("asked", provider),
        provider=provider,
        model="a-model",
        request=request,
        tuned_model=call.model_id,
    )
    return account.hold(job, endpoint(EndpointStatus.READY, provider=provider, kind=kind, call=call))


@contextmanager
def at_openai(account: Account, patch: pytest.MonkeyPatch) -> Iterator[AskedModel]:
    with account_served() as openai:
        trained = openai.train(ROWS + row(QUESTION, ANSWER))
        model = str(openai.job(trained.id, after=FINISHED).fine_tuned_model)
        patch.setenv("OPENAI_API_KEY", KEY)
        patch.setenv("OPENAI_BASE_URL", f"{openai.url}/v1")
        call = Call(model_id=model, litellm_model=f"openai/{model}")
        job_id = _served(account, "openai", "hosted", call)
        yield AskedModel(job_id, model, f"{openai.url}/v1", openai.simulator.faults, "chat.completions.create")


@contextmanager
def at_databricks(account: Account, patch: pytest.MonkeyPatch, folder: Path) -> Iterator[AskedModel]:
    with databricks_serving_rig(folder) as rig:
        call = rig.serving.call(rig.serving.create(rig.order("asked")))
        rig.advance(60)
        patch.setenv("DATABRICKS_TOKEN", TOKEN)
        job_id = _served(account, "databricks", "serving", call)
        yield AskedModel(job_id, call.model_id, rig.databricks.url, rig.faults, "serving_endpoints.query")


@contextmanager
def at_bedrock(account: Account, patch: pytest.MonkeyPatch, folder: Path) -> Iterator[AskedModel]:
    with bedrock_serving_rig(folder) as rig:
        call = rig.serving.call(rig.serving.create(rig.order("asked")))
        rig.advance(60)
        rig.bedrock.simulator.access_keys.add("testing")
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", rig.bedrock.url)
        job_id = _served(account, "bedrock", "on_demand", call)
        yield AskedModel(job_id, call.model_id, rig.bedrock.url, rig.faults, "Converse")
