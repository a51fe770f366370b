"""Figures with their units, and the file that they are kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.errors import BenchmarkError

__all__ = ["Figure", "Outcome", "Results", "read_results", "write_results"]

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
    """What running one part came to.

    sizes: the options it was run with. machine: see `machine.describe`. seconds: of the whole
    part, preparation included. series: named lists of (x, y), for pictures.
    """

    figures: Sequence[Figure]
    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    sizes: Mapping[str, object] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)
    seconds: float = 0.0


Results = dict[str, Outcome]
"""Part name to what its latest run came to."""


def read_results(path: Path) -> Results:
    """Read what `write_results` wrote; no file: no results. Raises BenchmarkError for another."""
    if not path.exists():
        return {}
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
        return {name: _outcome(part) for name, part in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(
            f"{path} is no file of results ({type(error).__name__}); name another with --json"
        ) from error


def _outcome(part: Mapping[str, object]) -> Outcome:
    values = dict(part)
    figures = [Figure(**each) for each in values.pop("figures")]  # type: ignore[attr-defined]  # a list in our own files
    return Outcome(figures=figures, **values)  # type: ignore[arg-type]  # as we wrote them


def write_results(path: Path, results: Results) -> None:
    """Write all results as one JSON object: {"parts": {name: Outcome}}."""
    parts = {name: asdict(outcome) for name, outcome in results.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parts": parts}, indent=1) + "\n", encoding="utf-8")
