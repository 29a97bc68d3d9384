"""`tunedrop watch`: follows a job to its end."""

from __future__ import annotations

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect
from tunedrop.client.cli.following import Timeout


def watch(
    job_id: JobId,
    timeout: Timeout = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Follow a job to its end, and its endpoint until it is up, with the training's loss as a chart.

    On a terminal the view is redrawn in place. In a pipe it is a line for each change. With --json there is the job as
    it ended, and nothing before. Ctrl-C leaves the job running.
    """
    from tunedrop.client.cli.following import follow

    with connect(url, profile, region) as tunedrop:
        follow(tunedrop.attach(job_id), timeout=timeout, as_json=as_json)
