"""Which rules are broken: facts as of each arrival, rules by the policy in force, flags."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    NO_INTS,
    IntArray,
    Ranks,
    distinct,
    expand_ranges,
    instants,
    lookup_sorted,
)
from lineage.database.relations import run_with
from lineage.database.statements import sql
from lineage.judge.consents import Consents
from lineage.judge.facts import Facts, facts_of, parties_of
from lineage.judge.rule_evaluator import RuleEvaluator
from lineage.judge.timeline import Timeline
from lineage.keys.stage import KeyedBatch
from lineage.reach.fixpoint import Arrivals

# So many arrivals are told in words and judged at a time; each can have texts of 768 bytes.
_JUDGED_MAX = 50_000
_COMBINATIONS_MAX = 1 << 20


@dataclass(frozen=True)
class Breaches:
    """Arrivals (their rows) and the rules that they break (places in `Timeline.rules`)."""

    arrival: IntArray
    rule: IntArray


class Judge:
    """Judges arrivals by what is in force. Make another one when that changes."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, consents: Consents, in_force: Timeline
    ) -> None:
        self._connection = connection
        self.consents = consents
        self.in_force = in_force
        self._evaluator = RuleEvaluator(in_force)
        # Facts repeat: the rules (places in Timeline.rules) that each combination of them breaks.
        self._broken: dict[int, tuple[int, ...]] = {}

    def facts(self, arrivals: Arrivals, fresh: KeyedBatch | None = None) -> Facts:
        """The facts of `arrivals`; `fresh`: the events of the batch, if there is one."""
        messages = Ranks(arrivals.m)
        parties = parties_of(self._connection, messages.distinct, fresh)
        message = messages.of(arrivals.m)
        return facts_of(arrivals, parties, message, self.in_force, self.consents)

    def breaches(self, facts: Facts) -> Breaches:
        """Which rules the arrivals with these facts break."""
        once = self._of_combinations(facts)
        each = self._of_arrivals(facts)
        return Breaches(
            np.concatenate([once.arrival, each.arrival]), np.concatenate([once.rule, each.rule])
        )

    def frame(self, facts: Facts, breaches: Breaches) -> pl.DataFrame:
        """Breaches as rows: rule, severity, m, ds, policy, arrived_at and h."""
        rules = self.in_force.rules
        broken = facts.arrivals.only(breaches.arrival)
        return pl.DataFrame(
            {
                "rule": pl.Series([rule.rule for rule in rules], dtype=pl.String)[breaches.rule],
                "severity": pl.Series([rule.severity for rule in rules], dtype=pl.String)[
                    breaches.rule
                ],
                "m": broken.m,
                "ds": broken.ds,
                "policy": self.in_force.policy_number[facts.policy[breaches.arrival]],
                "arrived_at": instants(broken.arrived_at),
                "h": broken.h,
            }
        )

    def _of_combinations(self, facts: Facts) -> Breaches:
        keys = self._combinations(facts)
        found = distinct(keys)
        unknown = np.array([key for key in found.tolist() if key not in self._broken])
        if len(unknown):
            self._learn(facts, keys, unknown)
        broken = [(key, rules) for key in found.tolist() if (rules := self._broken[key])]
        if not broken:
            return Breaches(NO_INTS, NO_INTS)
        at, breaking = lookup_sorted(np.array([key for key, _ in broken]), keys)
        arrival = np.flatnonzero(breaking)
        combination = at[arrival]
        count = np.array([len(rules) for _, rules in broken])
        owner, place = expand_ranges((np.cumsum(count) - count)[combination], count[combination])
        flat = np.array([rule for _, rules in broken for rule in rules])
        return Breaches(arrival[owner], flat[place])

    def _combinations(self, facts: Facts) -> IntArray:
        """One number for all that rules of many arrivals can ask."""
        undeclared = facts.declaration < 0
        declared = len(self.in_force.declaration_number)
        key = np.where(undeclared, declared + facts.arrivals.ds, facts.declaration)
        key = key * len(self.in_force.policy_number) + facts.policy
        key = (key << 4 | facts.arrivals.operation) << 2 | facts.channel
        truths = (
            facts.confidential,
            facts.exempt_region,
            *facts.consents,
            facts.disclosed,
            facts.arrivals.identifiable,
        )
        for truth in truths:
            key = key << 1 | truth
        return key

    def _learn(self, facts: Facts, keys: IntArray, unknown: IntArray) -> None:
        """Evaluate the rules for combinations of facts that were not met before."""
        if len(self._broken) > _COMBINATIONS_MAX:
            self._broken.clear()
            unknown = distinct(keys)
        rows = np.flatnonzero(lookup_sorted(unknown, keys)[1])
        _, first = np.unique(keys[rows], return_index=True)
        found = self._evaluate(facts, rows[first], once=True)
        rules: dict[int, list[int]] = {key: [] for key in unknown.tolist()}
        for key, rule in zip(keys[found.arrival].tolist(), found.rule.tolist(), strict=True):
            rules[key].append(rule)
        self._broken.update((key, tuple(broken)) for key, broken in rules.items())

    def _of_arrivals(self, facts: Facts) -> Breaches:
        """By the rules that name the message or the instant."""
        policies = {rule.policy for rule in self.in_force.rules if not rule.once}
        if not policies:
            return Breaches(NO_INTS, NO_INTS)
        rows = np.flatnonzero(np.isin(facts.policy, list(policies)))
        return self._evaluate(facts, rows, once=False)

    def _evaluate(self, facts: Facts, rows: IntArray, *, once: bool) -> Breaches:
        """Which of the rules of one kind do the arrivals in `rows` break?"""
        used = set(facts.policy[rows].tolist())
        rules = [
            (place, rule)
            for place, rule in enumerate(self.in_force.rules)
            if rule.once == once and rule.policy in used
        ]
        if not rules:
            return Breaches(NO_INTS, NO_INTS)
        more = (
            "f.place, NULL AS arrived_at" if once else "f.place, f.arrived_at, i.id AS message_id"
        )
        text = sql("database/fact_text").format(facts="given", more=more)
        if not once:
            text += "JOIN core.identity i ON i.n = f.m"
        found = []
        for first in range(0, len(rows), _JUDGED_MAX):
            some = facts.frame(self.in_force, rows[first : first + _JUDGED_MAX])
            judged = run_with(self._connection, some, text).to_arrow_table()
            found.append(self._evaluator.breaches(judged, rules))
        if not found:
            return Breaches(NO_INTS, NO_INTS)
        arrival, rule = zip(*found, strict=True)
        return Breaches(np.concatenate(arrival), np.concatenate(rule))
