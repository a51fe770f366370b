"""Evaluates rules in a database of their own, some rules on some arrivals at a time.

A rule cannot reach the store from there, a failure does not end the store's transaction, and the
memory that rules take is bounded by the part, whatever the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import duckdb
import numpy as np
import pyarrow as pa

from lineage.arrays import NO_INTS, IntArray
from lineage.database.connection import without_progress_bar
from lineage.database.statements import sql
from lineage.errors import PolicyError, RuleError, sentence
from lineage.judge.timeline import StoredRule, Timeline
from lineage.limits import Limits

# So many bytes of rules are evaluated at a time: DuckDB keeps some 32 KiB for each step of a rule,
# each rule may be broken by each arrival, and planning takes the square of the number of rules (it
# puts the conditions of all readers of a CTE together): 100 rules in tens take 0.1 s, at once 2 s.
_EXPRESSION_BYTES_MAX = 16_384

Numbered = tuple[int, StoredRule]  # a rule, and its place in `Timeline.rules`


class RuleEvaluator:
    """Evaluates the rules of the policies in force."""

    def __init__(self, timeline: Timeline, limits: Limits, *, apart: bool = False) -> None:
        """Take a timeline; apart: its rules are evaluated in a database of their own.

        A rule that is not in force must not end the database of those that are.
        """
        self._timeline = timeline
        self._limits = limits
        self._apart = apart
        self._connection = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        memory_mib = self._limits.rule_memory_mib
        return _open(memory_mib) if self._apart else _database(memory_mib).cursor()

    def breaches(self, judged: pa.Table, rules: Sequence[Numbered]) -> tuple[IntArray, IntArray]:
        """Return which arrivals (`place` of `judged`) break which rules (their places).

        judged: arrivals in the columns of fact_text.sql. Raises RuleError.
        """
        found = [self._broken(judged, some) for some in _in_parts(rules, self._limits.rules)]
        if not found:
            return NO_INTS, NO_INTS
        arrival, rule = zip(*found, strict=True)
        return np.concatenate(arrival), np.concatenate(rule)

    def _broken(self, judged: pa.Table, rules: Sequence[Numbered]) -> tuple[IntArray, IntArray]:
        try:
            self._connection.register("arrival", judged)
            found = self._connection.execute(self._query(rules)).fetchnumpy()
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            return self._broken_in_parts(judged, rules, error)
        return found["place"], found["rule"]

    def _broken_in_parts(
        self, judged: pa.Table, rules: Sequence[Numbered], error: duckdb.Error
    ) -> tuple[IntArray, IntArray]:
        """Bisect rules, then arrivals, that failed together; raise RuleError for one on one.

        A failure must not count as null: null means not broken, and a leak would be missed in
        silence.
        """
        # Some failures end a database for good.
        if not self._apart:
            _database.cache_clear()
        self._connection = self._connect()
        half = len(rules) // 2, judged.num_rows // 2
        if half[0]:
            parts = [(judged, rules[: half[0]]), (judged, rules[half[0] :])]
        elif half[1]:
            parts = [(judged.slice(0, half[1]), rules), (judged.slice(half[1]), rules)]
        else:
            ((_, rule),) = rules
            policy_id = self._timeline.policy_id[rule.policy]
            if policy_id is None:
                raise PolicyError(
                    f"rule {rule.rule} cannot be evaluated ({sentence(error)}); write it in a"
                    " simpler way"
                ) from error
            raise RuleError(
                f"the batch was not recorded: policy {policy_id}: rule {rule.rule} cannot be"
                f" evaluated ({sentence(error)}); it must be replaced: replay the log with this"
                " rule written in a simpler way, and report this as an error"
            ) from error
        found = [self._broken(*part) for part in parts]
        return np.concatenate([found[0][0], found[1][0]]), np.concatenate(
            [found[0][1], found[1][1]]
        )

    def _query(self, rules: Sequence[Numbered]) -> str:
        keys = self._timeline.policy_key
        broken = " UNION ALL ".join(
            f"SELECT place, CAST({place} AS BIGINT) AS rule "  # noqa: S608 -- a checked expression
            f"FROM judged WHERE policy = {keys[rule.policy]} AND {rule.expression}"
            for place, rule in rules
        )
        return sql("judge/broken").format(broken=broken)


def _in_parts(rules: Sequence[Numbered], rules_max: int) -> Iterator[Sequence[Numbered]]:
    """Yield rules in parts, as many at a time as may be evaluated together."""
    first = size = 0
    for index, (_, rule) in enumerate(rules):
        size += len(rule.expression)
        if index > first and (size > _EXPRESSION_BYTES_MAX or index - first >= rules_max):
            yield rules[first:index]
            first, size = index, len(rule.expression)
    if rules:
        yield rules[first:]


@lru_cache(maxsize=1)
def _database(memory_mib: int) -> duckdb.DuckDBPyConnection:
    """Return the database in which the rules in force are evaluated."""
    return _open(memory_mib)


def _open(memory_mib: int) -> duckdb.DuckDBPyConnection:
    """Open a database in which rules are evaluated; it can reach nothing, not even the disk."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    without_progress_bar(connection)
    # In this order, since the last two forbid the settings before them.
    for setting in (
        f"memory_limit = '{memory_mib}MiB'",
        "temp_directory = ''",
        "autoload_known_extensions = false",
        "autoinstall_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection
