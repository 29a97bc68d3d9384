"""`tunedrop retry`: the same training once more."""

from __future__ import annotations

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect
from tunedrop.client.cli.following import Timeout, Watch


def retry(
    job_id: JobId,
    watch: Watch = False,
    timeout: Timeout = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Train again on the files of a job that failed or was cancelled. It becomes a new job.

    The new job's id is the first line of the output.
    """
    from tunedrop.client.cli.following import hand_over

    with connect(url, profile, region) as tunedrop:
        job = tunedrop.attach(job_id).retry()
        hand_over(job, watch=watch, timeout=timeout, as_json=as_json)
