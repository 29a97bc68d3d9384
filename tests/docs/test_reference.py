"""What the pages list is what the code has: no entry is missing, and none is left over."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.gateway_problems import GATEWAY_PROBLEMS
from infra.nag import DEAD_LETTER_QUEUES
from infra.settings import PREFIX, Settings
from infra.state_machines import PROVIDERS as STACK_PROVIDERS
from local.simulators.faults import Fault, FaultKind
from tests.builders import job_in
from tests.contracts.bedrock_rig import BedrockRig
from tests.contracts.databricks_rig import DatabricksRig
from tests.contracts.openai_rig import OpenAIRig
from tests.docs.pages import DOCS, PROJECT, code_blocks, table, words_in_code
from tests.docs.wording import NONE, values_of
from tests.unit.endpoints.builders import endpoint_in
from tunedrop import env
from tunedrop.aws.publisher import SOURCE
from tunedrop.domain import errors
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.job import JobError, JobStatus, Phase
from tunedrop.domain.job_request import JobRequest
from tunedrop.domain.model_rules import ModelRules
from tunedrop.domain.models import MODELS, PROVIDERS
from tunedrop.endpoints.notify import DETAIL_TYPE as ENDPOINT_DETAIL_TYPE
from tunedrop.endpoints.notify import status_change as endpoint_change
from tunedrop.http.problem_types import PROBLEM_TYPES
from tunedrop.jobs.notify import DETAIL_TYPE, status_change
from tunedrop.providers.databricks_workspace import checked
from tunedrop.providers.openai_connection import connect

JOBS = PROJECT / "lambdas" / "tunedrop" / "jobs"
FUNCTIONS = PROJECT / "lambdas"
CONNECTIONS = {"OpenAI": "openai_connection.py", "Databricks": "databricks_workspace.py"}


def _subclasses(kind: type[errors.TunedropError]) -> Iterator[type[errors.TunedropError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _codes_set_in(module: Path) -> set[str]:
    """The codes that a use case gives to a JobError: as a constant, or through a function that takes `code`."""
    tree = ast.parse(module.read_text())
    makers = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "code" in {argument.arg for argument in node.args.args}
    }
    codes: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"JobError", *makers}:
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
            codes |= {each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return codes


def _conflicts_in(module: Path) -> set[str]:
    """The codes that a ConflictError is raised with."""
    calls = (node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call))
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "ConflictError"]
    return {ast.literal_eval(call.args[0]) for call in named}


class TestErrors:
    page = DOCS / "errors.md"

    def test_every_code_of_a_job_is_documented_and_no_other(self) -> None:
        documented = [words_in_code(row[0])[0] for row in table(self.page, "`code`", last="The way out")]
        set_by_jobs = {code for module in JOBS.glob("*.py") for code in _codes_set_in(module)}
        assert {"training_failed", "step_failed", "stop_unconfirmed"} <= set_by_jobs
        # A ConflictError refuses a request, and has the codes of problems.
        kinds = {kind for kind in _subclasses(errors.PermanentError) if kind.__module__ == errors.__name__}
        permanent = {kind.code for kind in kinds - {errors.ConflictError}}
        assert sorted(documented) == sorted(permanent | set_by_jobs)

    def test_every_error_that_passes_is_documented_with_its_class_and_no_other(self) -> None:
        documented = {
            words_in_code(row[0])[0]: words_in_code(row[1])[0]
            for row in table(self.page, "`code`", last="What happens")
        }
        assert documented == {kind.code: kind.__name__ for kind in _subclasses(errors.TransientError)}

    def test_every_problem_of_the_api_is_documented_and_no_other(self) -> None:
        documented = {
            words_in_code(row[0])[0]: (int(row[1]), row[2])
            for row in table(self.page, "`code` of a problem", last="The way out")
        }
        ours = {code: (kind.status, kind.title) for code, kind in PROBLEM_TYPES.items()}
        gateways = {problem.code: (problem.status, problem.title) for problem in GATEWAY_PROBLEMS}
        assert ours | gateways == gateways | ours, "a problem has one title, whoever answers with it"
        assert documented == ours | gateways

    def test_every_error_that_a_request_can_meet_is_a_problem(self) -> None:
        conflicts = {code for module in FUNCTIONS.rglob("*.py") for code in _conflicts_in(module)}
        assert {"job_ended", "endpoint_stopping"} <= conflicts
        raised = {kind.code for kind in _subclasses(errors.TunedropError)}
        roots = {kind.code for kind in (errors.TransientError, errors.PermanentError)}
        # Names that are raised on their way to the user only: the roots, and the class of all conflicts.
        assert conflicts | raised - roots <= PROBLEM_TYPES.keys()

    def test_the_roots_are_named(self) -> None:
        roots = self.page.read_text().partition("## Roots")[2]
        for root in (errors.TunedropError, errors.TransientError, errors.PermanentError):
            assert f"`{root.code}` (`{root.__name__}`)" in " ".join(roots.split())

    def test_every_code_has_a_meaning_and_a_way_out(self) -> None:
        for row in table(self.page, "`code`", last="The way out") + table(self.page, "`code`", last="What happens"):
            assert all(cell.strip() for cell in row), row


def test_every_field_of_a_manifest_is_documented_and_no_other() -> None:
    documented = {words_in_code(row[0])[0]: row[1] for row in table(DOCS / "inbox.md", "Field")}
    fields = {field.name: "yes" if field.required else "no" for field in msgspec.structs.fields(JobRequest)}
    assert documented == fields


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    documented = {words_in_code(row[0])[0]: row[1].strip("`") for row in table(DOCS / "settings.md", "Key")}
    defaults = msgspec.to_builtins(Settings())
    assert documented == {f"{PREFIX}{name}": value or "none" for name, value in defaults.items()}


def test_every_environment_variable_is_documented_and_no_other() -> None:
    documented = [words_in_code(row[0])[0] for row in table(DOCS / "settings.md", "Variable")]
    assert sorted(documented) == sorted(value for name, value in vars(env).items() if name.isupper())


class TestProviders:
    page = DOCS / "providers.md"

    def test_every_model_is_documented_with_its_aliases_and_its_id_at_inference_and_no_other(self) -> None:
        documented = [
            (words_in_code(row[0])[0], words_in_code(row[1])[0], tuple(words_in_code(row[2])), row[3])
            for row in table(self.page, "Provider", last="Base model asked as")
        ]
        assert documented == [(each.provider, each.model_id, each.aliases, _asked_as(each)) for each in MODELS]

    def test_every_hyperparameter_is_documented_with_its_values_and_no_other(self) -> None:
        documented = [
            (*(words_in_code(cell)[0] for cell in row[:3]), row[3], row[4])
            for row in table(self.page, "Provider", last="Default")
        ]
        assert documented == [row for provider in PROVIDERS for row in _hyperparameters(provider)]

    def test_what_a_model_ignores_is_named(self) -> None:
        text = self.page.read_text()
        for model in MODELS:
            for name in (name for pair in model.ignored_hyperparameters for name in pair):
                assert f"`{name}`" in text

    def test_the_day_on_which_models_are_shut_down_is_named(self) -> None:
        days = {model.shutdown_date for model in MODELS if model.provider == "openai"}
        [day] = days
        assert str(day) in self.page.read_text()
        assert not any(model.shutdown_date for model in MODELS if model.provider != "openai")

    def test_every_provider_has_its_results(self) -> None:
        results = table(self.page, "Provider", last="`tuned_model` on the record")
        assert tuple(words_in_code(row[0])[0] for row in results) == PROVIDERS

    def test_functions_and_stack_agree_on_the_providers(self) -> None:
        assert STACK_PROVIDERS == PROVIDERS


def _asked_as(model: ModelRules) -> str:
    return NONE if model.inference_id is None else f"`{model.inference_id}`"


def _hyperparameters(provider: str) -> Iterator[tuple[str, ...]]:
    """A row for each hyperparameter; where Nova 2 Lite differs from the other models, both are said."""
    models = [model for model in MODELS if model.provider == provider]
    names = dict.fromkeys(rule.name for model in models for rule in model.hyperparameters)
    for name in names:
        rules = [rule for model in models for rule in model.hyperparameters if rule.name == name]
        first, other = rules[0], rules[-1]
        assert {(rule.canonical, rule.default) for rule in rules} == {(first.canonical, first.default)}
        assert len(rules) == (sum(model.preference_pairs for model in models) if first.preference_only else len(models))
        values = values_of(first)
        if values_of(other) != values:
            values += f"; Nova 2 Lite: {values_of(other)}"
        yield provider, name, first.canonical, values, NONE if first.default is None else f"{first.default:g}"


class TestCredentials:
    page = DOCS / "credentials.md"

    @pytest.mark.parametrize("provider", CONNECTIONS)
    def test_every_field_of_a_secret_is_documented_and_no_other(self, provider: str) -> None:
        section = self.page.read_text().partition(f"## {provider}\n")[2].partition("\n## ")[0]
        documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        tree = ast.parse((PROJECT / "lambdas/tunedrop/providers" / CONNECTIONS[provider]).read_text())
        assert sorted(documented) == sorted(_keys_read_from(tree, "secret"))

    def test_the_examples_are_secrets_that_can_be_used(self) -> None:
        openai, databricks = (json.loads(block.text) for block in code_blocks(self.page, "json"))
        connect(openai).close()
        assert checked(databricks)["auth_type"] == "oauth-m2m"


def _keys_read_from(tree: ast.AST, name: str) -> set[str]:
    """The constants in `name.get("…")`."""
    return {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
        and isinstance(node.args[0], ast.Constant)
    }


class TestOperations:
    page = DOCS / "operations.md"

    def test_every_dead_letter_queue_is_documented_and_no_other(self) -> None:
        documented = [words_in_code(row[0])[0] for row in table(self.page, "Queue")]
        assert sorted(documented) == sorted(DEAD_LETTER_QUEUES)

    def test_every_function_is_named(self) -> None:
        [row] = [row for row in table(self.page, "Where") if row[0].startswith("`/aws/lambda/")]
        functions = [path.stem.replace("_", "-") for path in (PROJECT / "lambdas").glob("*.py")]
        assert sorted(words_in_code(row[1])[1:]) == sorted(functions)

    def test_the_event_is_the_one_that_is_published(self) -> None:
        event, *_ = _events(self.page)
        detail = event["detail"]
        before = job_in(Phase.TRAINING, job_id=detail["job_id"])
        after = msgspec.structs.replace(
            before,
            phase=Phase.DONE,
            status=JobStatus(detail["status"]),
            version=int(detail["event_id"].rpartition("-")[2]),
            provider_job_id=detail["provider_job_id"],
            error=msgspec.convert(detail["error"], JobError),
            report_uri=detail["report_uri"],
            execution_arn=detail["execution_arn"],
            updated_at=datetime.fromisoformat(detail["updated_at"]),
        )
        assert status_change(before, after).detail == detail

    def test_events_and_rules_carry_the_names_that_are_published(self) -> None:
        event, rule, endpoint_rule = _events(self.page)
        assert (event["source"], event["detail-type"]) == (SOURCE, DETAIL_TYPE)
        assert (rule["source"], rule["detail-type"]) == ([SOURCE], [DETAIL_TYPE])
        assert set(rule["detail"]) <= set(event["detail"])
        assert (endpoint_rule["source"], endpoint_rule["detail-type"]) == ([SOURCE], [ENDPOINT_DETAIL_TYPE])

    def test_the_rule_on_endpoints_is_for_what_their_event_tells(self) -> None:
        *_, rule = _events(self.page)
        detail = endpoint_change(None, endpoint_in(EndpointStatus.READY, kind="provisioned")).detail
        assert {field: [detail[field]] for field in rule["detail"]} == rule["detail"]


def _events(page: Path) -> list[dict[str, Any]]:
    return [json.loads(block.text) for block in code_blocks(page, "json")]


class TestEmbeddedAws:
    page = DOCS / "embedded-aws.md"

    def test_every_kind_of_fault_is_documented_and_no_other(self) -> None:
        assert [words_in_code(row[0])[0] for row in table(self.page, "Kind")] == list(FaultKind)

    def test_every_field_of_a_fault_is_documented_and_no_other(self) -> None:
        documented = [words_in_code(row[0])[0] for row in table(self.page, "Field")]
        assert documented == [field.name for field in msgspec.structs.fields(Fault)]

    def test_the_simulators_names_of_calls_are_theirs(self) -> None:
        rows = table(self.page, "Call")
        operations = (OpenAIRig.operations, BedrockRig.operations, DatabricksRig.operations)
        for column, theirs in enumerate(operations, start=1):
            documented = {row[0]: words_in_code(row[column])[0] for row in rows if row[column]}
            assert documented == theirs
