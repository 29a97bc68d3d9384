"""`tunedrop show`: one job."""

from __future__ import annotations

from typing import Annotated

import typer

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect


def show(
    job_id: JobId,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Have the provider asked now; the answer is there a moment later.")
    ] = False,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show a job: its status, its model, what it trains on, and why it failed, if it did."""
    from tunedrop.client.cli.output import as_document, print_json, print_sections
    from tunedrop.client.cli.record_view import job_sections

    with connect(url, profile, region) as tunedrop:
        job = tunedrop.attach(job_id)
        record = job.refresh(ask_provider=True) if refresh else job.record
    if as_json:
        print_json(as_document(record))
    else:
        print_sections(job_sections(record))
