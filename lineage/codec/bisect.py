"""Converting what can be, by one vectorised call on as much as it bears."""

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
    """What `together` makes of the items, in their order, in as few pieces as can be; and the
    indices, ascending, of the items on which it raises `unfit` even alone.

    Where it raises, each half is tried, so what judges many items fast also finds the one that
    is wrong. For b such items among n it is called about b * log2(n) times. likely: where false,
    `together` would raise on the item; asked of each once the whole has raised, to raise less.
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
