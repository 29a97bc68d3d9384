"""A Tunedrop stack, as its users call it from Python."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tunedrop.client.connection import Connection, connected
from tunedrop.client.job import Job
from tunedrop.client.records import JobPage, read
from tunedrop.client.transport import Transport
from tunedrop.client.waiting import Waiting

if TYPE_CHECKING:
    import httpx

LARGEST_PAGE = 100


class Tunedrop:
    """The API at `url`, else at TUNEDROP_URL, by the caller's AWS credentials. May be used by threads.

    `profile` and `region` as in AWS's own tools; the region is only needed where the URL does not tell it. `timeout`:
    seconds that an answer may take. Raises ConfigurationError where something is missing.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        timeout: float = 35.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._timeout, self._transport = timeout, transport
        self.waiting = Waiting()
        self._of_profiles: dict[str, Tunedrop] = {}
        self._lock = threading.Lock()
        self._open(Connection(url, profile=profile, region=region))

    def _open(self, connection: Connection) -> None:
        self.connection = connection
        self.api = Transport(connection, timeout=self._timeout, transport=self._transport)

    def with_profile(self, profile: str | None) -> Tunedrop:
        """The same stack, called by the credentials of another profile; this one where it is its profile already."""
        if profile is None or profile == self.connection.profile:
            return self
        with self._lock:
            if profile not in self._of_profiles:
                self._of_profiles[profile] = self._with(connected(self.connection, profile))
            return self._of_profiles[profile]

    def _with(self, connection: Connection) -> Tunedrop:
        other = copy.copy(self)
        other._of_profiles, other._lock = {}, threading.Lock()
        other._open(connection)
        return other

    def finetune(
        self,
        *,
        model: str,
        train_data: Sequence[Mapping[str, Any]] | str | Path,
        train_data_format: str | None = None,
        train_kwargs: Mapping[str, Any] | None = None,
        provider: str | None = None,
        validation_data: Sequence[Mapping[str, Any]] | str | Path | None = None,
        progress: bool | None = None,
    ) -> Job:
        """Starts a fine-tuning job: it goes on in the account, whether this process does or not.

        `model`: `bedrock/amazon.nova-lite-v1`, `openai/gpt-4o-mini`, or a name that one provider knows. `train_data`:
        rows, a file's path, or an `s3://` URI that the stack can read. What can be known is checked before anything is
        uploaded. Raises TrainKwargsError, TrainingDataError, UploadError, ApiError, ConnectionFailedError;
        SubmissionInDoubtError where there may be a job all the same.
        """
        from tunedrop.client.submission import submit  # reading and checking rows takes a while to load

        return submit(
            self,
            model=model,
            train_data=train_data,
            train_data_format=train_data_format,
            train_kwargs=train_kwargs,
            provider=provider,
            validation_data=validation_data,
            progress=progress,
        )

    def attach(self, job_id: str) -> Job:
        """A job that was started anywhere, at any time. Raises NotFoundError where there is no such job."""
        return Job.attach(self, job_id)

    def jobs(
        self, *, status: str | None = None, provider: str | None = None, limit: int | None = None
    ) -> Iterator[Job]:
        """The jobs, newest first, asked for page by page as they are used. `limit`: at most so many, all by default."""
        if limit is not None and limit < 1:
            raise ValueError(f"limit must be at least 1, and is {limit}")
        return self._jobs(status, provider, limit)

    def _jobs(self, status: str | None, provider: str | None, left: int | None) -> Iterator[Job]:
        token: str | None = None
        while True:
            query = {"status": status, "provider": provider, "next_token": token}
            query["limit"] = str(min(left or LARGEST_PAGE, LARGEST_PAGE))
            page = read(self.api.request("GET", "/v1/jobs", query=query).document, JobPage)
            for record in page.jobs[:left]:
                yield Job(self, record)
            left = None if left is None else left - len(page.jobs)
            token = page.next_token
            if token is None or (left is not None and left <= 0):
                return

    def close(self) -> None:
        """Closes its connections, and those for other profiles. Jobs go on."""
        with self._lock:
            for other in self._of_profiles.values():
                other.close()
        self.api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        profile = f", profile={self.connection.profile!r}" if self.connection.profile else ""
        return f"Tunedrop({self.connection.url!r}{profile}, region={self.connection.region!r})"
