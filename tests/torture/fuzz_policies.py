"""Feeds policy documents to their reader, and what is accepted to the tracker and the reference."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from lineage.errors import PolicyError
from lineage.policy.parse import BUILT_IN_DOCUMENT, Policy, parse_policy
from tests.lineage.events.alphabets import RULES
from tests.lineage.events.builders import Event, consent, declared, document, hop, message, party
from tests.lineage.semantics import reference
from tests.lineage.semantics.observed import rows
from tests.lineage.semantics.reference_log import Log
from tests.lineage.semantics.reference_log import Policy as Expected
from tests.stores import new_store
from tests.torture.fuzz_oracle import MismatchError, Tried
from tests.torture.fuzz_rules import drawn_document
from tests.torture.mutations import mutated_text

_DOCUMENTS = 20
_BEGIN = datetime(2024, 9, 18)


def documents(chance: random.Random, folder: Path) -> Tried:
    """Try documents: what is accepted must say what PyYAML reads, and flag what the oracle does.

    Three fifths are as a grammar draws them, the others damaged.
    """
    accepted: list[Policy] = []
    texts: list[str] = []
    good = _documents()
    for _ in range(_DOCUMENTS):
        text = drawn_document(chance).encode()
        if chance.random() < 0.4:
            text = _damaged(chance, chance.choice((text, *good)), chance.choice(good))
        told = text.decode(errors="replace")
        try:
            found = parse_policy(told)
        except PolicyError:
            continue
        accepted.append(found)
        texts.append(told)
        read: Any = yaml.load(told, yaml.BaseLoader)  # noqa: S506 - text alone
        if _of(found) != _of_yaml(read):
            raise MismatchError(f"{_of(found)} of a document that is {_of_yaml(read)}")
    _check_flags(accepted, texts)
    return Tried(_DOCUMENTS, len(accepted))


def _check_flags(policies: Sequence[Policy], texts: Sequence[str]) -> None:
    """Put the policies in force, a day each, and compare the flags. Raises MismatchError."""
    log = Log([event for day in range(len(policies)) for event in _events(day)])
    log.policies = [_expected(policy, day) for day, policy in enumerate(policies)]
    judged = _judged(log)
    # What DuckDB cannot evaluate as a whole, the tracker can in part: the oracle has no answer.
    unknown = {policy.policy_id for _, policy, facts in judged if not _evaluates(policy, facts)}
    known = [one for one in judged if one[1].policy_id not in unknown]
    expected = set(reference.flags_of(known))
    with new_store() as store:
        for day, text in enumerate(texts):
            applied = store.apply([*_events(day), _published(text, day)])
            if applied.dead_letters:
                raise MismatchError(f"{applied.dead_letters[0].reason}: {text!r}")
        found = {
            row for row in rows(store, "flag", reference.FLAG_COLUMNS) if row[4] not in unknown
        }
    if found != expected:
        one = min(found ^ expected, key=repr)
        rules = {rule.id: rule.when for rule in policies[int(one[4][1:])].rules}
        told = "the tracker" if one in found else "the oracle"
        raise MismatchError(f"{one} is told by {told} alone: {rules.get(one[0])!r}")


def _judged(log: Log) -> list[tuple[reference.Arrival, Expected, tuple[Any, ...]]]:
    return [
        (
            arrival,
            reference.policy_as_of(log, arrival.arrived_at),
            tuple(reference.facts_of(log, arrival).values()),
        )
        for arrival in reference.arrivals(log)
    ]


def _evaluates(policy: Expected, facts: tuple[Any, ...]) -> bool:
    try:
        for _, _, when in policy.rules:
            reference.breaks(when, facts)
    except duckdb.Error:
        return False
    return True


def _events(day: int) -> list[Event]:
    """Messages of a day, and where they went: eight arrivals, hardly any two with equal facts."""
    paying = party("SENDER", "ann", tier="RECRUITER", region="DE")
    others = [paying, party("RECIPIENT", "bob", region="US", ai=False, third=False)]
    a, b = f"a{day}", f"b{day}"
    hops = [
        hop(
            f"h{day}", "inbox", "lake", [a, b], moved_at=_at(day, 2), declassification=("noise", 6)
        ),
        hop(f"i{day}", "lake", "sink", [a, b], moved_at=_at(day, 4), operation="EXPORT"),
        hop(f"j{day}", "inbox", "corpus", [a, b], ["o"], moved_at=_at(day, 6), operation="TRAIN"),
    ]
    known = [
        declared(f"d{day}", "sink", "SINK", "THIRD", "O'Brien & Söhne", declared_at=_at(day, 3)),
        declared(f"e{day}", "corpus", "TRAINING_CORPUS", declared_at=_at(day, 5)),
        consent(f"c{day}", "bob", granted=day % 2 == 0, effective_at=_at(day, 3)),
    ]
    return [
        message(a, sent_at=_at(day, 1), parties=others),
        message(b, sent_at=_at(day, 1), channel="DIRECT"),
        *hops,
        *known,
    ]


def _at(day: int, minute: int) -> str:
    at = _BEGIN + timedelta(days=day, minutes=minute)
    return f"{at.isoformat(timespec='microseconds')}Z"


def _published(text: str, day: int) -> Event:
    return {
        "event": "PolicyPublished",
        "policy_id": f"p{day}",
        "effective_at": _at(day, 0),
        "disclosed_at": _at(day, 3),
        "document": text,
    }


def _expected(policy: Policy, day: int) -> Expected:
    return Expected(
        policy_id=f"p{day}",
        effective_at=_BEGIN + timedelta(days=day),
        disclosed_at=_BEGIN + timedelta(days=day, minutes=3),
        paying_tiers=frozenset(policy.paying_tiers),
        exempt_regions=frozenset(policy.exempt_regions),
        accepted=tuple(policy.declassification.items()),
        rules=tuple((rule.id, rule.severity, rule.when) for rule in policy.rules),
    )


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
