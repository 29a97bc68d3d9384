"""The parameters that several routes share: the job's id, and what pages lists."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tunedrop.domain.errors import JobNotFoundError
from tunedrop.http.paging import MAX_TOKEN_CHARACTERS
from tunedrop.http.request_schemas import JOB_ID_PATTERN

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

_ID = re.compile(JOB_ID_PATTERN)
_WORDS = {"true": True, "false": False}


def _known_form(job_id: str) -> str:
    # No reason to look it up, and not another kind of error either: there is no such job.
    if not _ID.fullmatch(job_id):
        raise JobNotFoundError(f"There is no job {job_id[:60]!r}: an id has 26 characters of a-z and 2-7.")
    return job_id


def _whole_number(value: Any) -> Any:
    # As pydantic reads text, "5.0", "1_0" and " 5" were numbers, too.
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        raise ValueError("a whole number is expected")
    return value


def _yes_or_no(value: Any) -> Any:
    if isinstance(value, str):
        if value not in _WORDS:
            raise ValueError("true or false is expected")
        return _WORDS[value]
    return value


JobId = Annotated[
    str,
    Path(description="The job's id.", examples=["mfrggzdfmztwq2lknnwg23tpob"]),
    AfterValidator(_known_form),
    WithJsonSchema({"type": "string", "pattern": JOB_ID_PATTERN}),
]
Limit = Annotated[
    int,
    Field(ge=1, le=MAX_LIMIT),
    BeforeValidator(_whole_number),
    Query(description="At most this many."),
]
NextToken = Annotated[
    str | None,
    Query(
        max_length=MAX_TOKEN_CHARACTERS,
        description="`next_token` of the page before. It is good only with the filter that it came with.",
    ),
]
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
"""To be used with a Query of its own."""
