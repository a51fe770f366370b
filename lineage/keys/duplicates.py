"""Finds exact repeats of events by their integers: the fast path of `deduplicate`.

Nearly all repeated events are equal. Equal texts have equal keys, so that texts need not be
compared, which costs several times more.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray, distinct, int_array, lookup_sorted, run_starts
from lineage.database.relations import execute_on
from lineage.database.schema.tables import table
from lineage.keys.keyed_batch import CHILDREN, PROVENANCE, KeyedBatch

# The events of other tables are kept with their texts, and are few.
IN_INTEGERS = ("message", "hop", "consent_change", "run_report")


def stored_events(
    connection: duckdb.DuckDBPyConnection, keyed: KeyedBatch, name: str, wanted: IntArray
) -> pl.DataFrame:
    """Return the stored events of a table with these ids.

    The columns are `id` alone, or for a table of IN_INTEGERS those of the batch without `row`.
    """
    frame = keyed[name]
    return _stored(connection, frame if name in IN_INTEGERS else frame[["id"]], name, wanted)


def repeats(
    connection: duckdb.DuckDBPyConnection,
    keyed: KeyedBatch,
    name: str,
    again: pl.DataFrame,
    stored: pl.DataFrame,
    disputed: IntArray,
) -> tuple[IntArray, IntArray]:
    """Return the rows of the batch that are repeats; and the rows of events in conflict.

    Events in conflict come with other content, now or before. again: all rows of the batch whose
    ids come more than once. stored: the stored versions of these ids. disputed: the ids with
    conflicts already.
    """
    row, ids = int_array(again["row"]), int_array(again["id"])
    first = _first_of_new(ids, stored)
    # Each row is compared with the stored version, or else with the first of the batch.
    held = pl.concat([stored, again[first].drop("row")])
    equal = ~np.isin(row, _others(again, held)) & ~np.isin(ids, disputed)
    for child in CHILDREN.get(name, ()):
        frame = keyed[child]
        owner = int_array(frame["row"])
        mine = frame[np.flatnonzero(np.isin(owner, row))]
        of_first = frame[np.flatnonzero(np.isin(owner, row[first]))].drop("row")
        of_stored = _stored(connection, frame, child, int_array(stored["id"]))
        items = pl.concat([of_stored, of_first])
        equal &= ~np.isin(row, _others(mine, items))
        # No child row is another and the counts are equal: so the children are, as none is twice.
        count = np.bincount(int_array(mine["row"]), minlength=int(row.max()) + 1)[row]
        equal &= count == _counts(ids, int_array(items[table(child).key]))
    left = np.isin(ids, ids[~equal])
    is_again = ~left
    is_again[first] = False
    return row[is_again], row[left]


def _first_of_new(ids: IntArray, stored: pl.DataFrame) -> IntArray:
    """Return the place at which each id that is not stored comes first."""
    new = np.flatnonzero(~lookup_sorted(np.sort(int_array(stored["id"])), ids)[1])
    order = new[np.argsort(ids[new], kind="stable")]
    return order[run_starts(ids[order])]


def _counts(wanted: IntArray, values: IntArray) -> IntArray:
    """Count how often each wanted value is among `values`, which has no others."""
    known = distinct(wanted)
    counts = np.bincount(np.searchsorted(known, values), minlength=len(known))
    return counts[np.searchsorted(known, wanted)]


def _others(rows: pl.DataFrame, held: pl.DataFrame) -> IntArray:
    """Return the `row` of each row that is not among the rows held (an antijoin)."""
    return int_array(rows.join(held, on=held.columns, how="anti", nulls_equal=True)["row"])


def _stored(
    connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, name: str, wanted: IntArray
) -> pl.DataFrame:
    """Return the rows of core.`name` that belong to events, in the columns of `frame` but `row`."""
    columns = [column for column in frame.columns if column not in ("row", *PROVENANCE)]
    if not len(wanted):
        return frame[columns][:0]
    query = f"SELECT {', '.join(columns)} FROM {{rows}}"  # noqa: S608 -- names of ours
    found = execute_on(connection, wanted, query, rows=(f"core.{name}", table(name).key)).pl()
    return found.cast({column: frame.schema[column] for column in columns})
