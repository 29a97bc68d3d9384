"""News of a job or its endpoint: an EventBridge event for machines, an SNS message for people."""

from __future__ import annotations

from typing import Any

import msgspec

from tunedrop.aws.client_errors import store_errors
from tunedrop.domain.errors import StoreUnavailableError
from tunedrop.domain.ports import StatusChange

SOURCE = "tunedrop"

MAX_SUBJECT_CHARACTERS = 99
"""SNS takes fewer than 100, of printable ASCII, in a subject."""


class EventPublisher:
    """A Publisher on the default event bus and one topic."""

    def __init__(self, *, events: Any, sns: Any, topic_arn: str) -> None:
        self._events = events
        self._sns = sns
        self._topic_arn = topic_arn

    def publish(self, change: StatusChange) -> None:
        detail = msgspec.json.encode(change.detail).decode()
        entry = {"Source": SOURCE, "DetailType": change.detail_type, "Detail": detail}
        with store_errors("the event bus"):
            answer = self._events.put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise StoreUnavailableError(f"The event bus refused {change.event_id}: {answer['Entries']}")
        plain = change.summary.encode("ascii", "replace").decode()
        subject = "".join(each if each.isprintable() else " " for each in plain)[:MAX_SUBJECT_CHARACTERS]
        message = f"{change.summary}\n\n{msgspec.json.format(detail)}"
        with store_errors(self._topic_arn):
            self._sns.publish(TopicArn=self._topic_arn, Subject=subject, Message=message)
