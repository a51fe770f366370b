"""Rules: judges arrivals by the rules of the policy in force and the facts as of each."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    NO_INTS,
    BoolArray,
    IntArray,
    Ranks,
    distinct,
    expand_ranges,
    instants,
    lookup_sorted,
)
from lineage.database.relations import execute_with
from lineage.database.statements import sql
from lineage.judge.consents import Consents
from lineage.judge.facts import Facts, facts_of, parties_of
from lineage.judge.rule_evaluator import RuleEvaluator
from lineage.judge.timeline import Timeline
from lineage.keys.keyed_batch import KeyedBatch
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals


@dataclass(frozen=True)
class Breaches:
    """Arrivals (their rows) and the rules that they break (places in `Timeline.rules`)."""

    arrival: IntArray
    rule: IntArray


class Judge:
    """Judges arrivals by the policies and declarations of a timeline, and by consents.

    Make another judge when the timeline changes; consents can be added.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        consents: Consents,
        timeline: Timeline,
        limits: Limits,
        *,
        apart: bool = False,
    ) -> None:
        """Take what it judges by; apart: see `RuleEvaluator`."""
        self._connection = connection
        self.consents = consents
        self.timeline = timeline
        self._limits = limits
        self._evaluator = RuleEvaluator(timeline, limits, apart=apart)
        # Facts repeat: a cache of the rules (places in Timeline.rules) that a combination breaks.
        self._broken: dict[int, tuple[int, ...]] = {}

    def facts(self, arrivals: Arrivals, batch: KeyedBatch | None = None) -> Facts:
        """Return the facts of `arrivals`; batch: the events that they may come from, if any."""
        messages = Ranks(arrivals.message)
        parties = parties_of(self._connection, messages.distinct, batch)
        message = messages.of(arrivals.message)
        return facts_of(arrivals, parties, message, self.timeline, self.consents)

    def breaches(self, facts: Facts) -> Breaches:
        """Return which rules the arrivals with these facts break."""
        once = self._of_combinations(facts)
        each = self._of_arrivals(facts)
        return Breaches(
            np.concatenate([once.arrival, each.arrival]), np.concatenate([once.rule, each.rule])
        )

    def may_break(self, facts: Facts) -> BoolArray:
        """Say of combinations of facts whether arrivals with these can break a rule.

        A rule that names the message or the instant may be broken by any.
        """
        each = [rule.policy for rule in self.timeline.rules if not rule.once]
        found = np.isin(facts.policy, each)
        found[self._of_combinations(facts).arrival] = True
        return found

    def frame(self, facts: Facts, breaches: Breaches) -> pl.DataFrame:
        """Return breaches as rows, without the texts of ids; see `BreachPart`."""
        rules = self.timeline.rules
        declaration = facts.declaration[breaches.arrival]
        declarations = np.append(self.timeline.declaration_key, 0)  # of -1, too: not declared
        broken = facts.arrivals.only(breaches.arrival)
        return pl.DataFrame(
            {
                "rule": pl.Series([rule.rule for rule in rules], dtype=pl.String)[breaches.rule],
                "severity": pl.Series([rule.severity for rule in rules], dtype=pl.String)[
                    breaches.rule
                ],
                "message": broken.message,
                "dataset": broken.dataset,
                "policy": self.timeline.policy_key[facts.policy[breaches.arrival]],
                "arrived_at": instants(broken.arrived_at),
                "hop": broken.hop,
                "declaration": declarations[declaration],
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
        """Return an integer for each combination of facts that rules of many arrivals can read."""
        undeclared = facts.declaration < 0
        declared = len(self.timeline.declaration_key)
        key = np.where(undeclared, declared + facts.arrivals.dataset, facts.declaration)
        key = key * len(self.timeline.policy_key) + facts.policy
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
        """Evaluate the rules for combinations of facts that are not in the cache, and add them."""
        if len(self._broken) > self._limits.combinations:
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
        """Return the breaches of rules that name the message or the instant."""
        policies = {rule.policy for rule in self.timeline.rules if not rule.once}
        if not policies:
            return Breaches(NO_INTS, NO_INTS)
        rows = np.flatnonzero(np.isin(facts.policy, list(policies)))
        return self._evaluate(facts, rows, once=False)

    def _evaluate(self, facts: Facts, rows: IntArray, *, once: bool) -> Breaches:
        """Return the breaches of the arrivals in `rows`, by the rules of one kind.

        once: the rules that can be judged once for equal facts, or the others.
        """
        used = set(facts.policy[rows].tolist())
        rules = [
            (place, rule)
            for place, rule in enumerate(self.timeline.rules)
            if rule.once == once and rule.policy in used
        ]
        if not rules:
            return Breaches(NO_INTS, NO_INTS)
        more = (
            "f.place, NULL AS arrived_at" if once else "f.place, f.arrived_at, i.text AS message_id"
        )
        text = sql("database/fact_text").format(facts="judged_fact", more=more)
        if not once:
            text += "JOIN core.identity i ON i.id = f.message"
        found, together = [], self._limits.evaluated_facts
        for first in range(0, len(rows), together):
            some = facts.frame(self.timeline, rows[first : first + together])
            judged = execute_with(self._connection, text, judged_fact=some).to_arrow_table()
            found.append(self._evaluator.breaches(judged, rules))
        if not found:
            return Breaches(NO_INTS, NO_INTS)
        arrival, rule = zip(*found, strict=True)
        return Breaches(np.concatenate(arrival), np.concatenate(rule))
