"""`tunedrop report`: what was found in the files of a job that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect

if TYPE_CHECKING:
    from tunedrop.training_data.readable import Section


def report(
    job_id: JobId,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show the report of a job that has ended: what was found in its files, and the price.

    It is read from S3, with the credentials of whoever asks. With --json it is the file report.json as it lies there.
    """
    from tunedrop.client.cli.output import print_json, print_sections
    from tunedrop.client.cli.record_view import job_sections

    with connect(url, profile, region) as tunedrop:
        job = tunedrop.attach(job_id)
        found = job.report()
    if as_json:
        print_json(found)
    else:
        print_sections([*job_sections(job.record)[:1], *_dataset(found)])


def _dataset(found: Mapping[str, Any]) -> list[Section]:
    import msgspec

    from tunedrop.training_data.readable import Section, readable
    from tunedrop.training_data.report import DatasetReport

    if found.get("dataset") is None:
        return [Section("Notes", (("", "The job ended before its files were read."),))]
    try:
        return readable(msgspec.convert(found["dataset"], DatasetReport))
    except msgspec.ValidationError:  # written by another version of the stack
        return [Section("Notes", (("", "This report can only be shown with --json."),))]
