"""Times questions to a database."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

__all__ = ["milliseconds"]

_TIMES = 5


def milliseconds(ask: Callable[[], object]) -> float:
    """Return the median of five times, after one that warms up."""
    ask()
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)
