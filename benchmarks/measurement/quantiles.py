"""Reckons a few statistics, on plain lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.figures import Point

__all__ = ["median_near", "quantile"]


def quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least `share` (0 to 1) of all values do not exceed."""
    if not values:
        raise ValueError("there are no values")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def median_near(points: Sequence[Point], x: float, count: int) -> float:
    """Give the median of the y of the `count` points whose x are nearest to `x`."""
    nearest = sorted(points, key=lambda point: abs(point[0] - x))[:count]
    ranked = sorted(y for _, y in nearest)
    if not ranked:
        raise ValueError("there are no points")
    middle = len(ranked) // 2
    return ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
