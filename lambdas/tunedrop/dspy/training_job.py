"""A job of the stack as DSPy sees one: a Future of the tuned LM."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dspy
from dspy.clients.provider import TrainingJob
from dspy.clients.utils_finetune import TrainingStatus

from tunedrop.client.errors import ConflictError
from tunedrop.dspy.calling import call_settings, route
from tunedrop.dspy.held_secret import held, without_secrets

if TYPE_CHECKING:
    from tunedrop.client import Job
    from tunedrop.client.records import EndpointRecord
    from tunedrop.dspy.provider import TunedropProvider


class TunedropJob(TrainingJob):  # type: ignore[misc]  # dspy has no types
    """Made by `lm.finetune(…)`, which submits the job at once and so raises at once for what is wrong with it.

    The thread only waits, and is a daemon: it keeps no process alive, and the job goes on in the stack without it.
    `job` is the client's own handle, with the job's events, metrics and report.
    """

    def __init__(
        self,
        thread: threading.Thread | None = None,
        model: str | None = None,
        train_data: Sequence[Mapping[str, Any]] | None = None,
        train_data_format: str | None = None,
        train_kwargs: Mapping[str, Any] | None = None,
        *,
        provider: TunedropProvider,
    ) -> None:
        """Raises what `Tunedrop.finetune` raises."""
        super().__init__(thread, model, train_data, train_data_format, held(train_kwargs))
        if thread is not None:
            thread.daemon = True
        self._provider = provider
        self._cancelling = threading.Lock()
        self._waiters_told = False
        self._tuned: Any = None
        """The LM that `result` gives, once there is one."""
        self.job: Job = provider.submit(model, train_data, train_data_format, self.train_kwargs)

    @property
    def job_id(self) -> str:
        """By which another process can attach to it."""
        return self.job.job_id

    def status(self) -> TrainingStatus:
        """Of the training, asked of the stack. An endpoint may still be starting when it has succeeded."""
        return TrainingStatus(self.job.status().value)

    def result(self, timeout: float | None = None) -> Any:
        """The tuned LM, ready to be called, once its endpoint is up.

        Raises JobFailedError with the provider's words, EndpointFailedError (call `start_endpoint()`, then this again),
        CancelledError, and TimeoutError after `timeout` seconds.
        """
        return super().result(timeout) if self._tuned is None else self._tuned

    def cancel(self) -> bool:
        """Asks the stack to cancel the job; False if it has ended otherwise already.

        The Future is cancelled at once. The job's status is `cancelled` when the provider has stopped it.
        """
        try:
            self.job.cancel()
        except ConflictError:
            return False
        self.end_as_cancelled()
        return True

    def end_as_cancelled(self) -> None:
        """Cancels the Future, as far as it is still pending, and tells those that wait for it."""
        with self._cancelling:
            # Not TrainingJob's own `cancel`, which drops what this returns.
            if Future.cancel(self) and not self._waiters_told:
                self._waiters_told = True
                self.set_running_or_notify_cancel()

    def set_result(self, result: Any) -> None:
        """Called by DSPy when the wait is over, with an LM or, where DSPy would let it be returned, an exception."""
        with suppress(InvalidStateError):  # it was cancelled meanwhile
            if isinstance(result, Exception):
                self.set_exception(result)
            else:
                super().set_result(self._ready(result))

    def start_endpoint(self, **options: Any) -> EndpointRecord:
        """Starts what serves the model and waits for it; the LM of `result` calls it from then on.

        `options` are those of `Job.start_endpoint`: kind, model_units, ttl_hours, wait, timeout.
        """
        record = self.job.start_endpoint(**options)
        if record.call is not None:
            name = record.call.litellm_model
            if self._tuned is None:
                self._ready(dspy.LM(name, provider=self._provider))
            self._tuned.model = name
        return record

    def stop_endpoint(self, **options: Any) -> EndpointRecord:
        """Stops what serves the model. `options` are those of `Job.stop_endpoint`: wait, timeout."""
        return self.job.stop_endpoint(**options)

    def _ready(self, lm: Any) -> Any:
        provider = str(self.job.record.provider)
        lm.model = route(provider, lm.model)
        profile = self._provider.tunedrop.connection.profile
        lm.kwargs.update(call_settings(provider, self.train_kwargs, profile=profile))
        # The base's: a further training would start from the base again, and say nothing of it.
        lm.finetuning_model = None
        lm.train_kwargs = without_secrets(lm.train_kwargs)
        self._tuned = lm
        return lm

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.job!r})"
