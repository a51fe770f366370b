"""Where messages go: the least fixpoint of what hops carry, one batch at a time.

Semi-naive evaluation (Bancilhon and Ramakrishnan, 1986): each round joins with the hops only what
the round before found, and an arrival is found again only if it turns out to be identifiable.
The rounds end because arrivals are finite and identifiable never turns back.
"""

from __future__ import annotations

import duckdb

from lineage.ranges import rows_near
from lineage.sql import sql
from lineage.staging import Staged


def trace(connection: duckdb.DuckDBPyConnection, fresh: Staged, *, anew: bool) -> None:
    """Fill the temporary table `arrived` with what a batch makes arrive.

    `arrived` has the columns of core.arrival and `stored`: true for an arrival of an earlier batch
    that is now identifiable. `fresh`: the batch's events, recorded already, and registered as
    fresh_message and so on where there are any. `anew`: there are messages in `dirty`, whose
    arrivals have been deleted, to derive anew.
    """
    connection.execute(sql("reach_start"))
    if len(fresh.message):
        connection.execute(sql("reach_seed"))
    if anew:
        connection.execute(sql("reach_seed_anew"))
    if len(fresh.hop_input):
        # What the new hops carry of what was in their sources before the batch.
        near = rows_near("core.arrival", "rec", fresh.hop_input["rec"].to_numpy())
        connection.execute(sql("reach_candidates").format(held=near, inputs="fresh_hop_input"))
        _advance(connection, fresh.first_new)
    while (inputs := _keep(connection)) is not None:
        # Where all hops, old and new, carry what has just arrived.
        query = sql("reach_candidates").format(held="frontier", inputs=inputs)
        connection.execute(query)
        connection.execute("DELETE FROM frontier")
        _advance(connection, fresh.first_new)


def _advance(connection: duckdb.DuckDBPyConnection, first_new: int) -> None:
    """Add to the frontier those candidates that are new."""
    row = connection.execute("SELECT count(*) FROM candidate WHERE h < ?", [first_new]).fetchone()
    if row and row[0]:
        query = sql("reach_frontier").format(known=sql("reach_known"))
        connection.execute(query, {"first_new": first_new})
    else:
        known = "(SELECT *, 'BATCH' AS known FROM arrived)"
        connection.execute(sql("reach_frontier").format(known=known))


def _keep(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Add the frontier to `arrived`; what can go on from it: a relation of core.hop_input.

    None if the frontier is empty.
    """
    frontier = connection.execute(
        "SELECT rec, arrived_at, known = 'BATCH' AS again FROM frontier"
    ).fetchnumpy()
    if not len(frontier["rec"]):
        return None
    connection.execute(sql("reach_keep"))
    if frontier["again"].any():
        connection.execute(sql("reach_upgrade"))
    near = rows_near("core.hop_input", "rec", frontier["rec"])
    since = frontier["arrived_at"].min()
    return f"(FROM {near} WHERE moved_at >= TIMESTAMP '{since}')"
