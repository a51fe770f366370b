"""Holds what is accepted of damaged input to what another reader makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lineage.codec import DeadLetter, from_events, read_events
from streams.simulate import simulate
from tests.lineage.codec.examples import GOOD, content
from tests.lineage.events.alphabets import IDS

Event = dict[str, Any]
Content = Mapping[str, Sequence[tuple[Any, ...]]]

_MESSAGES = 300
_SEED = 11
_OF_A_TYPE_MAX = 400


@dataclass(frozen=True)
class Tried:
    """Counts of inputs: tried, accepted, and refused though the other reader reads them."""

    inputs: int = 0
    accepted: int = 0
    stricter: int = 0

    @property
    def share(self) -> float:
        """Return which part was accepted: what is refused is compared with nothing."""
        return self.accepted / max(1, self.inputs)

    def __add__(self, other: Tried) -> Tried:
        return Tried(
            self.inputs + other.inputs,
            self.accepted + other.accepted,
            self.stricter + other.stricter,
        )


class MismatchError(AssertionError):
    """Something was accepted that another reader does not read so."""


def same(found: Content, expected: Sequence[Event | None]) -> None:
    """Check that a batch's rows are those of the events, which are in the same order.

    Raises MismatchError, naming the first event that differs.
    """
    whole = from_events([event for event in expected if event is not None])
    if whole.dead_letters or len(whole.dead_letters) + whole.events != len(expected):
        place = next(
            index
            for index, event in enumerate(expected)
            if event is None or from_events([event]).dead_letters
        )
        raise MismatchError(f"{place} of {len(expected)} was accepted; it is {expected[place]!r}")
    rows = content(whole)
    for name, table in found.items():
        if table != rows[name]:
            pairs = zip(table, rows[name], strict=False)
            first = next((pair for pair in pairs if pair[0] != pair[1]), "fewer or more rows")
            raise MismatchError(f"{name}: {first!r}")


@cache
def examples() -> dict[str, list[Event]]:
    """Return events of each type: of a simulated log, and with odd ids."""
    found: dict[str, list[Event]] = {event["event"]: [event] for event in GOOD}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        simulate(_MESSAGES, _SEED, log)
        for item in read_events(log):
            if not isinstance(item, DeadLetter) and len(found[item[0].name]) < _OF_A_TYPE_MAX:
                found[item[0].name].append({**item[1], "event": item[0].name})
    for event in GOOD:
        id_field = next(name for name in event if name.endswith("_id"))
        found[event["event"]] += [{**event, id_field: one} for one in IDS]
    return found
