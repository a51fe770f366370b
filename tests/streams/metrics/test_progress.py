"""A worker is ready when it has its partitions, and is not far behind."""

from __future__ import annotations

import pytest

from streams.metrics.progress import Lag, Progress

AT = ("t", 0)


@pytest.mark.parametrize(
    ("progress", "why"),
    [
        (Progress(), "the consumer group is rebalancing"),
        (Progress(False, 1), "not known yet of 1 partitions"),
        (Progress(False, 1, {AT: Lag(5, None)}), "t partition 0 is 5 records behind"),
        (Progress(False, 1, {AT: Lag(5, 61.0)}), "5 records and 61 s behind"),
        (Progress(False, 1, {AT: Lag(0, 0.0)}, away_seconds=7.0), "away for 7 s"),
    ],
)
def test_why_it_is_not_ready(progress: Progress, why: str) -> None:
    assert why in str(progress.why_not_ready(60))


def test_it_is_ready_a_little_behind() -> None:
    assert Progress(False, 2, {AT: Lag(0, 0.0), ("t", 1): Lag(9, 59.0)}).why_not_ready(60) is None
