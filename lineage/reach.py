"""Where messages go: the least fixpoint of what hops carry, one batch at a time.

Semi-naive evaluation (Bancilhon and Ramakrishnan, 1986): each round joins with the hops only what
the round before found, and an arrival is found again only if it turns out to be identifiable.
The rounds end because arrivals are finite and identifiable never turns back.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from lineage.interning import Numbers, spans
from lineage.sql import sql


def trace(connection: duckdb.DuckDBPyConnection, new_inputs: Numbers) -> None:
    """Fill the temporary table `arrived` with what a batch makes arrive.

    `arrived` has the columns of core.arrival and `stored`: true for an arrival of an earlier batch
    that is now identifiable. Reads `fresh_message`, `fresh_hop`, `fresh_hop_input` and `dirty`
    (messages whose arrivals have been deleted); `new_inputs` are the records the new hops read.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE arrived AS "
        "SELECT *, false AS stored FROM core.arrival WHERE false"
    )
    connection.execute(sql("reach_seed"))
    if len(new_inputs):
        kept = " UNION ALL ".join(
            f"SELECT * FROM core.arrival WHERE rec BETWEEN {first} AND {last}"  # noqa: S608 -- numbers of ours
            for first, last in spans(new_inputs)
        )
        connection.execute(sql("reach_from_store").format(kept=kept))
        _advance(connection)
    while (since := _keep(connection)) is not None:
        connection.execute(sql("reach_step"), {"since": since})
        connection.execute("DELETE FROM frontier")
        _advance(connection)


def _advance(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to the frontier those candidates that are new."""
    row = connection.execute(
        "SELECT count(*) FROM candidate ANTI JOIN fresh_hop ON candidate.h = fresh_hop.n"
    ).fetchone()
    of_old_hops = bool(row and row[0])
    known = sql("reach_known") if of_old_hops else "(SELECT *, 'BATCH' AS known FROM arrived)"
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
