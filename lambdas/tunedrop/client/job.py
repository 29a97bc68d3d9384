"""A job, as its users hold it: it lives in the account, and this is a handle that any process can have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.client.errors import NotFoundError, TunedropError
from tunedrop.client.following import Following
from tunedrop.client.job_report import read_report
from tunedrop.client.job_words import in_short, name_to_call
from tunedrop.client.metrics import points_of
from tunedrop.client.records import EndpointRecord, EventPage, EventRecord, JobRecord, MetricPoint, read
from tunedrop.client.wait_progress import wait_progress
from tunedrop.domain.job import JobStatus

if TYPE_CHECKING:
    from tunedrop.client.answers import Answer
    from tunedrop.client.following import WaitView
    from tunedrop.client.tunedrop import Tunedrop

_ID = re.compile(r"[a-z2-7]{26}")
_LARGEST_PAGE = 100


class Job:
    """A fine-tuning job. Everything is asked of the API when it is called; `record` is what was seen last."""

    def __init__(self, tunedrop: Tunedrop, record: JobRecord) -> None:
        self._tunedrop = tunedrop
        self.record = record

    @classmethod
    def attach(cls, tunedrop: Tunedrop, job_id: str) -> Job:
        """Raises NotFoundError where there is no such job."""
        job_id = job_id.strip()
        if not _ID.fullmatch(job_id):
            detail = f"There is no job {job_id[:60]!r}: an id has 26 characters of a-z and 2-7."
            raise NotFoundError(detail, status=404, code="job_not_found")
        return cls(tunedrop, read(tunedrop.api.request("GET", f"/v1/jobs/{job_id}").document, JobRecord))

    @property
    def job_id(self) -> str:
        return self.record.job_id

    def refresh(self, *, ask_provider: bool = False) -> JobRecord:
        """The record as it is now. `ask_provider` has the provider asked, too; what it says is there a moment later."""
        return self._seen(self._ask("GET", query={"refresh": True} if ask_provider else None))

    def status(self) -> JobStatus:
        """As it is now. Raises TunedropError for one that this version does not know."""
        status = self.refresh().status
        try:
            return JobStatus(status)
        except ValueError:
            raise TunedropError(
                f"Job {self.job_id} is {status!r}, which this client does not know: pip install --upgrade tunedrop"
            ) from None

    def wait(self, *, timeout: float | None = None, progress: bool | None = None, endpoint: bool = True) -> JobRecord:
        """The record once the job has ended, however it ended, and with `endpoint` once its endpoint is up, too.

        `timeout` in seconds; WaitTimeoutError says that it is over, and the job goes on. `progress` is shown in a
        terminal and in a notebook, unless it is False.
        """
        with wait_progress(progress) as view:
            self.follow(view, timeout=timeout, endpoint=endpoint)
        return self.record

    def follow(self, view: WaitView, *, timeout: float | None = None, endpoint: bool = True) -> EndpointRecord | None:
        """As `wait`, telling `view` whatever is seen. Its endpoint as it was seen last, where it was looked at."""
        return self._following(timeout).to_the_end(view, endpoint=endpoint)

    def result(self, timeout: float | None = None, *, progress: bool | None = None) -> str:
        """The name by which the tuned model is called, with LiteLLM and DSPy; waits until it can be called.

        That is the endpoint's name once it is ready, for a job that has none the provider's id of the model. Raises
        JobFailedError with the provider's words, JobCancelledError, EndpointFailedError, WaitTimeoutError.
        """
        with wait_progress(progress) as view:
            endpoint = self.follow(view, timeout=timeout)
        return name_to_call(self.record, endpoint)

    def cancel(self) -> JobRecord:
        """Asks for its end, as often as you like. Raises ConflictError for a job that ended otherwise."""
        return self._seen(self._ask("POST", "/cancel"))

    def endpoint(self) -> EndpointRecord:
        """What serves the model. Raises ConflictError for a job that has none."""
        return read(self._ask("GET", "/endpoint").document, EndpointRecord)

    def start_endpoint(
        self,
        *,
        kind: str | None = None,
        model_units: int | None = None,
        ttl_hours: float | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> EndpointRecord:
        """Serves the tuned model: in the way that costs nothing while nobody calls it, unless `kind` says otherwise.

        What bills by the hour needs `ttl_hours`. Raises EndpointFailedError where it does not come up, ConflictError
        for a job without a model, WaitTimeoutError.
        """
        following = self._following(timeout)
        asked: Mapping[str, Any] = {"kind": kind, "model_units": model_units, "ttl_hours": ttl_hours}
        body = {name: value for name, value in asked.items() if value is not None}
        started = read(self._ask("POST", "/endpoint/start", body=body or None).document, EndpointRecord)
        return following.until_up(started) if wait else started

    def stop_endpoint(self, *, wait: bool = True, timeout: float | None = None) -> EndpointRecord:
        """Takes the endpoint down; the model stays. Raises ConflictError where there is nothing to stop."""
        following = self._following(timeout)
        stopped = read(self._ask("POST", "/endpoint/stop").document, EndpointRecord)
        return following.until_down(stopped) if wait else stopped

    def events(self) -> Iterator[EventRecord]:
        """The timeline of the job and of its endpoint, oldest first, asked for page by page."""
        token: str | None = None
        while True:
            answer = self._ask("GET", "/events", query={"limit": _LARGEST_PAGE, "next_token": token})
            page = read(answer.document, EventPage)
            yield from page.events
            token = page.next_token
            if token is None:
                return

    def metrics(self) -> list[MetricPoint]:
        """What the provider said of the training so far, oldest first: step, loss, tokens."""
        return points_of(self.events())

    def report(self) -> dict[str, Any]:
        """What was found in its files and how it ended, read from S3 by the caller's credentials, once it has ended."""
        return read_report(self.refresh(), self._tunedrop.connection)

    def retry(self) -> Job:
        """A new job from the prepared files of this one, which failed or was cancelled; the same when called again."""
        return Job(self._tunedrop, read(self._ask("POST", "/retry").document, JobRecord))

    def delete_model(self) -> JobRecord:
        """Deletes the tuned model at Amazon Bedrock, for good. Raises ConflictError while it is served."""
        return self._seen(self._ask("DELETE", "/model"))

    def _ask(self, method: str, what: str = "", *, query: Mapping[str, Any] | None = None, body: Any = None) -> Answer:
        return self._tunedrop.api.request(method, f"/v1/jobs/{self.job_id}{what}", query=query, body=body)

    def _seen(self, answer: Answer) -> JobRecord:
        self.record = read(answer.document, JobRecord)
        return self.record

    def _following(self, timeout: float | None) -> Following:
        waiting = self._tunedrop.waiting
        return Following(
            job_id=self.job_id,
            waiting=waiting,
            deadline=waiting.deadline(timeout),
            ask_job=lambda: self._ask("GET"),
            ask_endpoint=lambda: self._ask("GET", "/endpoint"),
            keep=self._keep,
        )

    def _keep(self, record: JobRecord) -> None:
        self.record = record

    def __repr__(self) -> str:
        return in_short(self.record)
