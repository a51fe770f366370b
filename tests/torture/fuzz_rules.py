"""Draws rules and policy documents that are mostly valid: by a grammar over the facts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Final

import yaml

from tests.lineage.events.alphabets import DATASETS, KINDS, METHODS, OPERATIONS, REGIONS, SEVERITIES
from tests.lineage.events.builders import PAYING_TIERS, document

Chance = random.Random
_RULES_MAX: Final = 4
_DEPTH_MAX: Final = 3

_TRUTHS: Final = (
    *("confidential", "exempt_region", "ai_training_consent", "third_party_consent"),
    *("declared", "identifiable", "disclosed", "true", "false", "null"),
)
_TEXTS: Final = (*("message_id", "channel", "dataset", "kind", "party", "recipient", "operation"),)
_LITERALS: Final = (
    *("INMAIL", "DIRECT", "THIRD", "FIRST", "Acme", "a", "A1", "", "é", "O''Brien", "%", "a_"),
    *DATASETS[:6], *KINDS, *OPERATIONS,
)  # fmt: skip
_SEARCHES: Final = ("starts_with", "ends_with", "contains", "prefix", "suffix")
_LIKES: Final = ("like", "ilike")
_PATTERNS: Final = ("%", "a%", "%1", "_", "%o%", "in%x", "a_", "%A%", "", "%i_b%")
_COMPARISONS: Final = ("=", "<>", "<", ">", "<=", ">=")
_DISTINCT: Final = ("is distinct from", "is not distinct from")
_INSTANTS: Final = (
    *("'2024-09-18 00:00:00'", "TIMESTAMP '2024-09-20 00:01:00'", "'2024-09-25T02:00:00+02:00'"),
    *("'2024-09-22T00:02:00Z'", "TIMESTAMP '2024-10-01 00:00:00'"),
)
_FIELDS: Final = ("year", "month", "day", "hour", "minute", "dayofweek", "quarter", "week")


def drawn_document(chance: Chance) -> str:
    """Draw a document, as JSON or as YAML."""
    rules = [
        (f"r{place}", chance.choice(SEVERITIES), drawn_rule(chance))
        for place in range(chance.randint(1, _RULES_MAX))
    ]
    tiers = [tier for tier in ("FREE", *PAYING_TIERS) if chance.random() < 0.5]
    accepted = [(chance.choice(METHODS), chance.randrange(12)) for _ in range(chance.randrange(3))]
    regions = [region for region in REGIONS if chance.random() < 0.4]
    text = document(rules, paying_tiers=tiers, exempt_regions=regions, declassification=accepted)
    return text if chance.random() < 0.5 else yaml.safe_dump(json.loads(text), allow_unicode=True)


def drawn_rule(chance: Chance) -> str:
    """Draw a rule; hardly any fails, whatever the facts are."""
    return _truth(chance, chance.randint(1, _DEPTH_MAX))


def _truth(chance: Chance, depth: int) -> str:
    if depth == 0:
        return chance.choice(_TRUTHS)
    return chance.choice(_TRUTH_FORMS)(chance, depth - 1)


def _text(chance: Chance, depth: int) -> str:
    if depth == 0 or chance.random() < 0.5:
        return chance.choice(_TEXTS) if chance.random() < 0.7 else _literal(chance)
    return chance.choice(_TEXT_FORMS)(chance, depth - 1)


def _number(chance: Chance, depth: int) -> str:
    if depth == 0 or chance.random() < 0.3:
        return str(chance.randrange(-3, 40))
    return chance.choice(_NUMBER_FORMS)(chance, depth - 1)


def _instant(chance: Chance, depth: int) -> str:
    if depth == 0 or chance.random() < 0.6:
        return "arrived_at"
    unit, count = chance.choice(("days", "hours", "minutes", "months")), chance.randrange(40)
    sign = chance.choice("+-")
    return f"arrived_at {sign} INTERVAL {count} {unit}"


def _literal(chance: Chance) -> str:
    return f"'{chance.choice(_LITERALS)}'"


def _compared(chance: Chance, depth: int, of: Callable[[Chance, int], str]) -> str:
    sign = chance.choice(_COMPARISONS if chance.random() < 0.8 else _DISTINCT)
    return f"{of(chance, depth)} {sign} {of(chance, depth)}"


def _listed(chance: Chance) -> str:
    some = [_literal(chance) for _ in range(chance.randint(1, 4))]
    return ", ".join(some if chance.random() < 0.9 else [*some, "null"])


def _not(chance: Chance) -> str:
    return chance.choice(("", "not "))


_TRUTH_FORMS: Final[tuple[Callable[[Chance, int], str], ...]] = (
    lambda c, d: f"({_truth(c, d)} and {_truth(c, d)})",
    lambda c, d: f"({_truth(c, d)} or {_truth(c, d)})",
    lambda c, d: f"not ({_truth(c, d)})",
    lambda c, d: f"({_truth(c, d)}) {c.choice(('=', '<>', *_DISTINCT))} ({_truth(c, d)})",
    lambda c, d: f"({_compared(c, d, _text)})",
    lambda c, d: f"({_compared(c, d, _number)})",
    lambda c, d: f"({_instant(c, d)} {c.choice(_COMPARISONS)} {c.choice(_INSTANTS)})",
    lambda c, d: f"{_text(c, d)} {_not(c)}in ({_listed(c)})",
    lambda c, d: f"({_text(c, d)}) is {_not(c)}null",
    lambda c, d: (
        f"{c.choice(_TEXTS)} {_not(c)}{c.choice(('like', 'ilike'))} '{c.choice(_PATTERNS)}'"
    ),
    lambda c, d: f"{_number(c, d)} {_not(c)}between {_number(c, 0)} and {_number(c, 0)}",
    lambda c, d: f"{c.choice(_SEARCHES)}({_text(c, d)}, {_text(c, d)})",
    lambda c, d: f"regexp_matches({_text(c, d)}, '{c.choice(('a', '^[a-k]+$', 'o.*x', 'I'))}')",
    lambda c, d: f"(case when {_truth(c, d)} then {_truth(c, d)} else {_truth(c, d)} end)",
    lambda c, d: f"(case when {_truth(c, d)} then {_truth(c, d)} end)",
    lambda c, d: f"coalesce({_truth(c, d)}, {_truth(c, d)})",
)
_TEXT_FORMS: Final[tuple[Callable[[Chance, int], str], ...]] = (
    lambda c, d: f"{c.choice(('lower', 'upper', 'trim', 'ltrim', 'reverse'))}({_text(c, d)})",
    lambda c, d: f"concat({_text(c, d)}, {_text(c, d)})",
    lambda c, d: f"({_text(c, d)} || {_text(c, d)})",
    lambda c, d: f"coalesce({_text(c, d)}, {_text(c, d)})",
    lambda c, d: f"nullif({_text(c, d)}, {_text(c, d)})",
    lambda c, d: f"substring({_text(c, d)}, {c.randint(1, 5)}, {c.randint(0, 5)})",
    lambda c, d: f"{c.choice(('left', 'right'))}({_text(c, d)}, {c.randint(0, 5)})",
    lambda c, d: f"(case when {_truth(c, d)} then {_text(c, d)} else {_text(c, d)} end)",
)
_NUMBER_FORMS: Final[tuple[Callable[[Chance, int], str], ...]] = (
    lambda c, d: f"length({_text(c, d)})",
    lambda c, d: f"instr({_text(c, d)}, {_text(c, d)})",
    lambda c, d: f"{c.choice(_FIELDS)}({_instant(c, d)})",
    lambda c, d: f"({_number(c, 0)} {c.choice('+-*')} length({_text(c, d)}))",
    lambda c, d: f"abs(length({_text(c, d)}) - {c.randrange(20)})",
    lambda c, d: f"date_diff('day', TIMESTAMP '2024-09-10 00:00:00', {_instant(c, d)})",
)
