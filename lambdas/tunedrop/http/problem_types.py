"""Every problem that the API answers with, as data: its status, its title, and the URI that names it for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

TYPE_PREFIX = "urn:problem-type:tunedrop:"


class ProblemType(NamedTuple):
    status: int
    title: str
    """The same for every problem of the type; what is special about one stands in its `detail`."""


PROBLEM_TYPES: Mapping[str, ProblemType] = {
    # The request itself
    "body_not_json": ProblemType(400, "The body is not JSON"),
    "page_token_invalid": ProblemType(400, "The page token does not belong to this list"),
    "route_not_found": ProblemType(404, "There is no such route"),
    "method_not_allowed": ProblemType(405, "The route does not take this method"),
    "body_too_large": ProblemType(413, "The body is too large"),
    "unsupported_media_type": ProblemType(415, "The body's type is not supported"),
    "request_invalid": ProblemType(422, "The request cannot be used"),
    "idempotency_key_reused": ProblemType(422, "The Idempotency-Key was used for another request"),
    "idempotency_in_progress": ProblemType(409, "The first request with this Idempotency-Key is still at work"),
    # What the request is about
    "dataset_invalid": ProblemType(422, "The dataset cannot be used"),
    "cost_limit": ProblemType(422, "The training may cost more than its limit"),
    "job_not_found": ProblemType(404, "There is no such job"),
    "credentials_invalid": ProblemType(409, "The provider's credentials cannot be used"),
    "settings_missing": ProblemType(409, "The stack lacks a setting"),
    "provider_rejected": ProblemType(502, "The provider refused"),
    # The state that a job or its endpoint is in
    "job_ended": ProblemType(409, "The job has ended"),
    "job_not_finished": ProblemType(409, "The job has not finished"),
    "job_not_succeeded": ProblemType(409, "The job has no model"),
    "job_succeeded": ProblemType(409, "The job succeeded"),
    "request_unknown": ProblemType(409, "Nobody knows what the job was to do"),
    "model_deleted": ProblemType(409, "The model was deleted"),
    "model_in_use": ProblemType(409, "The model is in use"),
    "model_not_deletable": ProblemType(409, "The model is not Tunedrop's to delete"),
    "endpoint_hosted": ProblemType(409, "The provider serves the model itself"),
    "endpoint_differs": ProblemType(409, "The endpoint is up in another form"),
    "endpoint_stopping": ProblemType(409, "The endpoint is being stopped"),
    "endpoint_not_started": ProblemType(409, "There is no endpoint"),
    "endpoint_not_stopped": ProblemType(409, "The endpoint is not stopped"),
    "transition_refused": ProblemType(409, "The job cannot go from where it is to where it was sent"),
    # Trouble that passes
    "provider_throttled": ProblemType(503, "The provider asks for patience"),
    "provider_unavailable": ProblemType(503, "The provider did not answer"),
    "submission_uncertain": ProblemType(503, "The provider's reply was lost"),
    "store_unavailable": ProblemType(503, "A service that the API needs did not answer"),
    "store_conflict": ProblemType(503, "Others kept changing the record"),
    # What only the webhook answers with (lambdas/webhook.py)
    "webhook_refused": ProblemType(400, "The webhook cannot be trusted"),
    "webhook_not_set_up": ProblemType(503, "Webhooks are not set up"),
    "webhook_again": ProblemType(503, "Send it again"),
    # Ours
    "internal": ProblemType(500, "Something went wrong inside"),
}
"""By code. A type is never renamed: programs tell problems apart by it. docs/errors.md explains each."""


def type_uri(code: str) -> str:
    """`urn:problem-type:tunedrop:job-not-found`: a name, compared as a whole; it is no address."""
    return TYPE_PREFIX + code.replace("_", "-")
