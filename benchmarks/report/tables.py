"""Makes tables of figures: on a terminal, in a pipe, in Markdown."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, Outcome, Results

__all__ = ["Table", "fill", "markdown", "number", "show", "table"]

_CHART = "![Seconds a batch, by messages recorded before it](pictures/history.svg)"


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column is what was measured, the others are numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def number(value: float) -> str:
    """Give a number with three digits that count, large ones whole and grouped."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> Table:
    """Make one row a case and one column a quantity, both in the order in which they first come."""
    quantities = list(dict.fromkeys((each.name, each.unit) for each in figures))
    cases = list(dict.fromkeys(each.case for each in figures))
    values = {(each.case, each.name, each.unit): each.value for each in figures}
    columns = ["", *(f"{name}, {unit}" if unit else name for name, unit in quantities)]
    rows = [
        [
            case,
            *(
                number(values[case, name, unit]) if (case, name, unit) in values else ""
                for name, unit in quantities
            ),
        ]
        for case in cases
    ]
    return Table(columns, rows)


def turned(what: Table) -> Table:
    """Swap rows and columns: most parts have few cases and many quantities."""
    whole = [what.columns, *what.rows]
    columns, *rows = (list(each) for each in zip(*whole, strict=True))
    return Table(columns, rows)


def show(title: str, outcome: Outcome) -> None:
    """Write a part's figures to stdout: a table on a terminal, aligned columns in a pipe."""
    what = turned(table(outcome.figures))
    if sys.stdout.isatty():
        _show_rich(title, what)
    else:
        sys.stdout.write(f"{title}\n{aligned(what)}\n")
        sys.stdout.flush()


def _show_rich(title: str, what: Table) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    grid = RichTable(box=box.SIMPLE_HEAD, title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(what.columns):
        grid.add_column(column, justify="right" if place else "left")
    for row in what.rows:
        grid.add_row(*row)
    Console().print(grid)


def aligned(what: Table) -> str:
    """Give the table as lines of text, numbers flush right."""
    whole = [what.columns, *what.rows]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    lines = []
    for row in whole:
        first, *rest = (
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *rest]).rstrip() + "\n")
    return "".join(lines)


def markdown(what: Table) -> str:
    """Give the table in Markdown."""
    marks = ["---", *("---:" for _ in what.columns[1:])]
    rows = [what.columns, marks, *what.rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def fill(text: str, results: Results) -> str:
    """Put tables between the marks `<!-- bench PART -->` and `<!-- end -->` of a document.

    A part without results gets a line that says so. Anything outside the marks stays.
    """

    def put(found: re.Match[str]) -> str:
        name = found["part"]
        body = _measured(results[name]) if name in results else "Not measured yet.\n"
        return f"<!-- bench {name} -->\n{body}<!-- end -->"

    return re.sub(r"<!-- bench (?P<part>\w+) -->\n.*?<!-- end -->", put, text, flags=re.DOTALL)


def _measured(outcome: Outcome) -> str:
    machine, sizes = outcome.machine, outcome.sizes
    where = ", ".join(
        f"{machine[key]}{unit}"
        for key, unit in (("cpu", ""), ("cores", " cores"), ("memory_gib", " GiB"))
        if key in machine
    )
    used = ", ".join(f"{name} {value:,}" for name, value in sizes.items())
    load = f"; load before it {machine['load']}" if "load" in machine else ""
    python = f"; Python {machine['python']}" if "python" in machine else ""
    chart = f"\n{_CHART}\n" if outcome.points else ""
    grid = markdown(turned(table(outcome.figures)))
    return f"{grid}{chart}\nOn {where}{python}{load}; sizes: {used}.\n"
