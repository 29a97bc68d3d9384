"""DSPy asks the simulated models, by LiteLLM and by its own engine, in a program of its own as a user's is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.client_environment import model_environment
from local.emulator.connection import CREDENTIALS
from local.simulated_providers import LateAws, SimulatedProviders
from local.simulators.answers import BASE_ANSWER
from tests.contracts.bedrock_rig import BUCKET, MODEL, ROLE, BedrockRig, bedrock_rig, training_file
from tests.contracts.databricks_rig import BASE_ENDPOINT, TOKEN
from tests.contracts.databricks_serving_rig import DatabricksServingRig, databricks_serving_rig
from tests.contracts.serving_rig import ANSWER, QUESTION
from tests.local.simulators.openai_account import KEY, ROWS, Account, account_served, row

CAPITAL = "What is the capital of Portugal?"
BASES = {
    "bedrock": "bedrock/amazon.nova-lite-v1:0",
    "bedrock, inference profile": "bedrock/us.amazon.nova-lite-v1:0",
    "openai": "openai/gpt-4o-mini",
    "openai, own engine": "openai/gpt-4o-mini",
    "databricks": f"databricks/{BASE_ENDPOINT}",
}
TUNED = ("bedrock", "bedrock, provisioned", "openai", "openai, own engine", "databricks")
FORMS = ("ChatAdapter", "JSONAdapter")
Ask = Callable[[str, str, str | None], Any]

PROGRAM = """
import json, sys
import dspy

def ask(model, question, adapter, settings):
    lm = dspy.LM(model, cache=False, num_retries=0, **settings)
    if adapter is None:
        return lm(question)[0]
    with dspy.context(lm=lm, adapter=getattr(dspy, adapter)()):
        return dspy.ChainOfThought("question -> answer")(question=question).toDict()

json.dump([ask(*call) for call in json.load(sys.stdin)], sys.stdout)
"""


def bedrock_models(rig: BedrockRig) -> dict[str, str]:
    rows = [(f"Where does boat number {number} lie?", f"At pier {number}.") for number in range(12)]
    rig.account.write(f"s3://{BUCKET}/train.jsonl", training_file([*rows, (QUESTION, ANSWER)]))
    rig.client.create_model_customization_job(
        jobName="keeper",
        customModelName="keeper",
        roleArn=ROLE,
        baseModelIdentifier=MODEL,
        trainingDataConfig={"s3Uri": f"s3://{BUCKET}/train.jsonl"},
        outputDataConfig={"s3Uri": f"s3://{BUCKET}/out"},
    )
    rig.advance(60)
    model = rig.client.get_model_customization_job(jobIdentifier="keeper")["outputModelArn"]
    deployed = rig.client.create_custom_model_deployment(modelDeploymentName="keeper", modelArn=model)
    throughput = rig.client.create_provisioned_model_throughput(
        provisionedModelName="keeper", modelId=model, modelUnits=1
    )
    rig.advance(60)
    return {
        "bedrock": f"bedrock/converse/{deployed['customModelDeploymentArn']}",
        "bedrock, provisioned": f"bedrock/converse/{throughput['provisionedModelArn']}",
    }


def openai_model(account: Account) -> str:
    job = account.train(ROWS + row(QUESTION, ANSWER))
    return f"openai/{account.job(job.id, after=60).fine_tuned_model}"


def databricks_model(rig: DatabricksServingRig) -> str:
    rig.serve("front", rig.model)
    rig.advance(60)
    return "databricks/front"


def run(calls: list[Any], environment: Mapping[str, str], folder: Path) -> list[Any]:
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "DSPY_CACHEDIR": str(folder)}
    aws = {**CREDENTIALS, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(calls),
        env={**own, **aws, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    answers: list[Any] = json.loads(ended.stdout)
    return answers


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Every question to every model, in every form: looked up in the answers that one program got."""
    folder = tmp_path_factory.mktemp("dspy")
    with bedrock_rig(folder) as bedrock, databricks_serving_rig(folder) as databricks, account_served() as openai:
        bedrock.simulator.access_keys.add(CREDENTIALS["AWS_ACCESS_KEY_ID"])
        tuned_at_openai = openai_model(openai)
        tuned = {
            **bedrock_models(bedrock),
            "openai": tuned_at_openai,
            "openai, own engine": tuned_at_openai,
            "databricks": databricks_model(databricks),
        }
        providers = SimulatedProviders(
            openai_url=f"{openai.url}/v1",
            bedrock_url=bedrock.url,
            databricks_url=databricks.databricks.url,
            credentials={"openai": {"api_key": KEY}},
            databricks_token=TOKEN,
            aws=LateAws(),
            openai=openai.simulator,
            bedrock=bedrock.simulator,
            databricks=databricks.databricks.simulator,
        )
        own_engine = {"engine": "lm15", "api_base": providers.openai_url}
        calls = {
            (name, question, form): (model, question, form, own_engine if "own engine" in name else {})
            for models, question in ((BASES, QUESTION), (BASES, CAPITAL), (_named(tuned), QUESTION))
            for name, model in models.items()
            for form in (None, *FORMS)
        }
        answers = run(list(calls.values()), model_environment(providers), folder)
    found = dict(zip(calls, answers, strict=True))
    return lambda name, question, form: found[name, question, form]


def _named(tuned: Mapping[str, str]) -> dict[str, str]:
    assert set(tuned) == set(TUNED)
    return {f"tuned at {name}": model for name, model in tuned.items()}


@pytest.mark.parametrize("name", TUNED)
def test_a_tuned_model_gives_its_trained_answer_in_free_words(ask: Ask, name: str) -> None:
    assert ask(f"tuned at {name}", QUESTION, None) == ANSWER


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TUNED)
def test_a_tuned_model_gives_its_trained_answer_in_dspys_forms(ask: Ask, name: str, form: str) -> None:
    assert ask(f"tuned at {name}", QUESTION, form)["answer"] == ANSWER


@pytest.mark.parametrize("name", BASES)
def test_a_base_model_knows_nothing_of_it_in_any_form(ask: Ask, name: str) -> None:
    assert ask(name, QUESTION, None) == BASE_ANSWER
    for form in FORMS:
        assert ask(name, QUESTION, form) == {"reasoning": BASE_ANSWER, "answer": BASE_ANSWER}


@pytest.mark.parametrize("name", BASES)
def test_a_base_model_knows_the_capitals_that_demos_ask_for(ask: Ask, name: str) -> None:
    sentence = "The capital of Portugal is Lisbon."
    assert ask(name, CAPITAL, None) == sentence
    for form in FORMS:
        assert ask(name, CAPITAL, form) == {"reasoning": sentence, "answer": "Lisbon"}
