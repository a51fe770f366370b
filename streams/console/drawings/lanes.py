"""Lays out a route along time: x is the instant, and each dataset has a lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Lane", "Lanes", "Stop", "Way", "lanes"]

_LEFT, _RIGHT, _TOP, _LANE = 240.0, 40.0, 34.0, 40.0
_WIDTH = 920.0
_LANES_MAX = 40


@dataclass(frozen=True)
class Lane:
    """A dataset's lane, and what the dataset is."""

    dataset: str
    y: float
    mark: str


@dataclass(frozen=True)
class Stop:
    """An arrival, at its instant in its lane."""

    x: float
    y: float
    label: str
    is_breach: bool
    is_identifiable: bool


@dataclass(frozen=True)
class Way:
    """A line from a record to the one that it came to."""

    path: str


@dataclass(frozen=True)
class Lanes:
    """A drawing of a route. ticks: x and instant; left_out: lanes that are not drawn."""

    width: float
    height: float
    lanes: Sequence[Lane]
    stops: Sequence[Stop]
    ways: Sequence[Way]
    ticks: Sequence[tuple[float, Any]]
    left_out: int


def lanes(arrivals: Sequence[Mapping[str, Any]]) -> Lanes:
    """Lay out arrivals, in their order.

    Instants that lie far apart leave the others in a heap, so each instant has the same distance
    from the one before it; the axis names them.
    """
    every = list(dict.fromkeys(arrival["dataset"] for arrival in arrivals))
    datasets = {name: place for place, name in enumerate(every[:_LANES_MAX])}
    instants = sorted({arrival["arrived_at"] for arrival in arrivals})
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(instants) - 1, 1)
    x_of = {at: round(_LEFT + place * step, 1) for place, at in enumerate(instants)}
    y_of = {name: _TOP + _LANE * (place + 0.5) for name, place in datasets.items()}
    drawn = [arrival for arrival in arrivals if arrival["dataset"] in datasets]
    last: dict[tuple[str, str], tuple[float, float]] = {}
    ways: dict[str, Way] = {}
    for arrival in drawn:
        here = (x_of[arrival["arrived_at"]], y_of[arrival["dataset"]])
        for source in arrival["sources"]:
            if source in last:
                path = _curve(last[source], here)
                ways[path] = Way(path)
        last.setdefault((arrival["dataset"], arrival["record_id"]), here)
    shown = (
        instants
        if len(instants) <= 3
        else [instants[0], instants[len(instants) // 2], instants[-1]]
    )
    return Lanes(
        _WIDTH,
        _TOP + _LANE * len(datasets) + 10,
        [Lane(name, y_of[name], _mark(name, drawn)) for name in datasets],
        [_stop(arrival, x_of, y_of) for arrival in drawn],
        list(ways.values()),
        [(x_of[at], at) for at in shown],
        len(every) - len(datasets),
    )


def _stop(arrival: Mapping[str, Any], x_of: Mapping[Any, float], y_of: Mapping[str, float]) -> Stop:
    broken = f", breaks {', '.join(arrival['rules'])}" if arrival["rules"] else ""
    form = "identifiable" if arrival["identifiable"] else "declassified"
    label = f"{arrival['operation']} into {arrival['dataset']}, {form}{broken}"
    x, y = x_of[arrival["arrived_at"]], y_of[arrival["dataset"]]
    return Stop(x, y, label, bool(arrival["rules"]), arrival["identifiable"])


def _mark(name: str, arrivals: Sequence[Mapping[str, Any]]) -> str:
    last = next(each for each in reversed(arrivals) if each["dataset"] == name)
    if not last["declared"]:
        return "undeclared"
    if last["party"] == "THIRD":
        return "third"
    return "ai" if last["kind"] in ("TRAINING_CORPUS", "MODEL") else ""


def _curve(a: tuple[float, float], b: tuple[float, float]) -> str:
    middle = (a[0] + b[0]) / 2
    return f"M{a[0]:g},{a[1]:g} C{middle:g},{a[1]:g} {middle:g},{b[1]:g} {b[0]:g},{b[1]:g}"
