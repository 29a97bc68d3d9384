"""`tunedrop plot`: the training loss of a job as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect
from tunedrop.client.cli.failures import ExitCode, UsageError

if TYPE_CHECKING:
    from tunedrop.client.records import JobRecord, MetricPoint

FORMATS = (".png", ".svg", ".pdf")
TITLE_COLUMNS = 80
"""More would not fit the picture."""


class NoMetrics(typer.TyperException):
    """There is nothing to draw; the message says why."""

    exit_code = ExitCode.REFUSED


def plot(
    job_id: JobId,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="The picture: a file that ends in .png, .svg or .pdf."),
    ],
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Draw the training loss of a job, step by step, into a file.

    It needs matplotlib: pip install 'tunedrop[plot]'. The file is there whole or not at all.
    """
    from tunedrop.client.cli.files import OutputFile
    from tunedrop.client.cli.output import print_json, print_line

    ending = "" if output.endswith("/") else Path(output).suffix.lower()
    if ending not in FORMATS:
        raise UsageError(f"--output ends in .png, .svg or .pdf, but is {output!r}.")
    if find_spec("matplotlib") is None:
        raise UsageError("Drawing needs matplotlib: pip install 'tunedrop[plot]'")
    with OutputFile(output, inputs=()) as picture:
        with connect(url, profile, region) as tunedrop:
            job = tunedrop.attach(job_id)
            curve = _curve(job.record, job.metrics())
        from tunedrop.client.cli.loss_picture import loss_picture

        picture.write(loss_picture(curve, title=_title(job.record), kind=ending.removeprefix(".")))
        picture.keep()
    if as_json:
        print_json({"job_id": job.job_id, "file": output, "points": len(curve)})
    else:
        print_line(f"{output}: {len(curve)} {'point' if len(curve) == 1 else 'points'}")


def _title(record: JobRecord) -> str:
    from textwrap import wrap

    words = (record.job_name or "", f"Job {record.job_id}", f"{record.provider}/{record.model}")
    return "\n".join(line for each in words for line in wrap(each, TITLE_COLUMNS))


def _curve(record: JobRecord, points: Sequence[MetricPoint]) -> list[tuple[int, float]]:
    """Steps in order with their loss, the last word on each. Raises NoMetrics."""
    known = {
        point.step: point.training_loss
        for point in points
        if point.step is not None and point.training_loss is not None
    }
    if known:
        return sorted(known.items())
    if record.status in ("not_started", "pending"):
        raise NoMetrics(f"Job {record.job_id} has no training loss yet: it is {record.status} ({record.phase}).")
    if record.status == "running":
        raise NoMetrics(f"Job {record.job_id} has no training loss yet: {record.provider} has told of none so far.")
    raise NoMetrics(f"Job {record.job_id} {record.status} without any training loss that {record.provider} told of.")
