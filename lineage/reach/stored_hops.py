"""Looks up the stored hops that read some records.

There are two ways. For recent hops one query: DuckDB finds them by their instants, and skips the
inputs of all others. It holds the hops in a hash table, though, and where hops of long ago are
wanted, that would be nearly all of history: then the inputs are found first, and only their hops.
"""

from __future__ import annotations

import duckdb
import numpy as np

from lineage.arrays import Columns, IntArray, distinct, lookup_sorted
from lineage.database.relations import execute_on
from lineage.database.statements import sql

__all__ = ["reads", "recent_reads"]

_INPUTS = ("core.hop_input", "record")


def recent_reads(connection: duckdb.DuckDBPyConnection, records: IntArray, since: int) -> Columns:
    """Return as `reads` does; fast where few hops moved since then, and in memory for these."""
    query = sql("reach/hop_inputs")
    return execute_on(connection, records, query, {"since": since}, rows=_INPUTS).fetchnumpy()


def reads(connection: duckdb.DuckDBPyConnection, records: IntArray, since: int) -> Columns:
    """Return the hops, not before `since` (microseconds), that read some distinct records.

    One row for each hop and record that it read: hop, record, and of the hop source, target,
    operation, keeps_id, declassifies and moved_at (microseconds). In memory for what is found,
    whatever is stored.
    """
    bound = {"since": since}
    ((first,),) = connection.execute(sql("reach/first_hop_since"), bound).fetchall()
    query = sql("reach/inputs_since")
    found = execute_on(connection, records, query, {"first": first}, rows=_INPUTS).fetchnumpy()
    rows, query = ("core.hop", "id"), sql("reach/hops_since")
    hops = execute_on(connection, distinct(found["hop"]), query, bound, rows=rows).fetchnumpy()
    order = np.argsort(hops["id"])
    at, known = lookup_sorted(hops["id"][order], found["hop"])
    of = order[at[known]]
    return {
        "hop": found["hop"][known],
        "record": found["record"][known],
        **{name: values[of] for name, values in hops.items() if name != "id"},
    }
