"""Samples for the inner loop of what `make test` does in full."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], one_in: int) -> list[Any]:
    """Parameters of which the inner loop has one in so many; the others are marked slow.

    A tuple has the values of several names.
    """
    return [
        pytest.param(*_values(value), marks=[pytest.mark.slow] if number % one_in else [])
        for number, value in enumerate(values)
    ]


def _values(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
