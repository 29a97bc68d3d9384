"""How the program that runs an embedded AWS puts events of AWS services that it simulates beside it."""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any


class ServiceEvents:
    """The writing end of the emulator's standard input. For any thread of this program, and for no other program."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def put(self, *, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Puts an event on the default bus, such as one of source `aws.bedrock`.

        As on AWS nobody is told whether it arrived; one for an emulator that has ended is lost.
        """
        event = {"source": source, "detail_type": detail_type, "detail": dict(detail), "resources": list(resources)}
        with self._lock, suppress(OSError, ValueError):  # a pipe that is broken, or closed here
            self._pipe.write(json.dumps(event).encode() + b"\n")
