"""Bisects a batch to isolate the items that a vectorised call rejects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def convert(
    items: Sequence[T],
    together: Callable[[Sequence[T]], R],
    unfit: tuple[type[BaseException], ...],
    likely: Callable[[T], bool] | None = None,
) -> tuple[list[R], list[int]]:
    """Convert items by `together`, a vectorised call, leaving out those that it rejects.

    Returns the results of `together` on the items, in their order, in as few pieces as can be; and
    the indices, ascending, of the items on which it raises `unfit` even alone.

    Where `together` raises, each half is tried: so a call that judges many items fast also finds
    the one that is wrong. For b such items among n there are about b * log2(n) calls. likely:
    where false, `together` would raise on the item; asked of each item once the whole has raised,
    to raise less often.
    """
    if likely is not None:
        try:
            return [together(items)], []
        except unfit:
            hopeful = [i for i, item in enumerate(items) if likely(item)]
        pieces, wrong = convert([items[i] for i in hopeful], together, unfit)
        good = set(hopeful).difference(hopeful[i] for i in wrong)
        return pieces, [i for i in range(len(items)) if i not in good]
    pieces = []
    bad: list[int] = []
    untried = [(0, len(items))]
    while untried:
        start, end = untried.pop()
        if start == end:
            continue
        try:
            pieces.append(together(items[start:end]))
        except unfit:
            if end - start == 1:
                bad.append(start)
                continue
            middle = (start + end) // 2
            untried += [(middle, end), (start, middle)]
    return pieces, bad
