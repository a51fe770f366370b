"""Events that come again and say the same, told by their numbers.

Nearly all that comes twice is the same twice. Equal texts have equal numbers, so that need not be
told from texts, which costs several times more.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray, distinct, int_array, lookup_sorted, run_starts
from lineage.database.relations import run_on
from lineage.keys.stage import CHILDREN, KeyedBatch

# The others are kept with their texts, and are few.
IN_NUMBERS = ("message", "hop", "consent_change")


def stored_events(
    connection: duckdb.DuckDBPyConnection, staged: KeyedBatch, table: str, wanted: IntArray
) -> pl.DataFrame:
    """The stored events of `table` with these numbers: `n`, and if it is one of IN_NUMBERS the
    other columns of the batch's.
    """
    frame = getattr(staged, table)
    return _stored(connection, frame if table in IN_NUMBERS else frame[["n"]], table, wanted)


def repeats(
    connection: duckdb.DuckDBPyConnection,
    staged: KeyedBatch,
    table: str,
    again: pl.DataFrame,
    stored: pl.DataFrame,
    disputed: IntArray,
) -> tuple[IntArray, IntArray]:
    """The rows of the batch that are repeats; and those of events that come with other content, or
    have come so already.

    again: all rows of the batch with these numbers. stored: what the store has of them. disputed:
    the numbers of those with conflicts already.
    """
    row, n = int_array(again["row"]), int_array(again["n"])
    first = _first_of_new(n, stored)
    # What each is held against: the stored version, or else the first of the batch.
    held = pl.concat([stored, again[first].drop("row")])
    equal = ~np.isin(row, _others(again, held)) & ~np.isin(n, disputed)
    for name in CHILDREN.get(table, ()):
        frame = getattr(staged, name)
        owner = int_array(frame["row"])
        mine = frame[np.flatnonzero(np.isin(owner, row))]
        of_first = frame[np.flatnonzero(np.isin(owner, row[first]))].drop("row")
        hanging = pl.concat([_stored(connection, frame, name, int_array(stored["n"])), of_first])
        equal &= ~np.isin(row, _others(mine, hanging))
        # None is another, and there are as many: they are the same, since none is there twice.
        count = np.bincount(int_array(mine["row"]), minlength=int(row.max()) + 1)[row]
        equal &= count == _counts(n, int_array(hanging[_key(name)]))
    left = np.isin(n, n[~equal])
    is_again = ~left
    is_again[first] = False
    return row[is_again], row[left]


def _first_of_new(n: IntArray, stored: pl.DataFrame) -> IntArray:
    """Where each number that is not stored comes first."""
    new = np.flatnonzero(~lookup_sorted(np.sort(int_array(stored["n"])), n)[1])
    order = new[np.argsort(n[new], kind="stable")]
    return order[run_starts(n[order])]


def _counts(wanted: IntArray, values: IntArray) -> IntArray:
    """How often each of the wanted numbers is among the values, which are some of them."""
    known = distinct(wanted)
    counts = np.bincount(np.searchsorted(known, values), minlength=len(known))
    return counts[np.searchsorted(known, wanted)]


def _others(rows: pl.DataFrame, held: pl.DataFrame) -> IntArray:
    """The events (their rows) of rows that are not among those held."""
    return int_array(rows.join(held, on=held.columns, how="anti", nulls_equal=True)["row"])


def _stored(
    connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, name: str, wanted: IntArray
) -> pl.DataFrame:
    """The rows of core.`name` of these events, in the columns of `frame`, without `row`."""
    columns = [column for column in frame.columns if column != "row"]
    if not len(wanted):
        return frame[columns][:0]
    query = f"SELECT {', '.join(columns)} FROM {{rows}}"  # noqa: S608 -- names of ours
    found = run_on(connection, wanted, query, rows=(f"core.{name}", _key(name))).pl()
    return found.cast({column: frame.schema[column] for column in columns})


def _key(name: str) -> str:
    return "h" if name in CHILDREN["hop"] else "n"
