"""Draws the cost of a batch as history grows: one small SVG, drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from benchmarks.figures import Point
from benchmarks.measurement.quantiles import quantile

__all__ = ["history_chart", "ticks"]

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 40, 48
_WINDOW = 11
_STYLE = (
    "text{font:12px sans-serif;fill:#57606a}.grid{stroke:#d0d7de;stroke-width:1}"
    ".batch{fill:#0969da;fill-opacity:.35}.median{fill:none;stroke:#0969da;stroke-width:2}"
    ".title{font-size:14px}"
)


def ticks(highest: float, count: int = 5) -> list[float]:
    """Give about `count` round numbers from 0 up to the first not below `highest`."""
    step = 10.0 ** math.floor(math.log10(highest / count))
    step *= next(by for by in (1, 2, 5, 10) if step * by * count >= highest)
    return [step * number for number in range(math.ceil(round(highest / step, 9)) + 1)]


def history_chart(batches: Sequence[Point]) -> str:
    """Draw seconds a batch over messages of history: a dot a batch, and their running median.

    Batches that took longer than twice the 95th percentile (checkpoints) are drawn at the top.
    """
    across = ticks(max(x for x, _ in batches) or 1.0)
    up = ticks(2 * quantile([y for _, y in batches], 0.95))

    def place(x: float, y: float) -> tuple[float, float]:
        wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + wide * x / across[-1], _HEIGHT - _BOTTOM - high * min(1.0, y / up[-1])

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text class="title" x="{_LEFT}" y="22">Seconds a batch, by messages recorded before it '
        "(dots), and their running median (line)</text>",
    ]
    for y in up:
        left, at = place(0, y)
        right, _ = place(across[-1], y)
        lines.append(
            f'<path class="grid" d="M{left:.1f} {at:.1f}H{right:.1f}"/>'
            f'<text x="{left - 8:.1f}" y="{at + 4:.1f}" text-anchor="end">{y:g}</text>'
        )
    for x in across:
        at, bottom = place(x, 0)
        lines.append(
            f'<text x="{at:.1f}" y="{bottom + 20:.1f}" text-anchor="middle">{_short(x)}</text>'
        )
    for x, y in batches:
        at, high = place(x, y)
        lines.append(f'<circle class="batch" cx="{at:.1f}" cy="{high:.1f}" r="2.5"/>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in _running_median(batches)))
    lines += [f'<polyline class="median" points="{path}"/>', "</svg>"]
    return "\n".join(lines) + "\n"


def _running_median(batches: Sequence[Point]) -> Iterator[Point]:
    for middle in range(len(batches)):
        near = batches[max(0, middle - _WINDOW // 2) : middle + _WINDOW // 2 + 1]
        yield batches[middle][0], quantile([y for _, y in near], 0.5)


def _short(messages: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if messages >= size:
            return f"{messages / size:g}{unit}"
    return f"{messages:g}"
