"""Orders the rows of a route as a tree: each arrival once, below the record it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Arrival = Mapping[str, Any]  # the columns of Store.route
_Key = tuple[Any, ...]
_Record = tuple[Any, Any]

DRAWN_ABOVE = "also by this way; drawn above"
CYCLE = "back here by a cycle; drawn above"


@dataclass(frozen=True)
class Step:
    """An arrival as it comes in the tree.

    depth: 0 for a root. again: why the tree does not go on below it, where it has been drawn
    already (several ways lead to it, or a cycle); empty otherwise.
    """

    arrival: Arrival
    depth: int
    again: str = ""


@dataclass(frozen=True)
class RouteTree:
    """The arrivals of one message by key, and for each record what came from it."""

    arrivals: Mapping[_Key, Arrival]
    onward: Mapping[_Record, Sequence[_Key]]

    @classmethod
    def of(cls, rows: Sequence[Arrival]) -> RouteTree:
        """Read the rows of Store.route: one for each arrival and record that it came from."""
        arrivals: dict[_Key, Arrival] = {}
        onward: dict[_Record, list[_Key]] = {}
        for row in rows:
            key = (row["hop_id"], row["dataset"], row["record_id"])
            arrivals.setdefault(key, row)
            if row["source_record_id"] is not None:
                onward.setdefault((row["source"], row["source_record_id"]), []).append(key)
        return cls(arrivals, onward)

    def steps(self) -> Iterator[Step]:
        """Yield every step, an arrival before those that came from it; no arrival is left out."""
        drawn: set[_Key] = set()
        roots = [key for key, arrival in self.arrivals.items() if arrival["hop_id"] is None]
        for root in [*roots, *self.arrivals]:
            if root not in drawn:
                yield from self._below(root, drawn)

    def _below(self, root: _Key, drawn: set[_Key]) -> Iterator[Step]:
        # A stack of our own: a way can be longer than Python's.
        drawn.add(root)
        yield Step(self.arrivals[root], 0)
        path: list[_Key] = [root]
        on_path = {root}
        waiting = [self._next(root)]
        while waiting:
            key = next(waiting[-1], None)
            if key is None:
                waiting.pop()
                on_path.discard(path.pop())
            elif key in drawn:
                again = CYCLE if key in on_path else DRAWN_ABOVE
                yield Step(self.arrivals[key], len(path), again)
            else:
                drawn.add(key)
                yield Step(self.arrivals[key], len(path))
                path.append(key)
                on_path.add(key)
                waiting.append(self._next(key))

    def _next(self, key: _Key) -> Iterator[_Key]:
        """Yield the arrivals that came from this one: those that left its record no earlier."""
        arrival = self.arrivals[key]
        for onward in self.onward.get((arrival["dataset"], arrival["record_id"]), ()):
            if self.arrivals[onward]["arrived_at"] >= arrival["arrived_at"] and onward != key:
                yield onward
