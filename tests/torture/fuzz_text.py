"""Feeds damaged JSON lines to their reader."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

from lineage.codec import from_json_lines
from lineage.codec.batch import CHILD_TABLES
from tests.lineage.codec.examples import content
from tests.torture.fuzz_oracle import Event, MismatchError, Tried, examples, same
from tests.torture.mutations import mutated_text

_LINES = 1_000
_WHOLE_IN = 10


def json_lines(chance: random.Random, folder: Path) -> Tried:
    """Try lines of a log: what is accepted must say what the json module reads."""
    good = _lines()
    lines = [
        line
        if chance.randrange(_WHOLE_IN) == 0
        else mutated_text(chance, line, chance.choice(good)).replace(b"\n", b" ")
        for line in chance.choices(good, k=_LINES)
    ]
    batch = from_json_lines(lines, "log", first_position=0)
    accepted = sorted(
        position
        for table in CHILD_TABLES
        for position in getattr(batch, table)["position"].to_list()
    )
    letters = {letter.position for letter in batch.dead_letters}
    blank = {index for index, line in enumerate(lines) if not line.strip()}
    if letters | blank | set(accepted) != set(range(len(lines))) or letters & set(accepted):
        raise MismatchError("a line is neither an event nor a dead letter, or both")
    same(content(batch), [_loaded(lines[index]) for index in accepted])
    return Tried(len(lines), len(accepted))


@cache
def _lines() -> list[bytes]:
    return [
        json.dumps(event, ensure_ascii=False).encode()
        for events in examples().values()
        for event in events
    ]


def _loaded(line: bytes) -> Event | None:
    """Return what the json module reads; None where it reads no object."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
