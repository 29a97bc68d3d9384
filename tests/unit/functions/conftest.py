"""What a function is called with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.cold_start import forget_wiring


class Context(LambdaContext):
    """Of an invocation that has `seconds` left."""

    seconds = 10.0

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static where nothing is left of it
        return int(self.seconds * 1000)


@pytest.fixture
def context() -> Context:
    context = Context()
    context._function_name = "tunedrop"
    context._memory_limit_in_mb = 128
    context._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tunedrop"
    context._aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"
    return context


@pytest.fixture
def fresh_wiring() -> Iterator[None]:
    """What is made once a cold start is made anew in the test, and in the one after it."""
    forget_wiring()
    yield
    forget_wiring()
