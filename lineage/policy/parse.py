"""Policies: parses documents from outside, and checks them as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lineage.codec.contract.events import SEVERITIES, TIERS
from lineage.errors import PolicyError
from lineage.policy.rules.ast import ONCE, TOO_MUCH_WORK, WORK_MAX
from lineage.policy.rules.rule import FACTS, OF_ONE_ARRIVAL, Checked, Rule, RuleChecker
from lineage.policy.yaml import Value, json_type, read_document

__all__ = [
    "BUILT_IN",
    "BUILT_IN_DOCUMENT",
    "BUILT_IN_ID",
    "FACTS",
    "Policy",
    "Rule",
    "parse_policy",
]

BUILT_IN_ID: Final = "built-in"
_ID_BYTES_MAX: Final = 256
_MIN_K_MAX: Final = 2**31 - 1  # k is an Avro int
# Bounds on the cost of a policy, in any spelling; docs/decisions/0011-bounded-rules.md has figures.
RULES_MAX: Final = 100
METHODS_MAX: Final = 100
WHEN_BYTES_MAX: Final = 32_768  # of all rules together
SIZE_MAX: Final = 5_000  # nodes of all rules together
_REGION: Final = re.compile(r"[A-Z]{2}")
_KEYS: Final = ("paying_tiers", "ai_training_exempt_regions", "declassification", "rules")


@dataclass(frozen=True)
class Policy:
    """A policy document that has passed every check.

    paying_tiers: the tiers whose members' InMail is confidential.
    exempt_regions: ISO 3166 alpha-2 codes of the regions exempt from AI training.
    declassification: method -> the smallest k with which it declassifies (of several entries
        for one method, the smallest).
    rules: in the order of the document.
    """

    paying_tiers: frozenset[str]
    exempt_regions: frozenset[str]
    declassification: Mapping[str, int]
    rules: tuple[Rule, ...]


def parse_policy(document: str) -> Policy:
    """Check a policy document (YAML or JSON text), and return the policy.

    Raises PolicyError for a document that breaks the contract anywhere: the error's reason names
    the place (`rules[2].when`, counted from 0) and what would be right, and quotes nothing.
    """
    found = read_document(document)
    policy = _mapping(found, "the document", _KEYS)
    return Policy(
        paying_tiers=_tiers(policy["paying_tiers"]),
        exempt_regions=_regions(policy["ai_training_exempt_regions"]),
        declassification=MappingProxyType(_declassification(policy["declassification"])),
        rules=_rules(policy["rules"]),
    )


def _tiers(value: Value) -> frozenset[str]:
    tiers = _texts(value, "paying_tiers")
    for index, tier in enumerate(tiers):
        if tier not in TIERS:
            raise PolicyError(f"paying_tiers[{index}] must be one of {', '.join(TIERS)}")
    return frozenset(tiers)


def _regions(value: Value) -> frozenset[str]:
    regions = _texts(value, "ai_training_exempt_regions")
    for index, region in enumerate(regions):
        if not _REGION.fullmatch(region):
            raise PolicyError(
                f"ai_training_exempt_regions[{index}] must be two capital letters (ISO 3166)"
            )
    return frozenset(regions)


def _declassification(value: Value) -> dict[str, int]:
    smallest: dict[str, int] = {}
    for index, item in enumerate(_list(value, "declassification", METHODS_MAX)):
        place = f"declassification[{index}]"
        entry = _mapping(item, place, ("method", "min_k"))
        method = _id(entry["method"], f"{place}.method")
        min_k = entry["min_k"]
        if not isinstance(min_k, int) or isinstance(min_k, bool):
            raise PolicyError(f"{place}.min_k must be an integer, not {json_type(min_k)}")
        if not 0 <= min_k <= _MIN_K_MAX:
            raise PolicyError(f"{place}.min_k must be from 0 to {_MIN_K_MAX}")
        smallest[method] = min(min_k, smallest.get(method, min_k))
    return smallest


def _rules(value: Value) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    items = _list(value, "rules", RULES_MAX)
    if not items:
        return ()
    total = _Total()
    checked: dict[str, Checked] = {}
    with RuleChecker() as checker:
        for index, item in enumerate(items):
            place = f"rules[{index}]"
            rule = _rule(item, place, checker, checked, total)
            if rule.id in rules:
                raise PolicyError(f"{place}.id must be unique: an earlier rule has it")
            rules[rule.id] = rule
            total.add(checked[rule.when], place)
    return tuple(rules.values())


@dataclass
class _Total:
    """Totals over the rules of a document so far."""

    when_bytes: int = 0
    size: int = 0
    work: int = 0

    def add_text(self, when: str, place: str) -> None:
        self.when_bytes += len(when)
        if self.when_bytes > WHEN_BYTES_MAX:
            raise PolicyError(
                f"{place}.when is too much: the expressions of all rules have at most"
                f" {WHEN_BYTES_MAX} bytes together"
            )

    def add(self, rule: Checked, place: str) -> None:
        self.size += rule.size
        self.work += rule.work if rule.facts & OF_ONE_ARRIVAL else rule.work // ONCE
        if self.size > SIZE_MAX:
            raise PolicyError(
                f"{place}.when is too much: the expressions of all rules have at most {SIZE_MAX}"
                " parts together, and BETWEEN and IN count as the comparisons that they stand for"
            )
        if self.work > WORK_MAX:
            raise PolicyError(f"{place}.when and the rules before it {TOO_MUCH_WORK}")


def _rule(
    item: Value, place: str, checker: RuleChecker, checked: dict[str, Checked], total: _Total
) -> Rule:
    entry = _mapping(item, place, ("id", "severity", "when"))
    rule_id = _id(entry["id"], f"{place}.id")
    severity = _text(entry["severity"], f"{place}.severity")
    if severity not in SEVERITIES:
        raise PolicyError(f"{place}.severity must be one of {', '.join(SEVERITIES)}")
    when = _text(entry["when"], f"{place}.when")
    total.add_text(when, place)
    if when not in checked:
        try:
            checked[when] = checker.check(when)
        except PolicyError as error:
            raise PolicyError(f"{place}.when {error.reason}") from None
    return Rule(rule_id, severity, when, checked[when].sql, checked[when].facts)


def _mapping(value: Value, place: str, keys: tuple[str, ...]) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise PolicyError(
            f"{place} must be a mapping with the keys {', '.join(keys)}, not {json_type(value)}"
        )
    if missing := [key for key in keys if key not in value]:
        raise PolicyError(f"{place} must also have {', '.join(missing)}")
    if len(value) > len(keys):
        raise PolicyError(f"{place} must have no keys but {', '.join(keys)}")
    return value


def _list(value: Value, place: str, most: int | None = None) -> list[Value]:
    if not isinstance(value, list):
        raise PolicyError(f"{place} must be a list, not {json_type(value)}")
    if most is not None and len(value) > most:
        raise PolicyError(f"{place} must have at most {most} entries, not {len(value)}")
    return value


def _texts(value: Value, place: str) -> list[str]:
    return [_text(item, f"{place}[{i}]") for i, item in enumerate(_list(value, place))]


def _text(value: Value, place: str) -> str:
    if not isinstance(value, str):
        raise PolicyError(f"{place} must be text (in quotes, if need be), not {json_type(value)}")
    return value


def _id(value: Value, place: str) -> str:
    text = _text(value, place)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise PolicyError(f"{place} must be Unicode text, without lone surrogates") from None
    if not 1 <= size <= _ID_BYTES_MAX:
        raise PolicyError(f"{place} must have 1 to {_ID_BYTES_MAX} bytes, not {size}")
    return text


BUILT_IN_DOCUMENT: Final = Path(__file__).with_name("built_in.yaml").read_text(encoding="utf-8")
BUILT_IN: Final = parse_policy(BUILT_IN_DOCUMENT)
"""The policy in force where none has been published; it has always been disclosed."""
