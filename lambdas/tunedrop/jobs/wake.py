"""Wake: somebody has a reason to look at a job before its interval is over. A wake-up is never news in itself: the
provider is asked before anything is believed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from tunedrop.domain.errors import JobNotFoundError
from tunedrop.domain.job import Job
from tunedrop.domain.ports import Clock, JobStore, TaskTokens

REFRESH_INTERVAL = timedelta(seconds=30)
"""The provider is not asked more often than this because somebody asked for fresh words."""


class NewsHeard(StrEnum):
    """What became of news about a job."""

    WOKEN = "woken"
    ENDED = "ended"
    """The job had ended, so that nothing was left to look at."""
    UNKNOWN = "unknown"
    """No job of this stack."""


class JobIndex(Protocol):
    """The jobs by the id that their provider gave them."""

    def job_ids(self, provider_job_id: str) -> Collection[str]:
        """Of the jobs with this id; empty for one that no job has, or has had for less than a second or so."""
        ...


@dataclass(frozen=True, kw_only=True)
class WakeJob:
    """First the reason is counted, then the wait is ended: a wait that begins in between finds the count and is over
    at once, so that no wake-up is lost."""

    store: JobStore
    tokens: TaskTokens
    clock: Clock

    def __call__(self, job_id: str) -> None:
        """Raises JobNotFoundError."""
        token = self.store.wake(job_id, at=self.clock.now())
        if token is not None:
            self.tokens.send(token)


@dataclass(frozen=True, kw_only=True)
class RefreshJob:
    store: JobStore
    tokens: TaskTokens
    clock: Clock

    def __call__(self, job_id: str) -> Job:
        """The record as it is; what the provider says stands in it a moment later. Raises JobNotFoundError."""
        job = self.store.get(job_id)
        if not job.is_final:
            now = self.clock.now()
            token = self.store.wake(job_id, at=now, quiet_since=now - REFRESH_INTERVAL)
            if token is not None:
                self.tokens.send(token)
        return job


@dataclass(frozen=True, kw_only=True)
class HearNews:
    """News come at least once and in any order, also of jobs that have ended and of jobs that are not ours."""

    store: JobStore
    wake: WakeJob

    def __call__(self, job_id: str) -> NewsHeard:
        try:
            if self.store.get(job_id).is_final:
                return NewsHeard.ENDED
            self.wake(job_id)
        except JobNotFoundError:
            return NewsHeard.UNKNOWN
        return NewsHeard.WOKEN


@dataclass(frozen=True, kw_only=True)
class HearProviderNews:
    """News that name a job as its provider does."""

    index: JobIndex
    hear: HearNews

    def __call__(self, provider_job_id: str) -> dict[str, NewsHeard]:
        """What became of the news, by our job ids; empty where no job has this id."""
        return {job_id: self.hear(job_id) for job_id in self.index.job_ids(provider_job_id)}
