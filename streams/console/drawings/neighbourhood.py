"""Lays out the datasets around one: what feeds it on the left, what it feeds on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.console.flows import Dataset, Flow

__all__ = ["Box", "Edge", "Neighbourhood", "neighbourhood"]

_BOX_WIDTH, _BOX_HEIGHT, _ACROSS, _DOWN = 250.0, 44.0, 330.0, 62.0
_BOXES_MAX = 12


@dataclass(frozen=True)
class Box:
    """A dataset's box."""

    dataset: Dataset
    x: float
    y: float
    is_centre: bool


@dataclass(frozen=True)
class Edge:
    """A line between two boxes."""

    flow: Flow
    path: str


@dataclass(frozen=True)
class Neighbourhood:
    """A drawing of what is near a dataset. left_out: datasets that are near, too, and not drawn."""

    width: float
    height: float
    box_width: float
    box_height: float
    boxes: Sequence[Box]
    edges: Sequence[Edge]
    left_out: int


def neighbourhood(
    name: str, flows: Sequence[Flow], datasets: Mapping[str, Dataset], depth: int
) -> Neighbourhood:
    """Lay out what is up to `depth` flows away from a dataset, at most some boxes a column.

    Of the flows between them those are drawn that lead one column to the right.
    """
    column = {name: 0}
    left_out = 0
    for side in (-1, 1):
        near = [name]
        for distance in range(1, depth + 1):
            found = _beside(near, flows, side, column)
            left_out += max(len(found) - _BOXES_MAX, 0)
            near = found[:_BOXES_MAX]
            column |= dict.fromkeys(near, side * distance)
    rows: dict[int, list[str]] = {}
    for each, number in column.items():
        rows.setdefault(number, []).append(each)
    tallest = max(map(len, rows.values()))
    first = min(rows)
    boxes = {
        each: Box(
            datasets[each],
            (number - first) * _ACROSS + 4,
            ((tallest - len(names)) / 2 + place) * _DOWN + 4,
            each == name,
        )
        for number, names in rows.items()
        for place, each in enumerate(names)
    }
    edges = [
        Edge(flow, _path(boxes[flow.source], boxes[flow.target]))
        for flow in flows
        if flow.source in column and column.get(flow.target) == column[flow.source] + 1
    ]
    width = (max(rows) - first) * _ACROSS + _BOX_WIDTH + 8
    height = tallest * _DOWN + 8
    return Neighbourhood(
        width, height, _BOX_WIDTH, _BOX_HEIGHT, list(boxes.values()), edges, left_out
    )


def _beside(
    near: Sequence[str], flows: Sequence[Flow], side: int, known: Mapping[str, int]
) -> list[str]:
    """Return what feeds the datasets (side -1), or what they feed (1); the largest flows first."""
    found = (
        (flow.target, flow.source) if side < 0 else (flow.source, flow.target) for flow in flows
    )
    return list(dict.fromkeys(other for own, other in found if own in near and other not in known))


def _path(source: Box, target: Box) -> str:
    middle = _BOX_HEIGHT / 2
    a, b = (source.x + _BOX_WIDTH, source.y + middle), (target.x, target.y + middle)
    bend = max(abs(b[0] - a[0]) / 2, 30)
    return (
        f"M{a[0]:g},{a[1]:g} C{a[0] + bend:g},{a[1]:g} {b[0] - bend:g},{b[1]:g} {b[0]:g},{b[1]:g}"
    )
