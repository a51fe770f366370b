"""The way of one message, with what was true of it at each step and the rules it broke there."""

from __future__ import annotations

import duckdb

from lineage.judging import evaluate
from lineage.sql import sql


def route(connection: duckdb.DuckDBPyConnection, message_id: str) -> duckdb.DuckDBPyRelation:
    """See `Store.route`. Uses temporary tables: give it a cursor of its own."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE to_judge AS "
        "SELECT a.* FROM core.arrival a JOIN (FROM core.number_of($wanted)) w ON a.m = w.n",
        {"wanted": message_id},
    )
    evaluate(connection)
    fact_text = sql("fact_text").format(facts="judged", more="f.arrived_at")
    table = connection.execute(
        sql("route").format(fact_text=fact_text), {"message_id": message_id}
    ).to_arrow_table()
    return connection.from_arrow(table)
