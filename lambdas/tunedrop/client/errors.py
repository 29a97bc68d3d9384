"""What the client raises. Every message says what is wrong and the way out; none holds a secret or training text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class TunedropError(Exception):
    """The base of all of them."""

    may_have_been_carried_out = False
    """Whether what was asked for may have happened all the same: at this attempt, or at one before it."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Those that are raised with keywords could not be copied to another process otherwise.
        return _again, (type(self), self.args, self.__dict__)


class ConfigurationError(TunedropError):
    """Nothing can be called like this: no URL, no credentials, no such profile, no region."""


class ConnectionFailedError(TunedropError):
    """No answer came: nothing is known of what happened to the request."""


class SubmissionInDoubtError(ConnectionFailedError):
    """No answer came to the request that makes a job, or one that leaves open whether it did. `job_id` is the id of the
    job, if there is one."""

    def __init__(self, message: str, *, job_id: str) -> None:
        super().__init__(message)
        self.job_id = job_id


class ApiError(TunedropError):
    """The API answered, and not as it was asked to. `str` has the detail, and every fault of the request."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        code: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        """One of docs/errors.md; None where something else than the API answered."""
        self.errors = [dict(error) for error in errors]
        """What is wrong with the request: `detail`, and where, `pointer`, `parameter` or `header`."""
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds, where the answer said when to ask again."""

    def __str__(self) -> str:
        faults = [f"{_place(error)}{error.get('detail', '')}" for error in self.errors]
        return "\n".join([self.detail, *(f"- {fault}" for fault in faults if fault not in self.detail)])


class NotFoundError(ApiError):
    """404: there is no such job."""


class ConflictError(ApiError):
    """409: the job or its endpoint is not in a state for this."""


class RequestRefusedError(ApiError):
    """400, 413, 415, 422: the request itself cannot be used."""


class NotAllowedError(ApiError):
    """401, 403: the caller's credentials or permissions do not suffice."""


class UnavailableError(ApiError):
    """429 and 5xx: the same request may succeed later."""


class TrainKwargsError(TunedropError, ValueError):
    """A keyword of `train_kwargs`, or the model, is wrong or missing; names it, the provider and what it takes."""


class TrainingDataError(TunedropError, ValueError):
    """The rows cannot be trained on."""

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        """Each with the row or line that it is about: `row 3: …`."""


class UploadError(TunedropError):
    """The file did not get to S3."""


class JobFailedError(TunedropError):
    """The training failed; `str` has the provider's own words."""

    def __init__(
        self, message: str, *, job_id: str | None = None, code: str | None = None, provider_code: str | None = None
    ) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.code = code
        """One of docs/errors.md."""
        self.provider_code = provider_code


class JobCancelledError(TunedropError):
    """The job was cancelled: there is no model."""


class EndpointFailedError(TunedropError):
    """The model is trained, but what serves it did not come up."""


class WaitTimeoutError(TunedropError, TimeoutError):
    """It takes longer than was to be waited for; it goes on."""


def _place(error: Mapping[str, Any]) -> str:
    place = error.get("pointer") or error.get("parameter") or error.get("header")
    return f"{place}: " if place else ""


def _again(kind: type[TunedropError], args: tuple[Any, ...], state: Mapping[str, Any]) -> TunedropError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
