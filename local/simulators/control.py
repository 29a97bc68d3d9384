"""A simulator in another process is told to misbehave, and how long its trainings take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

import msgspec
import urllib3
from flask import Flask, Response, request

from local.simulators.faults import Fault, Faults
from local.simulators.pace import Pace

FAULTS_PATH = "/_control/faults"
TRAINING_PATH = "/_control/training"
_SECONDS = 10.0
"""For one request; the simulators are on this machine."""


class Paced(Protocol):
    """Has the pace of the trainings to come; each keeps the one that it began with."""

    pace: Pace


class _Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(gt=0)]


def add_controls(app: Flask, faults: Faults, paced: Paced) -> None:
    """`POST /_control/faults` asks for a fault, `DELETE` forgets all. `PUT /_control/training` says how many `seconds`
    the trainings take that are created from then on, `DELETE` makes it what it was at first."""
    usual = paced.pace

    def control_faults() -> Response:
        if request.method == "DELETE":
            faults.clear()
            return Response(status=204)
        try:
            faults.add(msgspec.json.decode(request.get_data(), type=Fault))
        except msgspec.DecodeError as error:
            return Response(f"not a fault: {error}\n", status=400)
        return Response(status=204)

    def control_training() -> Response:
        if request.method == "DELETE":
            paced.pace = usual
            return Response(status=204)
        try:
            training = msgspec.json.decode(request.get_data(), type=_Training)
        except msgspec.DecodeError as error:
            return Response(f"not the length of a training: {error}\n", status=400)
        paced.pace = msgspec.structs.replace(usual, training=training.seconds)
        return Response(status=204)

    app.add_url_rule(FAULTS_PATH, "control_faults", control_faults, methods=["POST", "DELETE"])
    app.add_url_rule(TRAINING_PATH, "control_training", control_training, methods=["PUT", "DELETE"])


@contextmanager
def training_for(simulator: str, seconds: float) -> Iterator[None]:
    """The jobs that are created within the block at the simulator of this address train for so long; not nested."""
    _call("PUT", simulator, msgspec.json.encode(_Training(seconds)))
    try:
        yield
    finally:
        _call("DELETE", simulator)


def _call(method: str, simulator: str, body: bytes | None = None) -> None:
    answer = urllib3.request(method, simulator + TRAINING_PATH, body=body, timeout=_SECONDS, retries=False)
    if answer.status != 204:
        raise ValueError(f"{method} {TRAINING_PATH}: {answer.status} {answer.data.decode(errors='replace').strip()}")
