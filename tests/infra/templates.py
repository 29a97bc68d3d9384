"""Synthesizing the stack in a test, and reading what came out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import aws_cdk as cdk

from infra import nag
from infra.settings import Settings
from infra.stack import TunedropStack

Template: TypeAlias = dict[str, Any]
PROJECT = Path(__file__).resolve().parent.parent.parent
BUILD = "<differs from target to target>"


@dataclass(frozen=True)
class Synthesis:
    """`report` is cdk-nag's, empty where it was not asked."""

    folder: Path
    template: Template
    text: bytes
    report: dict[str, Any]

    def resources(self, kind: str) -> dict[str, Any]:
        """The resources of one type, such as `AWS::S3::Bucket`, by logical id; never none."""
        found = {name: each for name, each in self.template["Resources"].items() if each["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found


def synthesize(
    folder: Path, *, checked: bool = False, change: Callable[[cdk.Stack], None] | None = None, **settings: str
) -> Synthesis:
    """The stack with the defaults of cdk.json and `settings`, written to `folder`, in this process.

    `checked` runs cdk-nag, which raises on a finding; `change` may alter the stack before it is written.
    """
    defaults = json.loads((PROJECT / "cdk.json").read_text())["context"]
    ours = {f"tunedrop:{name}": value for name, value in settings.items()}
    # The assets are hashed but not copied: 90 MB less.
    context = {**defaults, **ours, "aws:cdk:disable-asset-staging": True}
    app = cdk.App(analytics_reporting=False, outdir=str(folder), context=context)
    parsed = Settings.from_context(app.node.get_all_context())
    stack = TunedropStack(app, parsed.stack_name, settings=parsed)
    if change:
        change(stack)
    if checked:
        nag.add_checks(app, stack, settings=parsed)
    app.synth()
    text = (folder / f"{parsed.stack_name}.template.json").read_bytes()
    report = folder / "validation-report.json"
    return Synthesis(folder, json.loads(text), text, json.loads(report.read_text()) if checked else {})


def normalise(template: Template) -> Template:
    """The template without what may differ between two targets: architecture, runtime version and asset hashes."""
    plain = copy.deepcopy(template)
    for resource in plain["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            properties["Runtime"] = properties["Architectures"] = BUILD
            properties["Code"]["S3Key"] = BUILD
        elif resource["Type"] == "AWS::Lambda::LayerVersion":
            properties["CompatibleRuntimes"] = properties["CompatibleArchitectures"] = BUILD
            properties["Content"]["S3Key"] = BUILD
    return plain


def state_machine(template: Template, provider: str) -> dict[str, Any]:
    """The properties of a provider's state machine."""
    (found,) = (
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
        and each["Properties"]["StateMachineName"].endswith(f"fine-tuning-{provider}")
    )
    properties: dict[str, Any] = found
    return properties


def definition(template: Template, provider: str) -> dict[str, Any]:
    """A provider's state machine in the Amazon States Language, with `${…}` for what deployment substitutes."""
    states: dict[str, Any] = json.loads(state_machine(template, provider)["DefinitionString"])
    return states


def statements(synthesis: Synthesis) -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role's policies, with the logical id of the policy."""
    return [
        (name, statement)
        for name, policy in synthesis.resources("AWS::IAM::Policy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def of_role(synthesis: Synthesis, role: str) -> dict[str, str]:
    """The actions of one role, each with its resources as text."""
    allowed: dict[str, str] = {}
    for name, statement in statements(synthesis):
        if name.startswith(role):
            for action in as_list(statement["Action"]):
                allowed[action] = allowed.get(action, "") + json.dumps(statement["Resource"])
    assert allowed, f"no policy of {role}"
    return allowed


def resources_of(synthesis: Synthesis, role: str, action: str) -> list[str]:
    """The resources, as text, that one role may do `action` on."""
    return [
        json.dumps(resource)
        for name, statement in statements(synthesis)
        if name.startswith(role) and action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def conditions_of(synthesis: Synthesis, role: str, action: str) -> list[dict[str, Any] | None]:
    return [
        statement.get("Condition")
        for name, statement in statements(synthesis)
        if name.startswith(role) and action in as_list(statement["Action"])
    ]


def machines_of(synthesis: Synthesis, role: str, action: str) -> list[str]:
    return [each.split(":stateMachine:")[1].split('"')[0] for each in resources_of(synthesis, role, action)]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
