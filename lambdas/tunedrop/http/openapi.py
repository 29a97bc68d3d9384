"""The OpenAPI document: served at `/v1/openapi.json`, and committed as docs/openapi.json.

python -m tunedrop.http.openapi > docs/openapi.json
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from tunedrop.http.documented import answers
from tunedrop.http.problem_schemas import PROBLEM_JSON
from tunedrop.http.problem_types import PROBLEM_TYPES, type_uri

TITLE = "Tunedrop"
VERSION = "1"
DESCRIPTION = (
    "Fine-tuning jobs at OpenAI, Amazon Bedrock and Databricks: create, watch and steer them, and serve what they "
    "made.\n\nRequests are signed with AWS Signature Version 4 (`curl --aws-sigv4`). Every error is a problem detail "
    "of RFC 9457 with a `type` that stays; docs/errors.md explains each. Times are RFC 3339 in UTC."
)
SIGV4 = "sigv4"
_REF = re.compile(r'"#/components/schemas/([^"]+)"')

SERVER = {
    "url": "https://{api_id}.execute-api.{region}.amazonaws.com/{stage}",
    "description": "The stack's output ApiUrl",
    "variables": {
        "api_id": {"default": "api-id", "description": "The REST API's id"},
        "region": {"default": "us-east-1", "description": "Where the stack is"},
        "stage": {"default": "prod", "description": "The stack's stage"},
    },
}
PROBLEM_500: dict[str, Any] = {
    "description": f"`{type_uri('internal')}`: {PROBLEM_TYPES['internal'].title}.",
    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

router: Router = Router()  # type: ignore[no-untyped-call]  # Powertools gives its constructor no types


@router.get(
    "/v1/openapi.json",
    summary="This document",
    description="What the API takes and answers, in OpenAPI 3.1.",
    operation_id="getOpenApi",
    tags=["About"],
    responses=answers(
        {200: {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    ),
)
def get_openapi() -> Response[Any]:
    return Response(status_code=200, content_type="application/json", body=text_of(router.api_resolver))


@cache
def document_of(app: ApiGatewayResolver) -> dict[str, Any]:
    """The document, made from the routes and their models."""
    # Not at the top: these models take a fifth of the function's cold start, and few requests ask for the document.
    from aws_lambda_powertools.event_handler.openapi.models import APIKey, License, Server

    sigv4 = APIKey.model_validate(
        {
            "name": "Authorization",
            "in": "header",
            "description": "AWS Signature Version 4, service `execute-api`; the caller's policy must allow "
            "`execute-api:Invoke`.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    )
    document: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title=TITLE,
            version=VERSION,
            openapi_version="3.1.0",
            description=DESCRIPTION,
            license_info=License(name="Apache-2.0", identifier="Apache-2.0"),
            servers=[Server.model_validate(SERVER)],
            security_schemes={SIGV4: sigv4},
            security=[{SIGV4: []}],
        )
    )
    return _tidied(document)


@cache
def text_of(app: ApiGatewayResolver) -> str:
    return json.dumps(document_of(app), ensure_ascii=False, indent=2) + "\n"


def methods_at(path: str, app: ApiGatewayResolver) -> tuple[str, ...]:
    """What may be asked of `path`; nothing where there is no such path."""
    for template, operations in document_of(app)["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path.rstrip("/")):
            return tuple(sorted(method.upper() for method in operations))
    return ()


def _tidied(document: dict[str, Any]) -> dict[str, Any]:
    """Without the models that the resolver adds for its own errors, which this API never answers with; sorted."""
    document["paths"] = dict(sorted(document["paths"].items()))
    for operations in document["paths"].values():
        for operation in operations.values():
            # The resolver puts an answer of its own there, for answers outside their models.
            operation["responses"]["500"] = PROBLEM_500
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _present(parameter["schema"])
                parameter["name"] = parameter["name"].title() if parameter["in"] == "header" else parameter["name"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["schema"] = {"$ref": content["schema"]["$ref"]}
    _drop_unused(document["components"]["schemas"], document)
    tidied: dict[str, Any] = _plain(document)
    return {**tidied, "info": document["info"]}


def _drop_unused(schemas: dict[str, Any], document: dict[str, Any]) -> None:
    while unused := schemas.keys() - set(_REF.findall(json.dumps(document))):
        for name in unused:
            del schemas[name]


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not given is absent, never null; and its description stands beside the schema already."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "description")}
    return {**rest, **choices[0]} if len(choices) == 1 else rest


def _plain(value: Any) -> Any:
    """Whole numbers as such, and without the titles that are made of the names. A field called title is a schema, and
    stays."""
    if isinstance(value, dict):
        return {n: _plain(entry) for n, entry in value.items() if not (n == "title" and isinstance(entry, str))}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    from tunedrop.http.app import app as api

    sys.stdout.write(text_of(api))
