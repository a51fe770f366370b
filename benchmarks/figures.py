"""Keeps figures with their units: one small file a part, and the points of a chart beside it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.errors import BenchmarkError

__all__ = ["Figure", "Outcome", "Results", "read_results", "write_outcome"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """One measured number.

    case: what was measured ("own mix, .avro"). name and unit: which quantity of it; the unit is
    empty for plain numbers and ratios.
    """

    case: str
    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True)
class Outcome:
    """The figures of one part.

    points: (x, y) of its chart, if it has one. sizes: the options it was run with. machine: see
    `machine.describe`. seconds: of the whole part, preparation included.
    """

    figures: Sequence[Figure]
    points: Sequence[Point] = ()
    sizes: Mapping[str, object] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0


Results = dict[str, Outcome]
"""Each part's name to the outcome of its latest run."""


def read_results(folder: Path) -> Results:
    """Read what `write_outcome` wrote; no folder: no results. Raises BenchmarkError for another."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}


def _read(path: Path) -> Outcome:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        figures = [Figure(*each) for each in values.pop("figures")]
        return Outcome(figures, _read_points(path.with_suffix(".csv")), **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(
            f"{path} is no file of results ({type(error).__name__}); name another with --json"
        ) from error


def _read_points(path: Path) -> list[Point]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [(float(x), float(y)) for x, y in csv.reader(file)]


def write_outcome(folder: Path, name: str, outcome: Outcome) -> None:
    """Write the outcome of a part: NAME.json, a line a figure; its points as NAME.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ([each.case, each.name, _short(each.value), each.unit] for each in outcome.figures)
    figures = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    fields = {"sizes": outcome.sizes, "machine": outcome.machine, "seconds": outcome.seconds}
    others = "".join(f',\n "{key}": {json.dumps(value)}' for key, value in fields.items())
    text = f'{{\n "figures": [\n  {figures}\n ]{others}\n}}\n'
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    points = folder / f"{name}.csv"
    points.unlink(missing_ok=True)
    if outcome.points:
        lines = (f"{_short(x)},{_short(y)}\n" for x, y in outcome.points)
        points.write_text("".join(lines), encoding="utf-8")


def _short(value: float) -> float:
    """Round to more digits than any table or chart shows."""
    if value == int(value):
        return int(value)
    return round(value, 4) if abs(value) >= 1 else float(f"{value:.6g}")
