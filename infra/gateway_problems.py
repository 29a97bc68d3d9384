"""What API Gateway itself refuses, as RFC 9457 problem details: the same form as the function's own errors.

A gateway response knows no template language, only the replacement of `$context` variables. So every text here is
fixed, and the gateway's own words are a member of their own: `$context.error.messageString` brings its quotes along.
Types and statuses: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

PROBLEM_TYPE_PREFIX = "urn:problem-type:tunedrop:"
RETRY_AFTER_SECONDS = 2

_SIGN = "Sign the request with AWS Signature Version 4 for the service execute-api (curl: --aws-sigv4)"
_LOG = "The API's access log has the request under its request_id"
_REASON = "$context.error.messageString"


@dataclass(frozen=True)
class GatewayProblem:
    """What one or more types of gateway responses say. `detail` is the way out."""

    response_types: tuple[str, ...]
    status: int
    code: str
    title: str
    detail: str
    reason: bool = False
    """Whether the gateway's own words say more, such as which signature it expected."""
    retry: bool = False
    """Whether the same request may pass a little later."""


GATEWAY_PROBLEMS = (
    GatewayProblem(
        ("MISSING_AUTHENTICATION_TOKEN",),
        403,
        "not_signed",
        "The request is not signed, or there is no such route",
        f"{_SIGN}, and compare method and path with docs/openapi.json.",
    ),
    GatewayProblem(
        ("ACCESS_DENIED",),
        403,
        "access_denied",
        "The caller may not use this route",
        "The caller's policy must allow execute-api:Invoke on this method and path of the API.",
        reason=True,
    ),
    GatewayProblem(
        ("INVALID_SIGNATURE",),
        403,
        "signature_invalid",
        "The request's signature is wrong",
        f"{_SIGN} in the API's region, over the body as it is sent, with a clock that is right to 5 minutes.",
        reason=True,
    ),
    GatewayProblem(
        ("EXPIRED_TOKEN",),
        403,
        "credentials_expired",
        "The credentials have expired",
        "Get new credentials (aws sso login, or assume the role again) and repeat the request.",
    ),
    GatewayProblem(("UNAUTHORIZED",), 401, "unauthorized", "The request is not authorized", f"{_SIGN}."),
    GatewayProblem(
        ("INVALID_API_KEY",),
        403,
        "api_key_invalid",
        "The API key is not valid",
        f"Tunedrop's API takes no API keys: leave x-api-key out. {_SIGN}.",
    ),
    GatewayProblem(
        ("WAF_FILTERED",),
        403,
        "waf_filtered",
        "A firewall refused the request",
        "A web ACL that was put before the API blocked this request: see its log for the rule.",
    ),
    GatewayProblem(
        ("RESOURCE_NOT_FOUND",),
        404,
        "route_not_found",
        "There is no such route",
        "Compare method and path with docs/openapi.json.",
    ),
    GatewayProblem(
        ("BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS"),
        400,
        "bad_request",
        "The request cannot be read",
        "Compare body and parameters with docs/openapi.json.",
        reason=True,
    ),
    GatewayProblem(
        ("UNSUPPORTED_MEDIA_TYPE",),
        415,
        "unsupported_media_type",
        "The body's type is not supported",
        "Send JSON, with content-type: application/json.",
    ),
    GatewayProblem(
        ("REQUEST_TOO_LARGE",),
        413,
        "body_too_large",
        "The body is too large",
        "Send a training file to S3, not in the body: upload: true answers with where to put it.",
    ),
    GatewayProblem(
        ("THROTTLED",),
        429,
        "throttled",
        "Too many requests",
        "Repeat the request after the seconds of Retry-After; many callers at once share one limit.",
        retry=True,
    ),
    GatewayProblem(
        ("QUOTA_EXCEEDED",),
        429,
        "quota_exceeded",
        "The usage plan's quota is used up",
        "Repeat the request in the plan's next period, or have its quota raised.",
    ),
    GatewayProblem(
        ("INTEGRATION_TIMEOUT",),
        504,
        "timed_out",
        "The answer took too long",
        "What was asked for may have been done: look (GET) before you repeat it, or send an Idempotency-Key.",
        retry=True,
    ),
    GatewayProblem(
        ("INTEGRATION_FAILURE",),
        504,
        "unavailable",
        "The API is not available",
        "Repeat the request after the seconds of Retry-After; to create a job, with an Idempotency-Key.",
        retry=True,
    ),
    GatewayProblem(
        ("API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE"),
        500,
        "gateway_misconfigured",
        "The API is not set up as it should be",
        f"Somebody changed it by hand: deploy the stack again. {_LOG}.",
    ),
    # The two for what AWS does not name yet. They take a fixed status, since the body has to say the same.
    GatewayProblem(
        ("DEFAULT_4XX",),
        400,
        "bad_request",
        "The request cannot be read",
        f"The gateway's own words are in reason. {_SIGN}, and compare it with docs/openapi.json.",
        reason=True,
    ),
    GatewayProblem(
        ("DEFAULT_5XX",),
        500,
        "internal",
        "Something went wrong inside",
        f"Repeat the request after the seconds of Retry-After. {_LOG}.",
        retry=True,
    ),
)


def add_gateway_problems(api: apigateway.RestApi) -> None:
    """Gives the API a gateway response for every type there is."""
    for problem in GATEWAY_PROBLEMS:
        # API Gateway takes the template of application/json whatever the request accepts; the header says what it is.
        headers = {"Content-Type": "'application/problem+json'"}
        if problem.retry:
            headers["Retry-After"] = f"'{RETRY_AFTER_SECONDS}'"
        for response_type in problem.response_types:
            api.add_gateway_response(
                "".join(part.capitalize() for part in response_type.split("_")),
                type=apigateway.ResponseType.of(response_type),
                status_code=str(problem.status),
                response_headers=headers,
                templates={"application/json": template(problem)},
            )


def template(problem: GatewayProblem) -> str:
    """The body, with `$context` variables for what differs from request to request."""
    document = {
        "type": PROBLEM_TYPE_PREFIX + problem.code.replace("_", "-"),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": "$context.path",
        "code": problem.code,
        "request_id": "$context.requestId",
    }
    text = json.dumps(document)
    return f'{text[:-1]}, "reason": {_REASON}}}' if problem.reason else text
