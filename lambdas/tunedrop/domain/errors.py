"""Every error that Tunedrop raises on purpose.

TunedropError
├── TransientError                 try again: it escapes the function and the state machine retries it by class name
│   ├── ProviderThrottledError     the provider asks for patience, perhaps with a Retry-After
│   ├── ProviderUnavailableError   no connection, a timeout or a 5xx on a call that changes nothing
│   ├── SubmissionUncertainError   the reply to a create call was lost: look before another attempt
│   ├── StoreUnavailableError      DynamoDB, S3 or Secrets Manager did not answer, or throttled
│   └── StoreConflictError         others kept changing the record while it was written
└── PermanentError                 this is how it is: the job ends as failed, with these words
    ├── RequestInvalidError        the key, the manifest or the request cannot be used
    ├── DatasetInvalidError        the training or validation file cannot be used; carries the problems by line
    ├── CostLimitError             the job may cost more than its max_cost_usd, or the price is unknown
    ├── CredentialsError           the provider's secret is missing, incomplete or refused
    ├── SettingsMissingError       the stack lacks a setting that this provider needs
    ├── ProviderRejectedError      the provider refused, in its own words
    ├── TransitionError            a job cannot go from where it is to where it was sent
    ├── ConflictError              what was asked does not fit the state that the job or its endpoint is in
    └── JobNotFoundError           no record has this id

Class names are the contract with the state machine's `Retry` and `Catch`; a test pins them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunedrop.domain.data_problems import Problem


class TunedropError(Exception):
    """The root. `code` is stable and documented; the message says what is wrong and how to mend it."""

    code: str = "internal"


class TransientError(TunedropError):
    """Trying the same again may work."""

    code = "transient"


class ProviderThrottledError(TransientError):
    """`retry_after` is in seconds, None where the provider gave no hint."""

    code = "provider_throttled"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderUnavailableError(TransientError):
    code = "provider_unavailable"


class SubmissionUncertainError(TransientError):
    code = "submission_uncertain"


class StoreUnavailableError(TransientError):
    code = "store_unavailable"


class StoreConflictError(TransientError):
    code = "store_conflict"


class PermanentError(TunedropError):
    """Trying the same again would end the same way."""

    code = "failed"


class RequestInvalidError(PermanentError):
    code = "request_invalid"


class DatasetInvalidError(PermanentError):
    """`problems` are the first hundred; `total` counts them all."""

    code = "dataset_invalid"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), total: int | None = None) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total


class CostLimitError(PermanentError):
    """The job may cost more than its `max_cost_usd`, or nobody can say what it costs."""

    code = "cost_limit"


class CredentialsError(PermanentError):
    code = "credentials_invalid"


class SettingsMissingError(PermanentError):
    code = "settings_missing"


class ProviderRejectedError(PermanentError):
    """`provider_code` is the provider's own code, such as `model_not_available` or `ValidationException`."""

    code = "provider_rejected"

    def __init__(self, message: str, *, provider_code: str | None = None) -> None:
        super().__init__(message)
        self.provider_code = provider_code


class TransitionError(PermanentError):
    code = "transition_refused"


class ConflictError(PermanentError):
    """`code` says what is in the way, such as `job_not_finished`; a test holds docs/errors.md to the codes in use."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JobNotFoundError(PermanentError):
    code = "job_not_found"
