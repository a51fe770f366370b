"""The next items are made while the present one is used, and errors come through."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lineage.ingest.prefetch import prefetch


def test_all_items_come_in_order() -> None:
    assert list(prefetch(range(1000))) == list(range(1000))
    assert list(prefetch([])) == []


def test_the_next_item_is_made_while_the_present_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for i in range(3):
            made[i].set()
            yield i

    working = prefetch(items(), depth=1)
    assert next(working) == 0
    assert made[1].wait(timeout=10)
    working.close()


def test_not_more_than_the_depth_is_made_ahead() -> None:
    made: list[int] = []
    ready = threading.Event()

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            if i == 3:
                ready.set()
            yield i

    working = prefetch(items(), depth=2)
    assert next(working) == 0
    assert ready.wait(timeout=10)
    # One is used, two are ready, and the fourth waits for its place.
    assert made == [0, 1, 2, 3]
    working.close()


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    working = prefetch(items())
    assert next(working) == 1
    with pytest.raises(ValueError, match="broken"):
        next(working)


def test_closing_ends_the_thread() -> None:
    before = set(threading.enumerate())
    working = prefetch(iter(int, 1))
    next(working)
    assert set(threading.enumerate()) > before
    working.close()
    assert set(threading.enumerate()) <= before
