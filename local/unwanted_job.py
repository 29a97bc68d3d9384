"""The demo's fourth job: made over the API, its file sent to a signed URL, and cancelled when the provider has it."""

from __future__ import annotations

from pathlib import Path

from local.api_client import ApiClient
from tunedrop.domain.job import Job, Phase

PROVIDER, MODEL = "bedrock", "nova-micro"
_WITH_THE_PROVIDER = frozenset({Phase.QUEUED, Phase.TRAINING})


def create(api: ApiClient, file: Path) -> str:
    """Makes the job and uploads its file; the id of the job. Raises ApiError."""
    request = {"provider": PROVIDER, "model": MODEL, "training_file": file.name, "upload": True}
    created = api.post("/v1/jobs", request).expect(202)
    api.upload(created["uploads"]["training_file"], file.read_bytes()).expect(200)
    job_id: str = created["job_id"]
    return job_id


class Canceller:
    """Cancels a job over the API as soon as it is seen with the provider: a busy machine may see it train only late."""

    def __init__(self, api: ApiClient, job_id: str) -> None:
        self._api = api
        self._job_id = job_id
        self._done = False

    def __call__(self, job: Job) -> None:
        """Given each job at each look. Raises ApiError."""
        if job.job_id == self._job_id and job.phase in _WITH_THE_PROVIDER and not self._done:
            self._api.post(f"/v1/jobs/{job.job_id}/cancel").expect(200, 202)
            self._done = True
