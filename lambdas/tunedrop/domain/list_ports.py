"""What the API needs to list jobs, and to tell what happened to one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec

from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.job import Job, JobError, JobStatus, Phase, Progress


class ListPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page of a list ended; the next one goes on behind it."""

    month: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """`YYYY-MM`: lists are kept by the month in which jobs were created."""
    before: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """The key (time of creation and job id) of the last job that was looked at; None: begin with the month's newest."""


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    jobs: tuple[Job, ...]
    next: ListPosition | None
    """None: there are no more. A page may be empty and have a next one, where the filter leaves much out."""


class JobList(Protocol):
    def page(
        self, *, status: JobStatus | None, provider: str | None, limit: int, after: ListPosition | None
    ) -> ListPage:
        """At most `limit` jobs, newest first, a moment old: a job that was changed just now may be shown as before.

        Raises StoreUnavailableError.
        """
        ...


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write to a job's record, or to that of its endpoint."""

    type: Literal["status", "progress", "endpoint", "endpoint_progress"]
    """`status` and `endpoint`: the job came into another phase, its endpoint into another status."""
    version: int
    """Of the record that was written: the job's, or the endpoint's."""
    at: datetime
    status: JobStatus | None = None
    """With `phase`, of the job; None in an event of the endpoint."""
    phase: Phase | None = None
    endpoint_status: EndpointStatus | None = None
    """With `generation` and `expires_at`, of the endpoint; None in an event of the job."""
    generation: int | None = None
    expires_at: datetime | None = None
    provider_status: str | None = None
    progress: Progress | None = None
    error: JobError | None = None
    last_error: str | None = None


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[TimelineEvent, ...]
    next: str | None
    """None: there are no more yet."""


class Timeline(Protocol):
    def page(self, job_id: str, *, limit: int, after: str | None) -> EventPage:
        """At most `limit` events of the job and its endpoint, oldest first; `after` is the `next` of another page.

        Raises JobNotFoundError, RequestInvalidError for an `after` that is none, StoreUnavailableError.
        """
        ...
