"""The way of one message, with what was true of it at each step and the rules it broke there."""

from __future__ import annotations

import duckdb
import numpy as np

from lineage.consents import Consents
from lineage.facts import parties_of
from lineage.interning import registered
from lineage.judging import Judge
from lineage.reach import stored_arrivals
from lineage.sql import sql

_OWN = "(SELECT a.* FROM core.arrival a JOIN wanted w ON a.m = w.n)"


def route(connection: duckdb.DuckDBPyConnection, message_id: str) -> duckdb.DuckDBPyRelation:
    """See `Store.route`. Give it a cursor of its own."""
    wanted = connection.execute("FROM core.number_of($wanted)", {"wanted": message_id}).pl()
    with registered(connection, wanted=wanted):
        arrivals = stored_arrivals(connection, _OWN)
    members = parties_of(connection, np.unique(arrivals.m)).member
    judge = Judge(connection, Consents.of(connection, members))
    facts = judge.facts(arrivals)
    breaches = judge.breaches(facts)
    frames = {
        "judged": facts.frame(judge.in_force, np.arange(len(arrivals))),
        "found": judge.frame(facts, breaches).with_columns(rec=arrivals.rec[breaches.arrival]),
    }
    with registered(connection, **frames):
        fact_text = sql("fact_text").format(facts="judged", more="f.arrived_at")
        table = connection.execute(
            sql("route").format(fact_text=fact_text), {"message_id": message_id}
        ).to_arrow_table()
    return connection.from_arrow(table)
