"""Events with sources of AWS itself: from the program that started the emulator, and from nobody else."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator.process import EmbeddedAws, embedded_aws

from .conftest import Deploy, Invoke, Queue, name

SOURCE = "aws.bedrock"
KIND = "Model Customization Job State Change"


@pytest.fixture
def heard(aws: EmbeddedAws, queue: Queue) -> Iterator[Queue]:
    """A queue that gets every event of the source."""
    events, rule = aws.client("events"), name()
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [SOURCE], "detail-type": [KIND]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue.arn}])
    yield queue
    events.remove_targets(Rule=rule, Ids=["queue"])
    events.delete_rule(Name=rule)


def test_the_parent_puts_an_event_of_a_service_and_rules_match_it(aws: EmbeddedAws, heard: Queue) -> None:
    detail = {"jobName": name(), "jobStatus": "Completed", "note": 'with "quotes" and\nlines'}
    aws.service_events.put(source=SOURCE, detail_type=KIND, detail=detail, resources=["arn:aws:bedrock:::job"])
    event = heard.received()["body"]
    assert (event["source"], event["detail-type"], event["detail"]) == (SOURCE, KIND, detail)
    assert (event["account"], event["region"]) == ("000000000000", "us-east-1")
    assert event["resources"] == ["arn:aws:bedrock:::job"]


def entry() -> dict[str, Any]:
    """What AWS's services alone may put."""
    return {"Source": SOURCE, "DetailType": KIND, "Detail": "{}"}


def test_put_events_refuses_such_a_source(aws: EmbeddedAws, heard: Queue) -> None:
    answer = aws.client("events").put_events(Entries=[entry()])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert heard.count() == 0


def test_put_events_refuses_it_from_a_function_too(
    aws: EmbeddedAws, deploy: Deploy, invoke: Invoke, heard: Queue
) -> None:
    source = """
        import json, os, urllib.request
        def handler(event, context):
            scope = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/events/aws4_request"
            headers = {
                "X-Amz-Target": "AWSEvents.PutEvents",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            }
            body = json.dumps({"Entries": [event]}).encode()
            request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body, headers)
            return json.loads(urllib.request.urlopen(request).read())
        """
    answer = invoke(deploy(source), entry())
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert heard.count() == 0


def test_one_that_cannot_be_put_is_logged_and_the_next_one_arrives(aws: EmbeddedAws, heard: Queue) -> None:
    aws.service_events.put(source=SOURCE, detail_type=KIND, detail={}, resources=[1, 2])  # type: ignore[list-item]  # on purpose
    aws.service_events._pipe.write(b"no JSON\n")
    aws.service_events.put(source=SOURCE, detail_type=KIND, detail={"number": 2})
    numbers = [heard.received()["body"]["detail"].get("number")]
    while numbers[-1] != 2:
        numbers.append(heard.received()["body"]["detail"].get("number"))
    assert "could not be put: b'no JSON" in aws.log_file.read_text()


def test_one_for_an_emulator_that_has_ended_is_lost(tmp_path: Path) -> None:
    with embedded_aws(state_dir=tmp_path) as aws:
        os.kill(aws.pid, signal.SIGKILL)
        os.waitid(os.P_PID, aws.pid, os.WEXITED | os.WNOWAIT)  # it is left for its parent to reap
        aws.service_events.put(source=SOURCE, detail_type=KIND, detail={})
    aws.service_events.put(source=SOURCE, detail_type=KIND, detail={})
