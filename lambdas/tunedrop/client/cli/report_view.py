"""A job, an endpoint or the report of a dataset for people: complete at 80 columns and in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from tunedrop.client.cli.printable import printable
from tunedrop.training_data.readable import Section, readable
from tunedrop.training_data.report import DatasetReport, FileProblems

NARROWEST_VALUE = 20
_INDENT = "  "
_GAP = "  "
_TITLE_STYLES = {"Warnings": "bold yellow"}


class SectionsView:
    """Rich prints it, with `crop=False`: sections of labels and values, in lines that end where their text ends.

    Nothing is cut.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self._sections = sections

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        pairs = [label for section in self._sections if not _is_list(section) for label, _ in section.rows]
        label_width = max(map(cell_len, pairs), default=0)
        for section in self._sections:
            yield Text(printable(section.title), style=_TITLE_STYLES.get(section.title, "bold"))
            for label, value in section.rows:
                if _is_list(section):
                    sentence = f"{label}: {value}" if label else value
                    yield from _lines(console, Text("-"), 1, " ", printable(sentence), options.max_width)
                else:
                    yield from _pair(console, printable(label), printable(value), label_width, options.max_width)
            yield Text()


class ReportView(SectionsView):
    """Of a dataset, without the problems of files that cannot be used: those go elsewhere, as lines of their own."""

    def __init__(self, report: DatasetReport) -> None:
        super().__init__([_without_problems(section, report) for section in readable(report)])


def _without_problems(section: Section, report: DatasetReport) -> Section:
    files = {"Training file": report.training, "Validation file": report.validation}
    if not isinstance(files.get(section.title), FileProblems):
        return section
    return Section(section.title, tuple((label, value) for label, value in section.rows if label))


def _is_list(section: Section) -> bool:
    """Whether the values are sentences; a label is then the file that the sentence is about."""
    return section.title in {"Changed or left out", "Warnings", "Notes"}


def _pair(console: Console, label: str, value: str, label_width: int, page_width: int) -> Iterator[Text]:
    """A value of one word that is too long for its column, such as a hash or a path, leaves it to stay in one piece."""
    name = Text(label, style="cyan")
    if " " not in value and cell_len(value) > page_width - len(_INDENT) - label_width - len(_GAP):
        yield Text.assemble(_INDENT, name, _GAP, value, no_wrap=True, overflow="ignore")
    else:
        yield from _lines(console, name, label_width, _GAP, value, page_width)


def _lines(console: Console, label: Text, label_width: int, gap: str, value: str, page_width: int) -> Iterator[Text]:
    width = max(page_width - len(_INDENT) - label_width - len(gap), NARROWEST_VALUE)
    for line in Text(value).wrap(console, width, overflow="fold"):
        line.rstrip()
        label.pad_right(label_width - label.cell_len)
        yield Text.assemble(_INDENT, label, gap, line)
        label = Text()
