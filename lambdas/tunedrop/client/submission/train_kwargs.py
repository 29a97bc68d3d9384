"""From the guide's `train_kwargs`, as they stand, to the fields of `POST /v1/jobs` and what the client does itself."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

import msgspec

from tunedrop.client.errors import TrainKwargsError
from tunedrop.client.submission.databricks_token import Workspace, read_host
from tunedrop.client.submission.kwarg_rules import (
    KWARGS,
    REQUIRED,
    check_names,
    check_type,
    hyperparameter_kwargs,
    is_number,
    shown,
)
from tunedrop.client.submission.s3_places import Place, read_place
from tunedrop.domain.endpoint_rules import plan_after_success
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.hyperparameters import resolve
from tunedrop.domain.job_request import DataFormatName
from tunedrop.domain.manifest import read_request
from tunedrop.domain.model_rules import ModelRules
from tunedrop.domain.volume_path import is_volume_path

_FOR_THE_CLIENT = frozenset({"s3_path", "aws_profile", "validation_file", "databricks_host", "databricks_token"})
"""They do not travel."""
_REGISTERED = re.compile(r"[^\s./]+(\.[^\s./]+){1,2}")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; nothing in it is shared with the caller's dict."""

    fields: dict[str, Any]
    """Of the request, without the model and the files."""
    place: Place | None = None
    """Where `s3_path` has the files put."""
    aws_profile: str | None = None
    validation_file: str | PathLike[str] | None = None
    workspace: Workspace | None = None
    """Whose token goes into Secrets Manager."""


def read_train_kwargs(
    train_kwargs: Mapping[str, Any] | None, rules: ModelRules, *, data_format: DataFormatName | None = None
) -> Asked:
    """Raises TrainKwargsError for what is wrong, or missing, at the provider of the model."""
    if train_kwargs is not None and not isinstance(train_kwargs, Mapping):
        raise TrainKwargsError(
            f"train_kwargs is a {type(train_kwargs).__name__}, but {rules.provider} takes a dict, such as "
            "{'job_name': 'my-finetune-job'}."
        )
    named = dict(train_kwargs or {})
    check_names((name for name, value in named.items() if value is not None or name not in KWARGS), rules)
    _check_required(named, rules.provider)
    direct = {name: named.pop(name) for name in hyperparameter_kwargs(rules) if name in named}
    given = {name: value for name, value in named.items() if value is not None}
    for name, value in given.items():
        check_type(name, value, rules.provider)
    fields = {name: _own(value) for name, value in given.items() if name not in _FOR_THE_CLIENT}
    fields["hyperparameters"] = _hyperparameters(fields.get("hyperparameters", {}), direct, rules, data_format)
    workspace = _workspace(given)
    if workspace is not None:
        fields["credentials"] = workspace.credentials
    _choose_endpoint(fields)
    _check_form(fields, rules.provider)
    _check_fields(fields, rules)
    return Asked(
        fields=fields,
        place=read_place(given["s3_path"], rules.provider) if "s3_path" in given else None,
        aws_profile=given.get("aws_profile"),
        validation_file=given.get("validation_file"),
        workspace=workspace,
    )


def _check_required(named: Mapping[str, Any], provider: str) -> None:
    """None counts as given: it says that the stack's setting is meant."""
    for name, setting in REQUIRED.get(provider, {}).items():
        if name not in named:
            raise TrainKwargsError(
                f"train_kwargs[{name!r}] is missing: {provider} takes {KWARGS[name].takes}; or None, for the stack's "
                f"setting {setting}."
            )


def _own(value: Any) -> Any:
    """A copy that is shared with nobody, of plain numbers."""
    if isinstance(value, Mapping):
        return {name: _own(each) for name, each in value.items()}
    if isinstance(value, Real) and not isinstance(value, bool):
        return int(value) if isinstance(value, Integral) else float(value)
    return copy.deepcopy(value)


def _hyperparameters(
    nested: Mapping[Any, Any], direct: Mapping[str, Any], rules: ModelRules, data_format: DataFormatName | None
) -> dict[str, int | float | str]:
    where = "train_kwargs['hyperparameters']"
    twice = sorted(set(nested) & set(direct), key=str)
    if twice:
        raise TrainKwargsError(f"train_kwargs has {twice[0]!r} twice, also in 'hyperparameters': give it once.")
    for name, value in nested.items():
        if not isinstance(name, str) or not (isinstance(value, str) or is_number(value)):
            raise TrainKwargsError(
                f"{where}[{name!r:.80}] is {shown('', value)}, but {rules.provider} takes numbers by their names, such "
                "as {'epochs': 3}."
            )
    for name, value in direct.items():
        if value is not None and not (isinstance(value, str) or is_number(value)):
            raise TrainKwargsError(
                f"train_kwargs[{name!r}] is {shown(name, value)}, but {rules.provider} takes a number."
            )
    chosen = {name: _own(value) for name, value in {**nested, **direct}.items() if value is not None}
    may_be_preference = rules.preference_pairs and data_format in (None, "preference")
    try:
        resolve(rules, chosen, preference=may_be_preference)
    except RequestInvalidError as error:
        raise TrainKwargsError(f"{'train_kwargs' if direct else where}, for {rules.provider}: {error}") from None
    return chosen


def _workspace(given: Mapping[str, Any]) -> Workspace | None:
    host, token = given.get("databricks_host"), given.get("databricks_token")
    if host is None and token is None:
        return None
    takes = KWARGS["databricks_host"].takes
    if host is None:
        raise TrainKwargsError(
            "train_kwargs['databricks_host'] is missing: a token is stored for one workspace. "
            f"databricks takes {takes}."
        )
    address = read_host(host)
    if address is None:  # and it is not shown: somebody may have put a token into it
        raise TrainKwargsError(f"train_kwargs['databricks_host'] is no such address: databricks takes {takes}.")
    if "credentials" in given:
        raise TrainKwargsError(
            "train_kwargs['credentials'] names a secret that is there, and 'databricks_host' makes one: databricks "
            "takes one of them."
        )
    return Workspace(host=address, token=None if token is None else token.strip())


def _choose_endpoint(fields: dict[str, Any]) -> None:
    """The guide calls the model next, so that it is served unless somebody says no; and whoever says no means it."""
    if fields.get("skip_deploy"):
        fields.pop("start_endpoint", None)
        return
    fields.pop("skip_deploy", None)
    fields.setdefault("start_endpoint", True)


def _check_form(fields: Mapping[str, Any], provider: str) -> None:
    forms = (("train_data_path", is_volume_path), ("register_to", _REGISTERED.fullmatch))
    for name, fits in forms:
        value = fields.get(name)
        if value is not None and not fits(value):
            raise TrainKwargsError(
                f"train_kwargs[{name!r}] is {shown(name, value)}, but {provider} takes {KWARGS[name].takes}."
            )


def _check_fields(fields: Mapping[str, Any], rules: ModelRules) -> None:
    """By the rules of a request: lengths, ranges, and what fits together."""
    request = {**fields, "provider": rules.provider, "model": rules.model_id, "training_file": "training.jsonl"}
    try:
        plan_after_success(read_request(request, name=f"train_kwargs for {rules.provider}"), rules.model_id)
    except RequestInvalidError as error:
        words = str(error).replace("'endpoint.", "train_kwargs['endpoint']: '")
        raise TrainKwargsError(words if words.startswith("train_kwargs") else f"train_kwargs: {words}") from None
