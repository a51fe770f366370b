"""The way of one message, with the facts of its arrivals and the rules that they break."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import Ranks, distinct, int_array
from lineage.database.relations import run_on, run_with
from lineage.database.statements import sql
from lineage.judge.consents import Consents
from lineage.judge.facts import facts_of, parties_of
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.keys.names import Names, number_of
from lineage.reach.fixpoint import Arrivals, stored_arrivals

_ARRIVAL = ["h", "ds", "rec"]
_COLUMNS = (
    *("message_id", "hop_id", "run_id", "job", "operation", "source", "source_record_id"),
    *("dataset", "record_id", "arrived_at", "identifiable", "declared", "kind", "party"),
    *("recipient", "policy_id", "disclosed", "channel", "confidential", "exempt_region"),
    *("ai_training_consent", "third_party_consent", "rules"),
)
# The origin has no hop, and comes first of what happened at its instant.
_ORDER = ("arrived_at", "hop_id", "dataset", "record_id", "source_record_id")


@dataclass(frozen=True)
class _Hops:
    """The hops that carried a message (n, run, job, source, source_text, keeps_id), and what they
    read (h, source_rec).
    """

    hop: pl.DataFrame
    read: pl.DataFrame


def route(
    connection: duckdb.DuckDBPyConnection, message_id: str, in_force: Timeline
) -> duckdb.DuckDBPyRelation:
    """See `Store.route`. Give it a cursor of its own; in_force: of its database."""
    number = number_of(connection, message_id)
    wanted = -1 if number is None else number
    own = f"(FROM core.arrival WHERE m = {wanted})"
    arrivals = stored_arrivals(connection, own)
    facts, rules = _judged(connection, arrivals, in_force)
    hops = _hops_of(connection, arrivals)
    run = int_array(hops.hop["run"])
    names = Names(connection, np.concatenate([arrivals.m, arrivals.h, arrivals.rec, run]))
    came_from = _came_from(arrivals, hops)
    hop = hops.hop.select(
        "job", h="n", hop_id=names.of(int_array(hops.hop["n"])), run_id=names.of(run)
    )
    source_record_id = names.of(int_array(came_from["source_rec"]))
    table = (
        facts.lazy()
        .with_columns(message_id=pl.lit(message_id), record_id=names.of(int_array(facts["rec"])))
        .join(hop.lazy(), on="h", how="left")
        .join(
            came_from.lazy().with_columns(source_record_id=source_record_id),
            on=["h", "rec"],
            how="left",
        )
        .join(rules.lazy(), on=_ARRIVAL, how="left")
        .with_columns(pl.col("rules").fill_null([]))
        .sort(*_ORDER, nulls_last=[name != "hop_id" for name in _ORDER])
        .select(_COLUMNS)
        .collect()
    )
    return connection.from_arrow(table.to_arrow())


def _judged(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, in_force: Timeline
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The facts of the arrivals in words, and the rules that each breaks."""
    messages = Ranks(arrivals.m)
    parties = parties_of(connection, messages.distinct)
    judge = Judge(connection, Consents.of(connection, parties.member), in_force)
    message = messages.of(arrivals.m)
    facts = facts_of(arrivals, parties, message, in_force, judge.consents)
    breaches = judge.breaches(facts)
    broken = judge.frame(facts, breaches).with_columns(rec=arrivals.rec[breaches.arrival])
    rules = broken.group_by(_ARRIVAL).agg(rules=pl.col("rule").unique().sort())
    judged = facts.frame(in_force, np.arange(len(arrivals)))
    text = sql("database/fact_text").format(facts="given", more="f.arrived_at, p.policy_id")
    text += "JOIN core.policy p ON p.n = f.policy"
    return run_with(connection, judged, text).pl(), rules


def _hops_of(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> _Hops:
    some = distinct(arrivals.h[arrivals.h > 0])
    return _Hops(
        run_on(connection, some, sql("audit/route_hop"), rows=("core.hop", "n")).pl(),
        run_on(connection, some, sql("audit/route_hop_input"), rows=("core.hop_input", "h")).pl(),
    )


def _came_from(arrivals: Arrivals, hops: _Hops) -> pl.DataFrame:
    """The records (source, source_rec) that held the message when a hop (h) read them, by what
    it made of them (rec).
    """
    own = arrivals.frame().lazy()
    held = own.select("arrived_at", source="ds", source_rec="rec")
    hop = hops.hop.lazy().select("source", "source_text", "keeps_id", h="n")
    return (
        own.select("h", "rec", "arrived_at")
        .join(hop, on="h")
        .join(hops.read.lazy(), on="h")
        .filter(~pl.col("keeps_id") | (pl.col("source_rec") == pl.col("rec")))
        .join(held, on=["source", "source_rec"], suffix="_before")
        .filter(pl.col("arrived_at_before") <= pl.col("arrived_at"))
        .select("h", "rec", "source_rec", source="source_text")
        .unique()
        .collect()
    )
