"""The way of one message, with what was true of it at each step and the rules it broke there."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import NO_NUMBERS, Numbers, Places, distinct, numbers
from lineage.consents import Consents
from lineage.facts import facts_of, parties_of
from lineage.interning import registered
from lineage.judging import Judge
from lineage.naming import Names, number_of
from lineage.ranges import rows_near
from lineage.reach import Arrivals, stored_arrivals
from lineage.sql import sql


def route(connection: duckdb.DuckDBPyConnection, message_id: str) -> duckdb.DuckDBPyRelation:
    """See `Store.route`. Give it a cursor of its own."""
    number = number_of(connection, message_id)
    wanted = -1 if number is None else number
    own = f"(FROM core.arrival WHERE m = {wanted})"
    arrivals = stored_arrivals(connection, own)
    frames = {**_judged(connection, arrivals), **_carried_by(connection, arrivals)}
    named = [arrivals.m, arrivals.h, arrivals.rec, numbers(frames["hop"]["run"])]
    names = Names(connection, np.concatenate(named))
    name = pl.DataFrame({"n": names.numbers, "id": names.ids}).filter(pl.col("n") > 0)
    with registered(connection, **frames, name=name):
        fact_text = sql("fact_text").format(facts="judged", more="f.arrived_at")
        table = connection.execute(sql("route").format(fact_text=fact_text)).to_arrow_table()
    return connection.from_arrow(table)


def _judged(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> dict[str, pl.DataFrame]:
    """The facts of the arrivals, and the rules that were broken."""
    messages = Places(arrivals.m)
    parties = parties_of(connection, messages.distinct)
    judge = Judge(connection, Consents.of(connection, parties.member))
    message = messages.of(arrivals.m)
    facts = facts_of(arrivals, parties, message, judge.in_force, judge.consents)
    breaches = judge.breaches(facts)
    return {
        "judged": facts.frame(judge.in_force, np.arange(len(arrivals))),
        "found": judge.frame(facts, breaches).with_columns(rec=arrivals.rec[breaches.arrival]),
    }


def _carried_by(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals
) -> dict[str, pl.DataFrame]:
    """The hops of the arrivals, and what they read."""
    hops: Numbers = distinct(arrivals.h[arrivals.h > 0]) if len(arrivals) else NO_NUMBERS
    with registered(connection, wanted=pl.DataFrame({"h": hops})):
        hop = f"SELECT n, run, job FROM {rows_near('core.hop', 'n', hops)} JOIN wanted ON n = h"  # noqa: S608 -- names and numbers of ours
        read = f"FROM {rows_near('core.hop_input', 'h', hops)} SEMI JOIN wanted USING (h)"
        return {
            "hop": connection.execute(hop).pl(),
            "input": connection.execute(read).pl(),
        }
