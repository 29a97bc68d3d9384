"""Bedrock's refusals, as they go over the wire: a status, an `x-amzn-ErrorType` header and a JSON message."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from flask import Response

# What every AWS service may answer before the request reaches Bedrock's own code; not in the service models.
# https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
_COMMON_STATUSES: Mapping[str, int] = {
    "IncompleteSignatureException": 400,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "SerializationException": 400,
    "UnknownOperationException": 404,
}


class Refusal(Exception):  # noqa: N818  (an answer, not a fault of this program)
    """`code` is the error's name at AWS, such as `ValidationException`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)


def conflict(message: str) -> Refusal:
    return Refusal("ConflictException", message)


def is_carried_out(failure: str | None) -> bool:
    """Whether a deletion is. With the fault `fail_job` it is refused with the fault's message; where there is none, it
    is answered like any other, and nothing goes."""
    if failure:
        raise conflict(failure)
    return failure is None


def not_found(message: str) -> Refusal:
    return Refusal("ResourceNotFoundException", message)


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's own description of `bedrock` or `bedrock-runtime`."""
    model: ServiceModel = botocore.session.get_session().get_service_model(service)
    return model


@cache
def status_of(code: str) -> int:
    """The HTTP status that the service models give to an error."""
    if code in _COMMON_STATUSES:
        return _COMMON_STATUSES[code]
    for service in ("bedrock", "bedrock-runtime"):
        for shape in service_model(service).error_shapes:
            if shape.name == code:
                return int(shape.metadata["error"]["httpStatusCode"])
    raise ValueError(f"{code} is no error of Bedrock's")


def refusal_response(refusal: Refusal, *, retry_after: float = 0.0) -> Response:
    """`retry_after` is in seconds; 0 sends no header."""
    response = json_response({"message": refusal.message}, status=status_of(refusal.code))
    response.headers["x-amzn-ErrorType"] = f"{refusal.code}:http://internal.amazon.com/coral/com.amazon.bedrock/"
    if retry_after > 0:
        response.headers["Retry-After"] = f"{retry_after:g}"
    return response


def json_response(document: Mapping[str, Any], *, status: int) -> Response:
    """`document` may hold times; they go out in ISO 8601."""
    response = Response(
        json.dumps(document, default=datetime.isoformat), status=status, content_type="application/json"
    )
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response
