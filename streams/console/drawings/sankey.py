"""Lays out flows between datasets: bars in columns, and bands between them as wide as the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from streams.console.drawings.layers import layers_of
from streams.console.flows import Dataset, Flow

__all__ = ["Band", "Bar", "Sankey", "sankey"]

_COLUMN, _BAR, _GAP, _TOP = 225.0, 12.0, 34.0, 14.0
_BAND_MIN, _BAND_MAX = 1.5, 26.0


@dataclass(frozen=True)
class Bar:
    """A dataset's bar, with its name on its right."""

    dataset: Dataset
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Band:
    """The band of a flow."""

    flow: Flow
    path: str
    width: float
    mark: str


@dataclass(frozen=True)
class Sankey:
    """A drawing of flows."""

    width: float
    height: float
    bar_width: float
    bars: Sequence[Bar]
    bands: Sequence[Band]


def sankey(flows: Sequence[Flow], datasets: Mapping[str, Dataset]) -> Sankey:
    """Lay out flows. A band is as wide as the root of its hops, so that small ones are seen."""
    layer = layers_of(flows)
    most = sqrt(max((flow.hops for flow in flows), default=1))
    width = {flow: max(_BAND_MIN, _BAND_MAX * sqrt(flow.hops) / most) for flow in flows}
    leaving = {n: sum(width[f] for f in flows if f.source == n) for n in layer}
    coming = {n: sum(width[f] for f in flows if f.target == n) for n in layer}
    column: dict[int, list[str]] = {}
    for name in sorted(layer, key=lambda n: (layer[n], datasets[n].mark, n)):
        column.setdefault(layer[name], []).append(name)
    bars: dict[str, Bar] = {}
    for number, names in column.items():
        y = _TOP
        for name in names:
            height = max(leaving[name], coming[name], 4.0)
            bars[name] = Bar(datasets[name], number * _COLUMN, y, height)
            y += height + _GAP
    bottom = max((bar.y + bar.height for bar in bars.values()), default=_TOP)
    return Sankey(
        max(len(column), 4) * _COLUMN,
        bottom + _GAP,
        _BAR,
        list(bars.values()),
        _bands(flows, bars, width),
    )


def _bands(
    flows: Sequence[Flow], bars: Mapping[str, Bar], width: Mapping[Flow, float]
) -> list[Band]:
    out = {name: bar.y for name, bar in bars.items()}
    into = dict(out)
    bands = []
    for flow in sorted(flows, key=lambda f: (bars[f.target].y, bars[f.source].y, f.source)):
        source, target, wide = bars[flow.source], bars[flow.target], width[flow]
        from_y, to_y = out[flow.source] + wide / 2, into[flow.target] + wide / 2
        out[flow.source] += wide
        into[flow.target] += wide
        from_x, to_x = source.x + _BAR, target.x
        reach = max(abs(to_x - from_x) / 2, 40)
        path = (
            f"M{from_x:g},{from_y:.1f} C{from_x + reach:g},{from_y:.1f}"
            f" {to_x - reach:g},{to_y:.1f} {to_x:g},{to_y:.1f}"
        )
        bands.append(Band(flow, path, round(wide, 1), target.dataset.mark))
    return bands
