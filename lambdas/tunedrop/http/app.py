"""The API: its routes, what each error becomes, and the way of a request from API Gateway's event to its answer."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.domain.errors import PermanentError, RequestInvalidError
from tunedrop.domain.manifest import read_request
from tunedrop.http import endpoint_routes, job_routes, openapi
from tunedrop.http.problems import faults_of, problem_response
from tunedrop.http.request_body import read_json, with_checked_body
from tunedrop.http.request_errors import MethodNotAllowedError, RouteNotFoundError

app = APIGatewayRestResolver(
    enable_validation=True,
    # An answer outside its model is a defect of ours, not of the request.
    response_validation_error_http_code=500,
    json_body_deserializer=read_json,
    debug=False,
)
for _router in (job_routes.router, endpoint_routes.router, openapi.router):
    app.include_router(_router)


def respond(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The answer in API Gateway's form, whatever the request is."""
    try:
        checked = with_checked_body(event)
    except PermanentError as error:
        refused = APIGatewayProxyEvent(event)
        builder: ResponseBuilder[Any] = ResponseBuilder(problem_response(error, refused))
        return builder.build(refused)
    return app.resolve(checked, context)


def _failed(error: Exception) -> Response[str]:
    return problem_response(error, app.current_event)


def _unfit(error: RequestValidationError) -> Response[str]:
    """The models say where; what a manifest would be told, where the body is one, says more."""
    event = app.current_event
    body = event.json_body
    faults = faults_of(error.errors(), body)
    detail = " ".join(
        f"{fault.pointer or fault.parameter or fault.header or 'The body'}: {fault.detail}" for fault in faults
    )
    if event.path.rstrip("/") == "/v1/jobs" and isinstance(body, dict):
        try:
            read_request(
                {name: value for name, value in body.items() if name != "upload"},
                name="The request",
                also_known=["upload"],
            )
        except RequestInvalidError as friendly:
            detail = str(friendly)
    return problem_response(RequestInvalidError(detail), event, faults=faults)


def _no_route(_error: NotFoundError) -> Response[str]:
    event = app.current_event
    allowed = openapi.methods_at(event.path, app)
    # The method may be allowed at such a path, and the path be none: one with a control character in it.
    if not allowed or event.http_method in allowed:
        missing = RouteNotFoundError(f"There is no {event.path[:200]}. GET /v1/openapi.json lists what there is.")
        return problem_response(missing, event)
    wrong = MethodNotAllowedError(
        f"{event.path[:200]} does not take {event.http_method}, but {' and '.join(allowed)}.", allowed=allowed
    )
    return problem_response(wrong, event)


app.exception_handler(Exception)(_failed)
app.exception_handler(RequestValidationError)(_unfit)
app.not_found(_no_route)
