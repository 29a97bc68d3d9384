"""Amazon Bedrock: the removal of custom models, which are billed for their storage as long as they exist."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tunedrop.domain.errors import ConflictError
from tunedrop.providers.bedrock_errors import code_of, message_of, says_absent, translated


class BedrockModels:
    """A ModelRemoval. `client` is boto3's `bedrock`, in the region of the models; a tuned model is named by its ARN."""

    def __init__(self, *, client: Any) -> None:
        self._client = client

    def delete(self, tuned_model: str) -> None:
        with translated():
            try:
                self._client.delete_custom_model(modelIdentifier=tuned_model)
            except ClientError as error:
                if says_absent(error):
                    return
                if code_of(error) == "ConflictException":
                    raise ConflictError(
                        "model_in_use",
                        f"Bedrock does not delete {tuned_model} while it is in use: {message_of(error)} "
                        "Stop its endpoint first, and delete any deployment or provisioned throughput of it that was "
                        "made elsewhere.",
                    ) from error
                raise
