"""Following a job to its end, and its endpoint until it is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from tunedrop.client.errors import TunedropError, WaitTimeoutError
from tunedrop.client.job_words import endpoint_failure, how_to_attach, status_words
from tunedrop.client.records import EndpointRecord, JobRecord, read
from tunedrop.client.waiting import Look, Waiting
from tunedrop.domain.job import JobStatus

if TYPE_CHECKING:
    from tunedrop.client.answers import Answer

ENDPOINT_STARTS_WITHIN = timedelta(seconds=60)
"""After the job's end. Its record is written a moment later than the job's."""


class WaitView(Protocol):
    """What is told of everything that is seen."""

    def job(self, record: JobRecord) -> None: ...

    def endpoint(self, record: EndpointRecord) -> None: ...


class NoView:
    """For those who wait in silence."""

    def job(self, record: JobRecord) -> None:
        pass

    def endpoint(self, record: EndpointRecord) -> None:
        pass


@dataclass
class Following:
    """One wait: all its parts share the deadline."""

    job_id: str
    waiting: Waiting
    deadline: float | None
    """On the clock of `waiting`; None: for as long as it takes."""
    ask_job: Callable[[], Answer]
    ask_endpoint: Callable[[], Answer]
    keep: Callable[[JobRecord], None]
    """Told of the job's record as it is seen."""

    def to_the_end(self, view: WaitView, *, endpoint: bool) -> EndpointRecord | None:
        """The endpoint as it is in the end; None where there is no model to serve, or it was not asked for."""
        doing = "not known yet"

        def look_at_job() -> Look[JobRecord]:
            nonlocal doing
            answer = self.ask_job()
            record = read(answer.document, JobRecord)
            doing = status_words(record)
            self.keep(record)
            view.job(record)
            return Look(record if record.is_final else None, answer.retry_after)

        with self._saying_that_it_goes_on():
            job = self.waiting.until(
                look_at_job, deadline=self.deadline, going_on=lambda: self._going_on(f"The job is {doing}")
            )
            if not endpoint or job.status != JobStatus.SUCCEEDED:
                return None
            return self._endpoint(view, lambda answer, record: self._has_settled(job, record, answer))

    def until_up(self, started: EndpointRecord) -> EndpointRecord:
        """Raises EndpointFailedError where it does not come up."""
        settled = started if _is_still(started) else self._endpoint(NoView(), lambda _, record: _is_still(record))
        if settled.status != "ready":
            raise endpoint_failure(self.job_id, settled)
        return settled

    def until_down(self, stopping: EndpointRecord) -> EndpointRecord:
        return stopping if _is_still(stopping) else self._endpoint(NoView(), lambda _, record: _is_still(record))

    def _endpoint(self, view: WaitView, settled: Callable[[Answer, EndpointRecord], bool]) -> EndpointRecord:
        doing = "not known yet"

        def look() -> Look[EndpointRecord]:
            nonlocal doing
            answer = self.ask_endpoint()
            record = read(answer.document, EndpointRecord)
            doing = record.status
            view.endpoint(record)
            return Look(record if settled(answer, record) else None, answer.retry_after)

        return self.waiting.until(
            look,
            deadline=self.deadline,
            going_on=lambda: self._going_on(f"The job's endpoint is {doing}"),
            just_answered=True,
        )

    def _has_settled(self, job: JobRecord, endpoint: EndpointRecord, answer: Answer) -> bool:
        if endpoint.status == "none" and job.starts_endpoint and job.finished_at is not None:
            # By the API's clock, since the record's times are of there.
            now = answer.sent_at or self.waiting.now()
            return now - job.finished_at > ENDPOINT_STARTS_WITHIN
        return endpoint.status != "starting"

    def _going_on(self, doing: str) -> str:
        return f"{doing} after the time that was to be waited for. It goes on: {how_to_attach(self.job_id)}"

    @contextmanager
    def _saying_that_it_goes_on(self) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, TunedropError) as error:
            if not isinstance(error, WaitTimeoutError):
                error.add_note(f"Job {self.job_id} goes on. {how_to_attach(self.job_id)}")
            raise


def _is_still(endpoint: EndpointRecord) -> bool:
    """Whether it neither comes up nor goes away at the moment."""
    return endpoint.status not in ("starting", "stopping")
