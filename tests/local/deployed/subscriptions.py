"""What the stack tells of its jobs: on the event bus, and on the topic."""

from __future__ import annotations

import json
import re
from typing import Any

from local.running_stack import RunningStack
from tests.local.deployed.account import eventually


class News:
    """A queue on the bus and one on the topic, subscribed before the first drop; reading does not take from it."""

    def __init__(self, stack: RunningStack) -> None:
        self._sqs = stack.aws.client("sqs")
        events = stack.aws.client("events")
        self._bus, bus_arn = self._queue("news-from-the-bus")
        self._topic, topic_arn = self._queue("news-from-the-topic")
        pattern = {"source": ["tunedrop"], "detail-type": ["Fine-Tuning Job State Change"]}
        events.put_rule(Name="news", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="news", Targets=[{"Id": "queue", "Arn": bus_arn}])
        stack.aws.client("sns").subscribe(
            TopicArn=stack.outputs.topic_arn,
            Protocol="sqs",
            Endpoint=topic_arn,
            Attributes={"RawMessageDelivery": "true"},
        )
        self._events: list[dict[str, Any]] = []
        self._messages: list[str] = []

    def _queue(self, name: str) -> tuple[str, str]:
        url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return url, attributes["QueueArn"]

    def events(self, job_id: str, *, until: str) -> list[dict[str, Any]]:
        """The job's events on the bus in the order of their arrival, once one of status `until` has come."""

        def look() -> list[dict[str, Any]] | None:
            self._events += [json.loads(body) for body in self._received(self._bus)]
            found = [event for event in self._events if event["detail"]["job_id"] == job_id]
            return found if any(event["detail"]["status"] == until for event in found) else None

        return eventually(look, f"the event that job {job_id} is {until}")

    def messages(self, job_id: str, count: int) -> list[str]:
        """The topic's messages on the job itself, in the order of their arrival, once there are `count`."""

        def look() -> list[str] | None:
            self._messages += self._received(self._topic)
            of_the_job = re.compile(rf'"event_id": "{job_id}-[0-9]')  # of its endpoint: {job_id}-endpoint-1
            found = [message for message in self._messages if of_the_job.search(message)]
            return found if len(found) >= count else None

        return eventually(look, f"{count} messages on job {job_id}")

    def _received(self, url: str) -> list[str]:
        bodies = []
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies
