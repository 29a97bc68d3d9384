"""`tunedrop list`: the jobs, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.choices import Provider, Status
from tunedrop.client.cli.connecting import AsJson, Profile, Region, Url, connect

if TYPE_CHECKING:
    from tunedrop.client.records import JobRecord


def list_jobs(
    status: Annotated[
        Status | None,
        typer.Option(
            "--status",
            "-s",
            metavar="STATUS",
            help="Only these: not_started, pending, running, succeeded, failed or cancelled.",
        ),
    ] = None,
    provider: Annotated[
        Provider | None,
        typer.Option("--provider", "-p", metavar="PROVIDER", help="Only those at openai, bedrock or databricks."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="COUNT", help="At most so many; 20 by default.")
    ] = 20,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many there are.")] = False,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs, newest first.

    On a terminal as a table. In a pipe as a line for each job, with tabs between its id, status, phase, provider,
    model, time of creation and name.
    """
    from tunedrop.client.cli.output import as_document, on_terminal, print_json, print_table

    with connect(url, profile, region) as tunedrop:
        found = tunedrop.jobs(status=status, provider=provider, limit=None if everything else limit)
        records = [job.record for job in found]
    if as_json:
        print_json({"jobs": [as_document(record) for record in records]})
    elif on_terminal():
        print_table(("JOB", "STATUS", "AGE", "MODEL", "NAME"), [_row(record) for record in records], whole=3)
    else:
        print_table((), [_line(record) for record in records])


def _row(record: JobRecord) -> tuple[str, ...]:
    from tunedrop.client.cli.times import span

    age = span(datetime.now(UTC) - record.created_at)
    return record.job_id, record.status, age, f"{record.provider}/{record.model}", record.job_name or ""


def _line(record: JobRecord) -> tuple[str, ...]:
    created = f"{record.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return (
        record.job_id,
        record.status,
        record.phase,
        record.provider,
        record.model,
        created,
        record.job_name or "",
    )
