"""Plans a run by its seed: which fault each life of a worker ends with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Named points, in the order in which a worker passes them. Each is killed before it, within it,
# and after it; worker_process says which function each one is.
POINTS: Final = (
    *("open", "decode", "dead letters", "apply", "commit", "ack", "flags", "noted flags"),
)
MOMENTS: Final = ("before", "within", "after")
BLIND: Final = "blind"
# In place of a point: no fault, but every point is timed.
TIMED: Final = "timed"
SPARE: Final = "spare"
# Besides the kills: how many of each there are for 200 kills.
OTHERS: Final = {
    "SIGTERM": 5,
    "SIGSTOP": 2,
    "decoder killed": 4,
    "broker killed": 2,
    "broker away": 1,
    "second worker": 1,
    "other member": 2,
}
_KILLS: Final = 200
_NTH_MAX = 5
# The next worker waits ten seconds for the dead member of its group.
_SAME_GROUP: Final = 0.1
# Of these a life has few calls: not every transaction changes a flag.
_FEW: Final = {"open": 1, "dead letters": 3, "flags": 2, "noted flags": 2}
_AT_START: Final = 0.3
_START_SECONDS_MAX: Final = 6.0
_BLIND_SECONDS_MAX: Final = 4.0


@dataclass(frozen=True)
class Fault:
    """The fault that a life ends with.

    kind: a name of POINTS, BLIND, or one of OTHERS. moment: of a point. nth: of the calls of that
    point in this life. share: a number from 0 to 1 that says when within a call or a stretch of
    time. same_group: the next worker is of the same consumer group, which waits for the dead member
    to be given up; of a new group otherwise.
    """

    kind: str
    moment: str = ""
    nth: int = 1
    share: float = 0.5
    same_group: bool = False

    @property
    def name(self) -> str:
        """The fault as the figures name it."""
        return f"{self.kind}, {self.moment}" if self.moment else self.kind

    @property
    def is_kill(self) -> bool:
        """Say whether it is a SIGKILL of the worker."""
        return self.kind in POINTS or self.kind == BLIND

    @property
    def at_start(self) -> bool:
        """Say whether a blind fault comes while the worker starts, not while it records."""
        return self.share < _AT_START

    @property
    def seconds(self) -> float:
        """Seconds until a blind fault: from the start, or from where the worker reads."""
        if self.at_start:
            return 0.3 + self.share / _AT_START * _START_SECONDS_MAX
        return (self.share - _AT_START) / (1 - _AT_START) * _BLIND_SECONDS_MAX


def planned(seed: int, kills: int = _KILLS) -> list[Fault]:
    """Return so many kills, three quarters of them at named points, and the other faults.

    They come in an order that the seed says. Of few kills, each of the other faults comes once at
    the most, and the broker is not away for a minute.
    """
    chance = random.Random(seed)
    named = kills * 3 // 4
    moments = _moments(chance)
    faults = [
        _fault(chance, *moments[number % len(moments)], nth=chance.randint(1, _NTH_MAX))
        for number in range(named)
    ]
    faults += [_fault(chance, BLIND) for _ in range(kills - named)]
    for kind, count in OTHERS.items():
        faults += [_fault(chance, kind) for _ in range(count * kills // _KILLS)]
    chance.shuffle(faults)
    return faults


def _moments(chance: random.Random) -> list[tuple[str, str]]:
    """Return every moment of every point; the first so many have each point once."""
    found = []
    for later in range(len(MOMENTS)):
        turn = [
            (point, MOMENTS[(place + later) % len(MOMENTS)]) for place, point in enumerate(POINTS)
        ]
        chance.shuffle(turn)
        found += turn
    return found


def _fault(chance: random.Random, kind: str, moment: str = "", nth: int = 1) -> Fault:
    return Fault(
        kind,
        moment,
        min(nth, _FEW.get(kind, nth)),
        chance.random(),
        same_group=chance.random() < _SAME_GROUP,
    )


def kills_in(faults: Sequence[Fault]) -> int:
    """Return how many of the faults are kills."""
    return sum(fault.is_kill for fault in faults)
