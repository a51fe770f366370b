"""Timeline: the policies and declarations in force at any instant; an as-of lookup in memory."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from lineage.arrays import AsOf, BoolArray, IntArray
from lineage.database.policies import tier_bits
from lineage.database.schema.codes import REGIONS
from lineage.policy.parse import Policy
from lineage.policy.rules.rule import OF_ONE_ARRIVAL

_EVER = np.iinfo(np.int64).min
_NEVER = np.iinfo(np.int64).max

_POLICIES = """
SELECT s.policy, CASE WHEN NOT isinf(s.from_at) THEN epoch_us(s.from_at) END AS from_at,
    CASE WHEN NOT isinf(p.disclosed_at) THEN epoch_us(p.disclosed_at) END AS disclosed_at,
    coalesce(isinf(p.disclosed_at), false) AS ever, p.paying_tiers, p.exempt_regions, p.policy_id
FROM core.policy_span s
JOIN core.policy p ON p.id = s.policy
ORDER BY s.from_at
"""
_RULES = """
SELECT policy, rule, CAST(severity AS VARCHAR), expression, facts
FROM core.policy_rule
ORDER BY policy, ordinal
"""
_DECLARATIONS = """
SELECT declaration, CAST(dataset AS BIGINT) AS dataset,
    CASE WHEN isinf(from_at) THEN NULL ELSE epoch_us(from_at) END AS from_at
FROM core.declaration_span s
ORDER BY s.dataset, s.from_at
"""


@dataclass(frozen=True)
class StoredRule:
    """A rule of a policy (a row of `Timeline`). once: it can be judged once for equal facts."""

    policy: int
    rule: str
    severity: str
    expression: str
    once: bool


class Timeline:
    """Policies and declarations, each known by its row.

    Policies are in the order in which they come into force, declarations by dataset and then in
    that order. `rules`: those of these policies.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        policies = connection.execute(_POLICIES).fetchall()
        self.policy_key: IntArray = np.array([row[0] for row in policies])
        self._policy_from = np.array([_EVER if row[1] is None else row[1] for row in policies])
        self._disclosed_at = np.array([_disclosed(row[2], ever=row[3]) for row in policies])
        self.paying_tiers: IntArray = np.array([row[4] for row in policies])
        self.exempt_regions: BoolArray = np.array(
            [np.isin(REGIONS, row[5] or [""]) for row in policies]
        )
        self.policy_id: list[str | None] = [row[6] for row in policies]
        row_of = {key: row for row, key in enumerate(self.policy_key.tolist())}
        self.rules = [
            StoredRule(row_of[policy], rule, severity, expression, not OF_ONE_ARRIVAL & {*facts})
            for policy, rule, severity, expression, facts in connection.execute(_RULES).fetchall()
            if policy in row_of
        ]
        declared = connection.execute(_DECLARATIONS).fetchall()
        self.declaration_key: IntArray = np.array([row[0] for row in declared], dtype=np.int64)
        self._declared = AsOf(
            np.array([row[1] for row in declared], dtype=np.int64),
            np.array([_EVER if row[2] is None else row[2] for row in declared], dtype=np.int64),
        )

    def with_document(self, policy: Policy, since: int, until: int) -> Timeline:
        """Return a timeline with another document in the policies in force from since to until.

        The instants are microseconds; the policies keep the instants from which they hold and at
        which they were disclosed. Rows have keys of their own, and no id where the document is.
        """
        pieces = [
            (first, row, is_replaced)
            for row, (begin, end) in enumerate(zip(*self.policy_bounds(), strict=True))
            for first, last, is_replaced in (
                (begin, min(end, since), False),
                (max(begin, since), min(end, until), True),
                (max(begin, until), end, False),
            )
            if first < last
        ]
        source = np.array([row for _, row, _ in pieces])
        replaced = np.array([is_replaced for _, _, is_replaced in pieces])
        exempt = np.isin(REGIONS, sorted(policy.exempt_regions) or [""])
        changed = copy(self)
        changed.policy_key = -1 - np.arange(len(pieces))
        changed._policy_from = np.array([first for first, _, _ in pieces])
        changed._disclosed_at = self._disclosed_at[source]
        changed.paying_tiers = np.where(replaced, tier_bits(policy), self.paying_tiers[source])
        changed.exempt_regions = np.where(replaced[:, None], exempt, self.exempt_regions[source])
        changed.policy_id = [
            None if is_replaced else self.policy_id[row] for _, row, is_replaced in pieces
        ]
        own = [
            StoredRule(0, rule.id, rule.severity, rule.sql, not OF_ONE_ARRIVAL & rule.facts)
            for rule in policy.rules
        ]
        changed.rules = [
            replace(rule, policy=place)
            for place, (_, row, is_replaced) in enumerate(pieces)
            for rule in (own if is_replaced else self.rules)
            if is_replaced or rule.policy == row
        ]
        return changed

    def policy_bounds(self) -> tuple[IntArray, IntArray]:
        """Return the instants from which and until which each policy is in force."""
        return self._policy_from, np.append(self._policy_from[1:], _NEVER)

    def policies(self, at: IntArray) -> IntArray:
        """Return the row of the policy in force at each instant."""
        return np.searchsorted(self._policy_from, at, "right") - 1

    def disclosed(self, policy: IntArray, at: IntArray) -> BoolArray:
        """Say whether these policies had been disclosed by these instants."""
        return at >= self._disclosed_at[policy]

    def declarations(self, dataset: IntArray, at: IntArray) -> IntArray:
        """Return the row of each dataset's declaration in force at an instant; -1: undeclared."""
        return self._declared.rows(dataset, at)


def _disclosed(at: int | None, *, ever: bool) -> int:
    if at is None:
        return _EVER if ever else _NEVER
    return at
