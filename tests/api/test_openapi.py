"""The OpenAPI document is the code's, whole, and the one that is committed and deployed."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from werkzeug.test import Client

from infra.api import ROUTES
from tests.docs.pages import DOCS
from tunedrop.domain.job import Job
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.models import PROVIDERS
from tunedrop.http.app import app
from tunedrop.http.job_schemas import JobView
from tunedrop.http.openapi import document_of, text_of
from tunedrop.http.request_schemas import EndpointStart, JobCreation, ProviderName

DOCUMENT = document_of(app)
OPERATIONS = [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations]


def operation_of(path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][path][method]
    return operation


def test_the_committed_document_is_the_codes() -> None:
    assert (DOCS / "openapi.json").read_text() == text_of(app), (
        "write it anew: PYTHONPATH=lambdas python -m tunedrop.http.openapi > docs/openapi.json"
    )


def test_the_served_document_is_the_committed_one(http: Client) -> None:
    answer = http.get("/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json == json.loads((DOCS / "openapi.json").read_text())


def test_every_route_is_deployed_and_documented() -> None:
    documented = {
        path: tuple(sorted(method.upper() for method in operations)) for path, operations in DOCUMENT["paths"].items()
    }
    assert documented == {path: tuple(sorted(methods)) for path, methods in ROUTES.items()}


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_that_is_no_success_is_a_problem(path: str, method: str) -> None:
    operation = operation_of(path, method)
    assert operation["summary"]
    assert operation["description"]
    answers = operation["responses"]
    assert {"403", "422", "429", "500", "503", "504"} <= answers.keys()
    for status, answer in answers.items():
        if int(status) >= 400:
            problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            assert answer["content"] == problem, status
        assert ("Retry-After" in answer.get("headers", {})) or status not in {"202", "429", "503", "504"}


@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if "{job_id}" in each[0]])
def test_a_job_that_is_not_there_is_documented(path: str, method: str) -> None:
    operation = operation_of(path, method)
    assert "urn:problem-type:tunedrop:job-not-found" in operation["responses"]["404"]["description"]
    (job_id,) = [each for each in operation["parameters"] if each["in"] == "path"]
    assert job_id["schema"]["pattern"] == "^[a-z2-7]{26}$"


def test_signatures_are_asked_for() -> None:
    (scheme,) = DOCUMENT["components"]["securitySchemes"].values()
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert DOCUMENT["security"] == [{"sigv4": []}]


def test_every_model_is_used() -> None:
    text = json.dumps(DOCUMENT)
    unused = [name for name in DOCUMENT["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text]
    assert unused == []


def test_a_job_is_asked_for_with_the_fields_of_a_manifest() -> None:
    fields = {field.name: field.required for field in msgspec.structs.fields(JobRequest)}
    model = {name: field.is_required() for name, field in JobCreation.model_fields.items()}
    assert model == {**fields, "upload": False}
    defaults = {field.name: field.default for field in msgspec.structs.fields(JobRequest) if not field.required}
    del defaults["hyperparameters"]
    assert defaults == {name: JobCreation.model_fields[name].default for name in defaults}


def test_the_fields_have_the_types_of_a_manifest() -> None:
    for struct, model in ((JobRequest, JobCreation), (EndpointRequest, EndpointStart)):
        types = get_type_hints(struct)
        differ = {name for name, field in model.model_fields.items() if field.annotation != types.get(name)}
        # A provider is one of three here, and an endpoint is a model of its own.
        assert differ <= {"provider", "endpoint", "upload"}
    assert set(EndpointStart.model_fields) == {field.name for field in msgspec.structs.fields(EndpointRequest)}
    assert get_args(ProviderName) == PROVIDERS


def test_what_the_record_keeps_for_itself_is_not_shown() -> None:
    shown = set(JobView.model_fields)
    kept = {field.name for field in msgspec.structs.fields(Job)} - shown
    assert kept == {
        "outcome",
        "recoveries",
        "request",
        "stop_refused",
        "stop_sent_at",
        "submission",
        "version",
        "wake_seq",
    }
