"""Tables: everything at 80 columns, and lines that programs can split in a pipe."""

from __future__ import annotations

import pytest

from tunedrop.client.cli import output
from tunedrop.client.cli.output import print_table

JOB = "jzvdoef3b2g5cia5vwgy4ufrw7"
HEADINGS = ("JOB", "STATUS", "AGE", "MODEL", "NAME")
LONG = (
    (
        JOB,
        "not_started",
        "12 min",
        "databricks/meta-llama/Llama-3.3-70B-Instruct",
        "support-answers-for-the-autumn-2026",
    ),
    (JOB, "cancelled", "3 d", "bedrock/amazon.nova-lite-v1:0:300k", "name " * 12),
)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(output, "on_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_a_table_of_real_values_fits_80_columns_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADINGS, LONG, whole=3)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == list(HEADINGS)
    assert sum(line.startswith(JOB) for line in lines) == 2
    shown = "".join("".join(lines[1:]).split())
    for row in LONG:
        for status_and_age in row[:3]:
            assert "".join(status_and_age.split()) in shown
    columns = [lines[0].index(heading) for heading in ("MODEL", "NAME")]
    models = "".join(line[columns[0] : columns[1]].strip() for line in lines[1:])
    assert models == LONG[0][3] + LONG[1][3]


def test_a_pipe_gets_a_line_for_each_row_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADINGS, LONG, whole=3)
    lines = capsys.readouterr().out.splitlines()
    assert [tuple(line.split("\t")) for line in lines] == [LONG[0], (*LONG[1][:4], LONG[1][4])]


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_value_cannot_forge_a_row_a_column_or_a_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, on_terminal: bool
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda: on_terminal)
    print_table(("A", "B"), [("x", "a\tb\x1b[31m\n[bold]c[/bold] :smile:")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split(maxsplit=1) == ["x", r"a\tb\x1b[31m [bold]c[/bold] :smile:"]
    assert len(lines) == 1 + on_terminal
