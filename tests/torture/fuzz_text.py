"""Feeds damaged JSON lines and policy documents to their readers."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lineage.codec import from_json_lines
from lineage.codec.batch import CHILD_TABLES
from lineage.errors import PolicyError
from lineage.policy.parse import BUILT_IN_DOCUMENT, Policy, parse_policy
from tests.lineage.codec.examples import content
from tests.lineage.events.alphabets import RULES
from tests.lineage.events.builders import document
from tests.torture.fuzz_oracle import Event, MismatchError, Tried, examples, same
from tests.torture.mutations import mutated_text

_LINES = 1_000
_WHOLE_IN = 10
_DOCUMENTS = 20


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


def documents(chance: random.Random, folder: Path) -> Tried:
    """Try policy documents: what is accepted must say what PyYAML reads, all scalars as text."""
    accepted = 0
    good = _documents()
    for _ in range(_DOCUMENTS):
        text = _damaged(chance, chance.choice(good), chance.choice(good))
        try:
            found = parse_policy(text.decode(errors="replace"))
        except PolicyError:
            continue
        accepted += 1
        read: Any = yaml.load(text.decode(errors="replace"), yaml.BaseLoader)  # noqa: S506 - text alone
        if _of(found) != _of_yaml(read):
            raise MismatchError(f"{_of(found)} of a document that is {_of_yaml(read)}")
    return Tried(_DOCUMENTS, accepted)


def _damaged(chance: random.Random, text: bytes, other: bytes) -> bytes:
    """Return a damaged document; half of them in one character, which many survive."""
    if chance.random() < 0.5:
        return mutated_text(chance, text, other)
    at = chance.randrange(len(text))
    return text[:at] + bytes([chance.choice(text)]) + text[at + chance.randrange(2) :]


@cache
def _documents() -> list[bytes]:
    several = document(
        [(f"r{place}", "LOW", rule) for place, rule in enumerate(RULES[:8])],
        exempt_regions=["NO", "DE"],
        declassification=[("k-anonymity", 10), ("noise", 5)],
    )
    singles = [document([("r", "HIGH", rule)]) for rule in RULES]
    as_yaml = [yaml.safe_dump(json.loads(text)) for text in (several, *singles)]
    return [text.encode() for text in (BUILT_IN_DOCUMENT, several, *singles, *as_yaml)]


def _of(policy: Policy) -> dict[str, Any]:
    return {
        "paying_tiers": set(policy.paying_tiers),
        "ai_training_exempt_regions": set(policy.exempt_regions),
        "declassification": dict(policy.declassification),
        "rules": [(rule.id, rule.severity, rule.when) for rule in policy.rules],
    }


def _of_yaml(read: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a document says
    smallest: dict[str, int] = {}
    for entry in read["declassification"]:
        least = int(entry["min_k"], 0)
        smallest[entry["method"]] = min(least, smallest.get(entry["method"], least))
    return {
        "paying_tiers": set(read["paying_tiers"]),
        "ai_training_exempt_regions": set(read["ai_training_exempt_regions"]),
        "declassification": smallest,
        "rules": [(rule["id"], rule["severity"], rule["when"]) for rule in read["rules"]],
    }
