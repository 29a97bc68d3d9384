"""Events of AWS services that run elsewhere.

AWS: `PutEvents` refuses a source that starts with `aws.`, whoever asks; the services themselves put such events.
MiniStack: the same, so that a service outside of it, such as a simulated one, has no way to put its own.
Here the program that started the emulator can: over the pipe that is the emulator's standard input. No port, no route
and no token leads there, and nobody else holds the pipe's other end.
"""

import json
import logging

from ministack.services import eventbridge

logger = logging.getLogger("service_events")


def put(line: bytes) -> None:
    """Put one event, as the parent wrote it: `{"source", "detail_type", "detail", "resources"}`, in one line of JSON.

    Never raises: the thread that reads the pipe must live to see its end.
    """
    try:
        event = json.loads(line)
        entry = {
            "Source": event["source"],
            "DetailType": event["detail_type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event["resources"],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        logger.exception("an event from the parent could not be put: %r", line)
