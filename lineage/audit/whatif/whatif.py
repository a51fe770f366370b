"""Compares the flags that a policy document would have raised with those that stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import IntArray, distinct, int_array, lookup_sorted
from lineage.audit.whatif.candidates import Candidates
from lineage.audit.whatif.period import Period
from lineage.database.relations import execute_on, execute_with
from lineage.database.statements import sql
from lineage.judge.breaches import with_ids
from lineage.judge.consents import Consents
from lineage.judge.facts import Facts
from lineage.judge.flags import flags_of
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.limits import Limits
from lineage.policy.parse import Policy
from lineage.reach.arrivals import Arrivals, stored_arrivals
from lineage.reach.fixpoint import followed

_BLOCK_IDS: Final = 256
_FLAG: Final = ["rule", "message", "dataset"]
_CHANGES: Final = ("new", "gone", "same")
_CHANGED: Final[dict[str, pa.DataType]] = {
    "change": pa.string(),
    "rule": pa.string(),
    "severity": pa.string(),
    "message_id": pa.string(),
    "dataset": pa.string(),
    "policy_id": pa.string(),
    "first_at": pa.timestamp("us"),
    "last_at": pa.timestamp("us"),
    "arrivals": pa.int64(),
    "first_hop": pa.string(),
}
CHANGES_SCHEMA: Final = pa.schema(_CHANGED)
_CANDIDATES: Final = sql("audit/whatif/candidate_arrival")


@dataclass(frozen=True)
class _Part:
    """Some messages: what they would break (rows of `Judge.frame`), and their standing flags.

    would_be: the flags that these breaches come to: rule, message, dataset.
    """

    breaches: pl.DataFrame
    would_be: pl.DataFrame
    standing: pl.DataFrame


class WhatIf:
    """Judges all that is stored by the policies with one document in the place of theirs.

    Nothing is written; `connection` is a cursor in a transaction, and belongs to this object.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        policy: Policy,
        period: Period,
        limits: Limits,
    ) -> None:
        self._connection = connection
        self._limits = limits
        timeline = Timeline(connection).with_document(policy, period.since, period.until)
        self._judge = Judge(connection, Consents.stored(connection), timeline, limits, apart=True)
        self._flipped = self._flipped_hops(policy, period)
        self._candidates = Candidates.of(connection, self._judge, limits)
        connection.register("candidate", self._candidates.frame().to_arrow())

    def counts(self) -> pl.DataFrame:
        """Return rule, dataset, and how many flags would be new, be gone, stay the same."""
        total = pl.DataFrame(
            schema={"rule": pl.String, "dataset": pl.Int64, **dict.fromkeys(_CHANGES, pl.Int64)}
        )
        for part in self._parts():
            kinds = {
                "new": part.would_be.join(part.standing, on=_FLAG, how="anti"),
                "gone": part.standing.join(part.would_be, on=_FLAG, how="anti"),
                "same": part.standing.join(part.would_be, on=_FLAG, how="semi"),
            }
            counted = [_counted(flags, kind) for kind, flags in kinds.items()]
            total = pl.concat([total, *counted]).group_by("rule", "dataset").agg(pl.all().sum())
        return total.with_columns(dataset=self._datasets(total["dataset"])).sort("rule", "dataset")

    def changes(self) -> Iterator[pl.DataFrame]:
        """Yield the flags that would be new or gone: `change`, then the columns of `flag`.

        A new one has no policy_id where the first arrival to break the rule is judged by the
        document. The order is that of the messages' keys.
        """
        for part in self._parts():
            broken = part.breaches.join(part.standing, on=_FLAG, how="anti")
            new = flags_of(with_ids(self._connection, broken))
            gone = part.standing.join(part.would_be, on=_FLAG, how="anti").select(new.columns)
            told = [self._told(new, "NEW"), self._told(gone, "GONE")]
            yield pl.concat(told).sort("message_id", "rule", "dataset")

    def _parts(self) -> Iterator[_Part]:
        for first, last in self._ranges():
            breaches = pl.concat(self._breaches(first, last))
            rows = f"(FROM core.flag WHERE message BETWEEN {first} AND {last})"
            standing = self._connection.execute(sql("audit/verify/flags").format(rows=rows)).pl()
            yield _Part(breaches, breaches.select(_FLAG).unique(), standing)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of messages that have as many rows as are compared at a time, or so."""
        query = sql("audit/whatif/compared_block").format(arrival=_CANDIDATES)
        found = self._connection.execute(query, {"ids": _BLOCK_IDS}).fetchnumpy()
        block, rows = found["block"].astype(np.int64), found["rows"].astype(np.int64)
        if not len(block):
            return
        part = (np.cumsum(rows) - rows) // self._limits.compared_rows
        starts = np.flatnonzero(np.append(True, part[1:] != part[:-1]))
        lasts = np.append(starts[1:], len(block)) - 1
        for first, last in zip(block[starts].tolist(), block[lasts].tolist(), strict=True):
            yield first * _BLOCK_IDS, (last + 1) * _BLOCK_IDS - 1

    def _breaches(self, first: int, last: int) -> Iterator[pl.DataFrame]:
        """Yield the breaches of a range of messages, as they would be, as rows of `Judge.frame`."""
        within = f"({_CANDIDATES} WHERE a.message BETWEEN {first} AND {last})"
        facts = self._judge.facts(stored_arrivals(self._connection, within))
        rows = self._judge.frame(facts, self._judge.breaches(facts))
        if not len(self._flipped):
            yield rows
            return
        query, of = sql("audit/whatif/carried"), {"first": first, "last": last}
        carried = self._connection.execute(query, of).fetchnumpy()["message"]
        messages = self._depending(facts, carried)
        yield rows.filter(~lookup_sorted(messages, int_array(rows["message"]))[1])
        together = self._limits.followed_messages
        for at in range(0, len(messages), together):
            facts = self._judge.facts(self._followed(messages[at : at + together]))
            yield self._judge.frame(facts, self._judge.breaches(facts))

    def _depending(self, facts: Facts, carried: IntArray) -> IntArray:
        """Return the carried messages of which it matters whether they are identifiable."""
        some = facts.only(np.flatnonzero(lookup_sorted(carried, facts.arrivals.message)[1]))
        rules = max(1, len(self._judge.timeline.rules))
        no, yes = (
            each.arrival * rules + each.rule
            for each in map(self._judge.breaches, some.with_identifiable_both())
        )
        differing = np.setxor1d(no, yes) // rules
        return distinct(some.arrivals.message[differing])

    def _followed(self, messages: IntArray) -> Arrivals:
        """Return the candidates among the arrivals of messages whose hops declassify otherwise."""
        query = "SELECT id, CAST(dataset AS BIGINT) AS dataset, sent_at FROM {rows}"
        rows = ("core.message", "id")
        of = execute_on(self._connection, messages, query, rows=rows).pl()
        arrivals = followed(self._connection, of, self._flipped)
        return arrivals.only(self._candidates.include(arrivals))

    def _flipped_hops(self, policy: Policy, period: Period) -> IntArray:
        """Return the hops that would declassify and do not, or the other way round."""
        accepted = pl.DataFrame(
            {"method": [*policy.declassification], "min_k": [*policy.declassification.values()]},
            schema={"method": pl.String, "min_k": pl.Int64},
        )
        query = sql("audit/whatif/flipped_hop")
        found = execute_with(self._connection, query, vars(period), accepted_method=accepted)
        flipped: IntArray = found.fetchnumpy()["id"].astype(np.int64)
        self._connection.register("flipped_hop", pl.DataFrame({"id": flipped}).to_arrow())
        return flipped

    def _told(self, flags: pl.DataFrame, change: str) -> pl.DataFrame:
        return flags.select(
            pl.all().exclude("dataset", "first_hop"),
            pl.col("first_hop").replace("", None),  # the origin has no hop
            change=pl.lit(change),
            dataset=self._datasets(flags["dataset"]),
            policy_id=self._policies(flags["policy"]),
        ).select(CHANGES_SCHEMA.names)

    def _datasets(self, keys: pl.Series) -> pl.Series:
        """Return the names of datasets."""
        query = "SELECT CAST(id AS BIGINT) AS id, text FROM core.dataset_name"
        found = self._connection.execute(query).pl()
        return keys.replace_strict(found["id"], found["text"], return_dtype=pl.String)

    def _policies(self, keys: pl.Series) -> pl.Series:
        """Return the ids of policies, by their keys in the store or in the timeline."""
        found = self._connection.execute("SELECT id, policy_id FROM core.policy").fetchall()
        timeline = self._judge.timeline
        known = {
            **dict(found),
            **dict(zip(timeline.policy_key.tolist(), timeline.policy_id, strict=True)),
        }
        return keys.replace_strict([*known], [*known.values()], return_dtype=pl.String)


def _counted(flags: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Count flags by rule and dataset, as flags of one kind."""
    counts = (pl.len() if name == kind else pl.lit(0) for name in _CHANGES)
    named = (count.cast(pl.Int64).alias(name) for count, name in zip(counts, _CHANGES, strict=True))
    return flags.group_by("rule", "dataset").agg(*named)
