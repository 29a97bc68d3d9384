"""`tunedrop cancel`: ends a job before its end."""

from __future__ import annotations

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect


def cancel(
    job_id: JobId,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a job. It is cancelled when the provider says so; one that finishes first wins."""
    from tunedrop.client.cli.output import as_document, print_json, print_line
    from tunedrop.client.cli.record_view import status_words

    with connect(url, profile, region) as tunedrop:
        record = tunedrop.attach(job_id).cancel()
    if as_json:
        print_json(as_document(record))
    else:
        print_line(f"{record.job_id}: {status_words(record.status, record.phase)}")
