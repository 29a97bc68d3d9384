"""`Idempotency-Key` on `POST /v1/jobs`: the same key and body get the same answer, for 24 hours.

Two guards, one behind the other. Powertools keeps the answer, and knows of a request that is still at work. Beneath it
the job's id is made of the key, so that a request whose record was lost, or that died half-way, makes no second job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import wiring
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.http.request_errors import IdempotencyInProgressError, IdempotencyKeyReusedError

RETENTION_HOURS = 24


def answer_once(
    key: str | None, body: dict[str, Any], create: Callable[[], dict[str, Any]], context: LambdaContext
) -> dict[str, Any]:
    """What `create` answers, or what it answered to the same key before. Without a key it is simply called.

    What `create` raises passes through, and then the key is free again. Raises IdempotencyKeyReusedError,
    IdempotencyInProgressError, StoreUnavailableError.
    """
    if key is None:
        return create()
    config = IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="body",
        expires_after_seconds=RETENTION_HOURS * 3600,
        hash_function="sha256",
        # How long a request may be at work before another one takes over: as long as its function may run.
        lambda_context=context,
    )

    def answer(*, request: dict[str, Any]) -> dict[str, Any]:  # what it is the answer to
        return create()

    once = idempotent_function(
        answer,
        data_keyword_argument="request",
        persistence_store=wiring.create_answers(),
        config=config,
        key_prefix="create",
    )
    with _in_our_words():
        answered: dict[str, Any] = once(request={"key": key, "body": body})
    return answered


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except IdempotencyValidationError as error:
        raise IdempotencyKeyReusedError(
            f"This Idempotency-Key was used within {RETENTION_HOURS} hours, with another body. Use a new key for each "
            "request, and the same one only to repeat it."
        ) from error
    except IdempotencyAlreadyInProgressError as error:
        raise IdempotencyInProgressError(
            "The first request with this Idempotency-Key has no answer yet. Repeat this one in a few seconds."
        ) from error
    except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as error:
        raise StoreUnavailableError(
            "The record of the Idempotency-Key could not be read or written. Repeat the request with the same key."
        ) from error
