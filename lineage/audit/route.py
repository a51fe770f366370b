"""The route of one message, with the facts of its arrivals and the rules that these break."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import Ranks, distinct, int_array
from lineage.database.relations import execute_on, execute_with
from lineage.database.statements import sql
from lineage.judge.consents import Consents
from lineage.judge.facts import facts_of, parties_of
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.keys.texts import IdTexts, key_of
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals, stored_arrivals

_ARRIVAL = ["hop", "dataset_key", "record"]
_COLUMNS = (
    *("message_id", "hop_id", "run_id", "job", "operation", "source", "source_record_id"),
    *("dataset", "record_id", "arrived_at", "identifiable", "declared", "kind", "party"),
    *("recipient", "policy_id", "disclosed", "channel", "confidential", "exempt_region"),
    *("ai_training_consent", "third_party_consent", "rules"),
)
# The origin has no hop, and comes first of the arrivals at its instant.
_ORDER = ("arrived_at", "hop_id", "dataset", "record_id", "source_record_id")


@dataclass(frozen=True)
class _Hops:
    """The hops that carried a message, and the records that they read.

    hop: id, run, job, source, source_text, keeps_id. read: hop, source_record.
    """

    hop: pl.DataFrame
    read: pl.DataFrame


def route(
    connection: duckdb.DuckDBPyConnection, message_id: str, timeline: Timeline, limits: Limits
) -> duckdb.DuckDBPyRelation:
    """Return the rows of `Reader.route`.

    connection: a cursor for this call alone. timeline: of the same database.
    """
    key = key_of(connection, message_id)
    wanted = -1 if key is None else key
    own = f"(FROM core.arrival WHERE message = {wanted})"
    arrivals = stored_arrivals(connection, own)
    facts, rules = _judged(connection, arrivals, timeline, limits)
    hops = _hops_of(connection, arrivals)
    run = int_array(hops.hop["run"])
    texts = IdTexts(
        connection, np.concatenate([arrivals.message, arrivals.hop, arrivals.record, run])
    )
    came_from = _came_from(arrivals, hops)
    hop = hops.hop.select(
        "job", hop="id", hop_id=texts.of(int_array(hops.hop["id"])), run_id=texts.of(run)
    )
    source_record_id = texts.of(int_array(came_from["source_record"]))
    table = (
        facts.lazy()
        .with_columns(message_id=pl.lit(message_id), record_id=texts.of(int_array(facts["record"])))
        .join(hop.lazy(), on="hop", how="left")
        .join(
            came_from.lazy().with_columns(source_record_id=source_record_id),
            on=["hop", "record"],
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
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, timeline: Timeline, limits: Limits
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the facts of the arrivals in texts, and the rules that each breaks."""
    messages = Ranks(arrivals.message)
    parties = parties_of(connection, messages.distinct)
    judge = Judge(connection, Consents.of(connection, parties.member), timeline, limits)
    message = messages.of(arrivals.message)
    facts = facts_of(arrivals, parties, message, timeline, judge.consents)
    breaches = judge.breaches(facts)
    broken = judge.frame(facts, breaches).rename({"dataset": "dataset_key"})
    broken = broken.with_columns(record=arrivals.record[breaches.arrival])
    rules = broken.group_by(_ARRIVAL).agg(rules=pl.col("rule").unique().sort())
    judged = facts.frame(timeline, np.arange(len(arrivals)))
    text = sql("database/fact_text").format(facts="judged_fact", more="f.arrived_at, p.policy_id")
    text += "JOIN core.policy p ON p.id = f.policy"
    return execute_with(connection, text, judged_fact=judged).pl(), rules


def _hops_of(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> _Hops:
    some = distinct(arrivals.hop[arrivals.hop > 0])
    read = ("core.hop_input", "hop")
    return _Hops(
        execute_on(connection, some, sql("audit/route_hop"), rows=("core.hop", "id")).pl(),
        execute_on(connection, some, sql("audit/route_hop_input"), rows=read).pl(),
    )


def _came_from(arrivals: Arrivals, hops: _Hops) -> pl.DataFrame:
    """Return the records that held the message when a hop read them, by hop and target record.

    The columns are hop, record, source_record, source.
    """
    own = arrivals.frame().lazy()
    held = own.select("arrived_at", source="dataset", source_record="record")
    hop = hops.hop.lazy().select("source", "source_text", "keeps_id", hop="id")
    return (
        own.select("hop", "record", "arrived_at")
        .join(hop, on="hop")
        .join(hops.read.lazy(), on="hop")
        .filter(~pl.col("keeps_id") | (pl.col("source_record") == pl.col("record")))
        .join(held, on=["source", "source_record"], suffix="_before")
        .filter(pl.col("arrived_at_before") <= pl.col("arrived_at"))
        .select("hop", "record", "source_record", source="source_text")
        .unique()
        .collect()
    )
