"""Where messages go: the least fixpoint of what hops carry, one batch at a time.

Semi-naive evaluation (Bancilhon and Ramakrishnan, 1986): each round joins with the hops only what
the round before found, and an arrival is found again only if it turns out to be identifiable.
The rounds end because arrivals are finite and identifiable never turns back.
"""

from __future__ import annotations

from datetime import datetime

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
    while (since := _keep(connection)) is not None:
        # Where all hops, old and new, carry what has just arrived.
        later = "(SELECT * FROM core.hop_input WHERE moved_at >= $since)"
        query = sql("reach_candidates").format(held="frontier", inputs=later)
        connection.execute(query, {"since": since})
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


def _keep(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Add the frontier to `arrived`; its earliest instant, None if it is empty."""
    row = connection.execute(
        "SELECT min(arrived_at), count(*) FILTER (known = 'BATCH') FROM frontier"
    ).fetchone()
    since: datetime | None
    since, upgrades = row if row else (None, 0)
    if since is not None:
        connection.execute(sql("reach_keep"))
    if upgrades:
        connection.execute(sql("reach_upgrade"))
    return since
