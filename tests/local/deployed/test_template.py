"""What runs on this machine is what is deployed to AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.running_stack import SETTINGS
from tests.infra.templates import normalise, synthesize
from tests.local.deployed.account import STACK_NAME, Account


def test_the_deployed_template_is_that_for_aws_but_for_architecture_runtime_and_hashes(
    account: Account, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {name.removeprefix("tunedrop:"): value for name, value in SETTINGS.items()}
    for_aws = synthesize(tmp_path, **settings).template
    body = account.stack.aws.client("cloudformation").get_template(StackName=STACK_NAME)["TemplateBody"]
    deployed = json.loads(body) if isinstance(body, str) else body
    assert deployed != for_aws
    assert normalise(deployed) == normalise(for_aws)
