"""Amazon Bedrock: endpoints of custom models.

Creating is safe to repeat: the order's token is the client request token and the resource's name at once. Nothing can
be paused: to stop is to delete, after which Bedrock knows nothing of the resource.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tunedrop.domain.endpoint import Call
from tunedrop.domain.errors import ProviderRejectedError, ProviderUnavailableError
from tunedrop.domain.serving_ports import EndpointOrder, ProviderEndpoint, ServingState
from tunedrop.providers.bedrock_endpoint_kinds import kind_at, kind_of, tags_of
from tunedrop.providers.bedrock_errors import code_of, message_of, says_absent, translated

_MAY_BE_ABOUT_ITS_STATE = ("ConflictException", "ValidationException")


class BedrockServing:
    """A ServingProvider; an endpoint's id is its ARN. `client` is boto3's `bedrock`, in the tuned model's region."""

    def __init__(self, *, client: Any) -> None:
        self._client = client

    def find(self, order: EndpointOrder) -> str | None:
        kind = kind_of(order)
        with translated():
            try:
                found = kind.get(self._client, order.token)
                if found.model_arn != order.tuned_model:
                    return None
                tags = self._client.list_tags_for_resource(resourceARN=found.arn)["tags"]
            except ClientError as error:
                if says_absent(error):
                    return None
                raise
        # Somebody else's resource of the same name is not ours; creating will say that the name is taken.
        return found.arn if all(tag in tags for tag in tags_of(order)) else None

    def create(self, order: EndpointOrder) -> str:
        kind = kind_of(order)
        try:
            # The quotas of model units and deployments free up only when somebody deletes what uses them.
            with translated(creates=True, quota_frees_itself=False):
                return kind.create(self._client, order)
        except ProviderRejectedError:
            # No document tells how a name that is taken is refused, so whatever was refused is looked for.
            existing = self.find(order)
            if existing is None:
                raise
            return existing

    def status(self, resource_id: str) -> ProviderEndpoint:
        kind = kind_at(resource_id)
        with translated():
            try:
                found = kind.get(self._client, resource_id)
            except ClientError as error:
                if says_absent(error):
                    return ProviderEndpoint(state=ServingState.GONE, raw_status=code_of(error))
                raise
        state = kind.states.get(found.status, ServingState.UNKNOWN)
        failed = state is ServingState.FAILED
        return ProviderEndpoint(
            state=state,
            raw_status=found.status,
            error_message=found.failure or "Bedrock gave no reason." if failed else None,
        )

    def delete(self, resource_id: str) -> None:
        kind = kind_at(resource_id)
        with translated():
            try:
                kind.delete(self._client, resource_id)
            except ClientError as error:
                if says_absent(error):
                    return
                if code_of(error) in _MAY_BE_ABOUT_ITS_STATE and self._may_be_deletable_later(resource_id, error):
                    raise ProviderUnavailableError(
                        f"Bedrock does not delete {resource_id} yet: {message_of(error)}"
                    ) from error
                raise

    def _may_be_deletable_later(self, resource_id: str, refusal: ClientError) -> bool:
        """A conflict always may; another refusal only while the resource is being made."""
        return code_of(refusal) == "ConflictException" or self.status(resource_id).state is ServingState.STARTING

    def call(self, resource_id: str) -> Call:
        # LiteLLM takes an ARN for Converse only where the route says so; by itself it would send it to InvokeModel.
        return Call(model_id=resource_id, litellm_model=f"bedrock/converse/{resource_id}")
