from __future__ import annotations

import pytest

from benchmarks.measurement.quantiles import median_near, quantile


@pytest.mark.parametrize(
    ("share", "value"), [(0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (1, 100)]
)
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile(range(100, 0, -1), share) == value


def test_p99_of_few_is_the_worst() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_the_median_near_a_point_takes_the_nearest_and_leaves_the_rest() -> None:
    points = [(float(x), float(x)) for x in range(10)]
    assert median_near(points, 7, 3) == 7
    assert median_near(points, 9, 3) == 8
    assert median_near(points, 0, 4) == 1.5


def test_one_stalled_batch_does_not_move_the_median() -> None:
    assert median_near([(0, 1.0), (1, 99.0), (2, 1.0)], 1, 3) == 1.0


def test_nothing_has_no_quantile_and_no_median() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="no points"):
        median_near([], 0, 3)
