"""A token goes into Secrets Manager, and nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.unit.client.submission.conftest import URL, Stack
from tests.unit.client.submission.kwargs_of_the_guide import DATABRICKS, MODELS, SECRET, TOKEN
from tunedrop.client.connection import Connection
from tunedrop.client.errors import ConfigurationError, ConnectionFailedError, TrainKwargsError, UploadError
from tunedrop.client.submission.databricks_token import Workspace, read_host
from tunedrop.client.tunedrop import Tunedrop
from tunedrop.domain.manifest import CREDENTIALS_NAME

NAME = f"tunedrop/prod/databricks/{SECRET}"
HOST = DATABRICKS["databricks_host"]


@pytest.fixture
def finetune(tunedrop: Tunedrop, rows: list[Any]) -> Callable[..., Any]:
    def call(**kwargs: Any) -> Any:
        given = {name: value for name, value in {**DATABRICKS, **kwargs}.items() if value is not ...}
        return tunedrop.finetune(model=MODELS["databricks"], train_data=rows, train_kwargs=given)

    return call


def versions() -> int:
    found = boto3.client("secretsmanager").list_secret_version_ids(SecretId=NAME, IncludeDeprecated=True)
    return len(found["Versions"])


def test_a_secret_is_made_for_the_host_and_named_in_the_job(stack: Stack, finetune: Callable[..., Any]) -> None:
    job = finetune()
    assert {name: json.loads(value) for name, value in stack.secrets().items()} == {
        NAME: {"host": HOST, "token": TOKEN}
    }
    assert stack.request(job).credentials == SECRET


def test_a_host_has_one_secret_that_is_written_only_where_the_token_is_new(
    stack: Stack, finetune: Callable[..., Any]
) -> None:
    finetune()
    finetune(databricks_host=f"{HOST.upper().replace('HTTPS', 'https')}/")
    assert versions() == 1
    finetune(databricks_token="dapi-new")
    assert versions() == 2
    assert json.loads(stack.secrets()[NAME]) == {"host": HOST, "token": "dapi-new"}
    finetune(databricks_host="https://other.cloud.databricks.com")
    assert len(stack.secrets()) == 2


def test_a_token_that_was_stored_once_need_not_be_given_again(stack: Stack, finetune: Callable[..., Any]) -> None:
    finetune()
    job = finetune(databricks_token=...)
    assert stack.request(job).credentials == SECRET
    assert json.loads(stack.secrets()[NAME])["token"] == TOKEN


def test_another_workspaces_secret_is_left_alone(stack: Stack, finetune: Callable[..., Any]) -> None:
    theirs = json.dumps({"host": "https://their.host", "token": "theirs"})
    boto3.client("secretsmanager").create_secret(Name=NAME, SecretString=theirs)
    with pytest.raises(TrainKwargsError, match="another name"):
        finetune()
    assert stack.secrets() == {NAME: theirs}
    assert not stack.account.items()


def test_a_secret_that_another_submission_makes_at_this_moment(
    stack: Stack, tunedrop: Tunedrop, finetune: Callable[..., Any]
) -> None:
    client = tunedrop.connection.client("secretsmanager")
    create = client.create_secret

    def create_too_late(**asked: Any) -> Any:
        boto3.client("secretsmanager").create_secret(Name=asked["Name"], SecretString="{}")
        return create(**asked)

    client.create_secret = create_too_late
    finetune()
    assert json.loads(stack.secrets()[NAME])["token"] == TOKEN


def test_the_token_is_in_no_request_record_log_or_repr(
    stack: Stack, finetune: Callable[..., Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    jobs = [finetune(), finetune(databricks_token="dapi-rotated"), finetune()]
    seen = [json.dumps(stack.gateway.events, default=str), str(stack.account.items()), caplog.text, repr(jobs)]
    seen += [repr(vars(job)) for job in jobs] + [*capfd.readouterr()]
    assert "Making request for OperationModel(name=PutObject)" in caplog.text  # the log is really being kept
    for text in seen:
        assert TOKEN not in text
        assert "dapi-rotated" not in text


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": TOKEN}}, "x"), ConfigurationError),
        (ClientError({"Error": {"Code": "InvalidRequestException", "Message": TOKEN}}, "x"), ConfigurationError),
        (EndpointConnectionError(endpoint_url="https://secretsmanager"), ConnectionFailedError),
    ],
)
def test_a_secret_that_cannot_be_stored_ends_it_before_anything_is_uploaded(
    stack: Stack, tunedrop: Tunedrop, finetune: Callable[..., Any], failure: Exception, error: type[Exception]
) -> None:
    def fail(**_: Any) -> Any:
        raise failure

    tunedrop.connection.client("secretsmanager").create_secret = fail
    with pytest.raises(error) as raised:
        finetune()
    assert NAME in str(raised.value)
    told: BaseException | None = raised.value
    while told is not None:  # what a traceback shows
        assert TOKEN not in str(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    assert stack.is_untouched()


def test_no_exception_holds_the_token(
    stack: Stack, tunedrop: Tunedrop, finetune: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(tunedrop.connection.client("s3"), "put_object", fail)
    with pytest.raises(UploadError) as raised:
        finetune()
    assert TOKEN not in repr(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("https://w.cloud.databricks.com", "https://w.cloud.databricks.com"),
        (" https://W.Cloud.databricks.com/ ", "https://w.cloud.databricks.com"),
        ("https://w.cloud.databricks.com:443", "https://w.cloud.databricks.com"),
        ("https://w.cloud.databricks.com:8443", "https://w.cloud.databricks.com:8443"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://w.cloud.databricks.com", None),
        ("w.cloud.databricks.com", None),
        ("https://w.cloud.databricks.com/sql", None),
        ("https://w.cloud.databricks.com?o=1", None),
        ("https://user:word@w.cloud.databricks.com", None),
        ("https://w.cloud.databricks.com:port", None),
        ("https://", None),
        ("https://[", None),
        ("ftp://w.cloud.databricks.com", None),
    ],
)
def test_a_host_is_an_address_alone(host: str, address: str | None) -> None:
    assert read_host(host) == address


@pytest.mark.parametrize(
    "host", ["https://w.com", "http://127.0.0.1:5000", f"https://{'a' * 60}.com", "https://a--b.c"]
)
def test_every_host_has_a_name_that_credentials_can_have(host: str) -> None:
    assert CREDENTIALS_NAME.fullmatch(Workspace(host, None).credentials)


def test_long_hosts_have_names_of_their_own() -> None:
    hosts = [f"https://{'a' * 80}{number}.com" for number in range(3)]
    assert len({Workspace(host, None).credentials for host in hosts}) == 3


def test_the_stage_is_that_of_the_url() -> None:
    assert Connection(URL).stage == "prod"
