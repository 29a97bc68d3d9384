"""`tunedrop endpoint start|stop|show`: what serves a job's tuned model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.choices import EndpointKind
from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect

if TYPE_CHECKING:
    from tunedrop.client.records import EndpointRecord

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until it is done, which is usual, or come back at once.")
]
WaitSeconds = Annotated[
    float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="Wait no longer than this; it goes on.")
]


def start(
    job_id: JobId,
    kind: Annotated[
        EndpointKind | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="on_demand or provisioned (Bedrock), serving (Databricks). By default what is free while idle.",
        ),
    ] = None,
    model_units: Annotated[
        int | None, typer.Option("--model-units", min=1, metavar="COUNT", help="How many; provisioned only.")
    ] = None,
    ttl_hours: Annotated[
        float | None,
        typer.Option(
            "--ttl-hours", metavar="HOURS", help="Stop it after so long. What bills while it is idle needs this."
        ),
    ] = None,
    wait: Wait = True,
    timeout: WaitSeconds = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Serve the model of a job that succeeded. Of one that is served already, --ttl-hours counts from now."""
    from tunedrop.client.cli.going_on import going_on

    with connect(url, profile, region) as tunedrop, going_on(f"tunedrop endpoint show {job_id}", "the endpoint"):
        job = tunedrop.attach(job_id)
        endpoint = job.start_endpoint(
            kind=kind, model_units=model_units, ttl_hours=ttl_hours, wait=wait, timeout=timeout
        )
    _print(endpoint, as_json=as_json)


def stop(
    job_id: JobId,
    wait: Wait = True,
    timeout: WaitSeconds = None,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Stop serving a job's model. The model stays, and can be served again."""
    from tunedrop.client.cli.going_on import going_on

    with connect(url, profile, region) as tunedrop, going_on(f"tunedrop endpoint show {job_id}", "the endpoint"):
        endpoint = tunedrop.attach(job_id).stop_endpoint(wait=wait, timeout=timeout)
    _print(endpoint, as_json=as_json)


def show(
    job_id: JobId,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show what serves a job's model: its status, what it costs, and what to call."""
    with connect(url, profile, region) as tunedrop:
        endpoint = tunedrop.attach(job_id).endpoint()
    _print(endpoint, as_json=as_json)


def _print(endpoint: EndpointRecord, *, as_json: bool) -> None:
    from tunedrop.client.cli.output import as_document, print_json, print_sections
    from tunedrop.client.cli.record_view import endpoint_sections

    if as_json:
        print_json(as_document(endpoint))
    else:
        print_sections(endpoint_sections(endpoint))
