"""The table of `train_kwargs`: who takes each, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from os import PathLike

import msgspec

from tunedrop.client.errors import TrainKwargsError
from tunedrop.domain.model_rules import ModelRules
from tunedrop.domain.models import PROVIDERS
from tunedrop.domain.suggestions import did_you_mean

TASK_TYPES = ("CHAT_COMPLETION", "INSTRUCTION_FINETUNE")
SECRETS = frozenset({"databricks_token"})
"""Never shown, whatever is wrong with them."""


class Kwarg(msgspec.Struct, frozen=True):
    takes: str
    """What it takes, in words that follow "takes"."""
    fits: Callable[[object], bool]
    """Whether a value has the right type; ranges are checked by whoever knows them."""
    providers: tuple[str, ...] = PROVIDERS


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object) -> bool:
    """NumPy's scalars are numbers too; True and False are not meant as such."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_dict(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_path(value: object) -> bool:
    return _is_text(value) or isinstance(value, PathLike)


def _is_task_type(value: object) -> bool:
    return value in TASK_TYPES


_DATABRICKS = ("databricks",)
KWARGS: Mapping[str, Kwarg] = {
    "hyperparameters": Kwarg("a dict of hyperparameters, such as {'epochs': 3}", _is_dict),
    "job_name": Kwarg("a text of 1 to 63 characters", _is_text),
    "start_endpoint": Kwarg("True or False", _is_flag),
    "endpoint": Kwarg("a dict with 'kind', 'model_units' and 'ttl_hours', as the endpoint is to be", _is_dict),
    "max_cost_usd": Kwarg("an amount in US dollars, more than 0", is_number),
    "deadline_hours": Kwarg("a number of hours, more than 0 and at most 336", is_number),
    "credentials": Kwarg("the last segment of a secret's name, tunedrop/<stage>/<provider>/<credentials>", _is_text),
    "validation_file": Kwarg("a path, or an s3:// URI", _is_path),
    "s3_path": Kwarg("a folder, s3://bucket/prefix/, or a file, s3://bucket/prefix/name.jsonl", _is_text),
    "aws_profile": Kwarg("the name of a profile in the AWS configuration", _is_text),
    "train_data_path": Kwarg("a folder in a volume, /Volumes/catalog/schema/volume/path", _is_text, _DATABRICKS),
    "register_to": Kwarg("catalog.schema.model, or catalog.schema", _is_text, _DATABRICKS),
    "task_type": Kwarg(" or ".join(map(repr, TASK_TYPES)), _is_task_type, _DATABRICKS),
    "databricks_host": Kwarg(
        "the workspace's address alone, such as https://dbc-a1b2c3d4-e5f6.cloud.databricks.com", _is_text, _DATABRICKS
    ),
    "databricks_token": Kwarg(
        "an access token of the workspace that 'databricks_host' names, as a text", _is_text, _DATABRICKS
    ),
    "skip_deploy": Kwarg("True or False", _is_flag, _DATABRICKS),
}

REQUIRED: Mapping[str, Mapping[str, str]] = {
    "databricks": {
        "train_data_path": "tunedrop:databricks_volume",
        "register_to": "tunedrop:databricks_schema",
    },
}
"""By provider: what must be said, and the stack's setting that None stands for."""

_ELSEWHERE: Mapping[str, str] = {
    "method": "The rows tell: preference pairs are trained by DPO, and everything else is supervised.",
    "suffix": "Give it as 'job_name'.",
    "model": "The model is an argument of finetune().",
    "provider": "The provider is an argument of finetune().",
    "train_data": "The rows are an argument of finetune().",
    "train_data_format": "The format is an argument of finetune().",
    "training_file": "The rows are the argument 'train_data' of finetune(), which also takes a path or an s3:// URI.",
    "api_key": "Store it in Secrets Manager and name the secret with 'credentials'.",
    "openai_api_key": "Store it in Secrets Manager and name the secret with 'credentials'.",
    "role_arn": "The stack has a role of its own for Bedrock.",
    "roleArn": "The stack has a role of its own for Bedrock.",
    "upload": "Files are uploaded by themselves.",
}
"""What is known under another name, or not needed."""


def hyperparameter_kwargs(rules: ModelRules) -> tuple[str, ...]:
    """OpenAI's hyperparameters stand among the kwargs; elsewhere they are in a dict of their own."""
    return tuple(rule.name for rule in rules.hyperparameters) if rules.provider == "openai" else ()


def check_names(names: Iterable[object], rules: ModelRules) -> None:
    """Raises TrainKwargsError for a name that this provider does not take."""
    provider, direct = rules.provider, hyperparameter_kwargs(rules)
    taken = (*direct, *(name for name, kwarg in KWARGS.items() if provider in kwarg.providers))
    for name in names:
        if name in taken:
            continue
        shown = repr(name)[:80]
        problem = f"train_kwargs: {provider} takes no {shown}."
        raise TrainKwargsError(f"{problem} {_instead(name, rules, taken)}It takes: {', '.join(taken)}.")


def _instead(name: object, rules: ModelRules, taken: Iterable[str]) -> str:
    if not isinstance(name, str):
        return "The names are texts. "
    if name in KWARGS:
        return f"It is for {' and '.join(KWARGS[name].providers)}. "
    if name in _ELSEWHERE:
        return f"{_ELSEWHERE[name]} "
    nested = {each for rule in rules.hyperparameters for each in (rule.name, rule.canonical)}
    nested |= {each for pair in rules.ignored_hyperparameters for each in pair}
    if name in nested:
        return f"It is a hyperparameter: write 'hyperparameters': {{{name!r}: …}}. "
    return f"{did_you_mean(name, taken)} ".lstrip()


def check_type(name: str, value: object, provider: str) -> None:
    """Raises TrainKwargsError for a value that can never be right."""
    kwarg = KWARGS[name]
    if not kwarg.fits(value):
        raise TrainKwargsError(f"train_kwargs[{name!r}] is {shown(name, value)}, but {provider} takes {kwarg.takes}.")


def shown(name: str, value: object) -> str:
    """A value in an error: short, and nothing of a secret."""
    if name in SECRETS:
        return "empty" if isinstance(value, str) else f"a {type(value).__name__}"
    if isinstance(value, str | Real | None):
        return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}…"
    return f"a {type(value).__name__}"
