"""What users run on their own machines: the Python client and the command line. It is in no function.

from tunedrop.client import Tunedrop

job = Tunedrop("https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev").attach("jzvdoef3b2g5cia5vwgy4ufrw7")
print(job.result())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunedrop.client.errors import (
        ApiError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        EndpointFailedError,
        JobCancelledError,
        JobFailedError,
        NotAllowedError,
        NotFoundError,
        RequestRefusedError,
        SubmissionInDoubtError,
        TrainingDataError,
        TrainKwargsError,
        TunedropError,
        UnavailableError,
        UploadError,
        WaitTimeoutError,
    )
    from tunedrop.client.job import Job
    from tunedrop.client.tunedrop import Tunedrop

__all__ = [
    "ApiError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "EndpointFailedError",
    "Job",
    "JobCancelledError",
    "JobFailedError",
    "NotAllowedError",
    "NotFoundError",
    "RequestRefusedError",
    "SubmissionInDoubtError",
    "TrainKwargsError",
    "TrainingDataError",
    "Tunedrop",
    "TunedropError",
    "UnavailableError",
    "UploadError",
    "WaitTimeoutError",
]

_MODULES = {"Tunedrop": "tunedrop", "Job": "job"}
"""All the others are errors."""


def __getattr__(name: str) -> Any:
    # Loaded when it is used: HTTP and AWS take longer to load than the whole of `tunedrop --help` may.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
