"""What a REST API answers when the function behind a route fails.

AWS                                                              MiniStack
a function that raises is 502 `Internal server error`, in the    502 with the exception's name, message and stack trace,
words of the gateway's response DEFAULT_5XX                      past the gateway's responses
so is a value that is no response: not an object with a          200 with the value as the body, or a broken connection
`statusCode`, or with a body that is no text
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from typing import Any

from ministack.services import apigateway_v1

from local.emulator.changing import edit, replace


class FailedIntegration(apigateway_v1._GatewayError):  # type: ignore[misc]  # MiniStack is not typed
    """The function gave no response that can be passed on."""

    def __init__(self) -> None:
        super().__init__("DEFAULT_5XX", "Internal server error", "InternalServerErrorException")


def is_response(value: Any) -> bool:
    """Whether a function's value is a response, by the rules of a proxy integration."""
    if not isinstance(value, dict) or not isinstance(value.get("body", ""), str | None):
        return False
    try:
        return 100 <= int(value["statusCode"]) <= 599
    except (KeyError, TypeError, ValueError):
        return False


def apply() -> None:
    """Make the changes."""
    edit(
        apigateway_v1,
        "_invoke_lambda_proxy_v1",
        (_ANSWER, _CHECKED_ANSWER),
        _changed_is_response=is_response,
        _changed_failure=FailedIntegration,
    )
    gateway_error_response = apigateway_v1._gateway_error_response

    def with_status(error: Any, request: dict[str, Any]) -> Any:
        status, headers, body = gateway_error_response(error, request)
        if isinstance(error, FailedIntegration) and not _sets_status(request):
            status = 502
        return status, headers, body

    replace(apigateway_v1, "_gateway_error_response", with_status)


def _sets_status(request: dict[str, Any]) -> bool:
    """Whether the stage's own DEFAULT_5XX has a status. MiniStack takes 500 where it has none."""
    api_id, deployment = request["api_id"], request["stage"].get("deploymentId")
    deployed = apigateway_v1._deployed_gateway_responses.get(api_id, {}).get(deployment) or {}
    return "statusCode" in deployed.get("DEFAULT_5XX", {})


_ANSWER = """\
    lambda_response, err = _lambda_proxy_response(result)
    if err:
        return 502, {"Content-Type": "application/json"}, json.dumps({"message": err}).encode()
"""
_CHECKED_ANSWER = """\
    lambda_response = result.get("body")
    if result.get("error") or result.get("throttle") or not _changed_is_response(lambda_response):
        return _changed_failure()
"""
