"""What the simulated resources of one region share: its account, its clock, its names and tags."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.simulators.bedrock.account import Account
from local.simulators.bedrock.errors import Refusal, conflict, invalid, not_found
from local.simulators.pace import Pace

MOST_TAGS = 50


class Region:
    """`elapsed` gives the seconds since `started`, so that a test can move time by hand."""

    def __init__(
        self,
        name: str,
        *,
        account_id: str,
        account: Account,
        pace: Callable[[], Pace],
        started: datetime,
        elapsed: Callable[[], float],
    ) -> None:
        self.name = name
        self.account = account
        self.account_id = account_id
        self.elapsed = elapsed
        self.tags: dict[str, dict[str, str]] = {}
        self._pace = pace
        self._started = started
        self._tokens: dict[str, tuple[Mapping[str, Any], str]] = {}

    @property
    def pace(self) -> Pace:
        """As it is now: a job keeps the one that it was created with."""
        return self._pace()

    def time(self, elapsed: float) -> datetime:
        return self._started + timedelta(seconds=elapsed)

    def new_arn(self, kind: str) -> str:
        """`kind` is the part between the account and the id, such as `custom-model-deployment`."""
        return f"arn:aws:bedrock:{self.name}:{self.account_id}:{kind}/{uuid.uuid4().hex[:12]}"

    def repeated(self, operation: str, request: Mapping[str, Any]) -> str | None:
        """The ARN that an earlier request with the same token made, or None; raises Refusal when it differed."""
        token = request.get("clientRequestToken")
        seen = self._tokens.get(f"{operation}:{token}") if token else None
        if seen is None:
            return None
        if seen[0] != request:
            raise conflict("The request uses the same client token as a previous, but non-identical request.")
        return seen[1]

    def remember(self, operation: str, request: Mapping[str, Any], arn: str) -> None:
        if request.get("clientRequestToken"):
            self._tokens[f"{operation}:{request['clientRequestToken']}"] = (request, arn)

    def tag(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        merged = self.tags.get(arn, {}) | {tag["key"]: tag["value"] for tag in tags}
        check_tag_count(merged)
        self.tags[arn] = merged

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        for key in keys:
            self.tags_of(arn).pop(key, None)

    def tags_of(self, arn: str) -> dict[str, str]:
        if arn not in self.tags:
            raise not_found(f"The specified resource ARN {arn} was not found.")
        return self.tags[arn]


def check_tag_count(tags: Sequence[Any] | Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise Refusal("TooManyTagsException", f"A resource can have at most {MOST_TAGS} tags.")


def page(
    items: Iterable[dict[str, Any]],
    request: Mapping[str, Any],
    *,
    into: str,
    name_key: str,
    time_key: str,
    equals: Mapping[str, str],
) -> dict[str, Any]:
    """One page of a list operation under `into`: filtered by the request, newest first unless it says otherwise.

    `equals` names the items' key behind each exact filter of the request.
    """
    after = request.get("creationTimeAfter") or request.get("createdAfter")
    before = request.get("creationTimeBefore") or request.get("createdBefore")
    chosen = [
        item
        for item in items
        if request.get("nameContains", "") in item[name_key]
        and all(wanted not in request or item[key] == request[wanted] for wanted, key in equals.items())
        and (after is None or item[time_key] > after)
        and (before is None or item[time_key] < before)
    ]
    chosen.sort(key=lambda item: item[time_key], reverse=request.get("sortOrder", "Descending") == "Descending")
    first = _offset(request.get("nextToken", "0"))
    last = first + request.get("maxResults", 100)
    answer: dict[str, Any] = {into: chosen[first:last]}
    if last < len(chosen):
        answer["nextToken"] = str(last)
    return answer


def _offset(token: str) -> int:
    if not token.isascii() or not token.isdigit():
        raise invalid("The provided next token is invalid.")
    return int(token)
