"""Events that come again and say the same, told by their numbers.

Nearly all that comes twice is the same twice. Equal texts have equal numbers, so that need not be
told from texts, which costs several times more.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import Numbers, distinct, numbers, places, starts
from lineage.database.relations import run_on
from lineage.keys.stage import CHILDREN, Staged

# The others are kept with their texts, and are few.
IN_NUMBERS = ("message", "hop", "consent_change")


def stored_events(
    connection: duckdb.DuckDBPyConnection, staged: Staged, table: str, wanted: Numbers
) -> pl.DataFrame:
    """The stored events of `table` with these numbers: `n`, and if it is one of IN_NUMBERS the
    other columns of the batch's.
    """
    frame = getattr(staged, table)
    return _stored(connection, frame if table in IN_NUMBERS else frame[["n"]], table, wanted)


def repeats(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: str,
    again: pl.DataFrame,
    stored: pl.DataFrame,
    disputed: Numbers,
) -> tuple[Numbers, Numbers]:
    """The rows of the batch that are repeats; and those of events that come with other content, or
    have come so already.

    again: all rows of the batch with these numbers. stored: what the store has of them. disputed:
    the numbers of those with conflicts already.
    """
    row, n = numbers(again["row"]), numbers(again["n"])
    first = _first_of_new(n, stored)
    # What each is held against: the stored version, or else the first of the batch.
    held = pl.concat([stored, again[first].drop("row")])
    equal = ~np.isin(row, _others(again, held)) & ~np.isin(n, disputed)
    for name in CHILDREN.get(table, ()):
        frame = getattr(staged, name)
        owner = numbers(frame["row"])
        mine = frame[np.flatnonzero(np.isin(owner, row))]
        of_first = frame[np.flatnonzero(np.isin(owner, row[first]))].drop("row")
        hanging = pl.concat([_stored(connection, frame, name, numbers(stored["n"])), of_first])
        equal &= ~np.isin(row, _others(mine, hanging))
        # None is another, and there are as many: they are the same, since none is there twice.
        count = np.bincount(numbers(mine["row"]), minlength=int(row.max()) + 1)[row]
        equal &= count == _counts(n, numbers(hanging[_key(name)]))
    left = np.isin(n, n[~equal])
    is_again = ~left
    is_again[first] = False
    return row[is_again], row[left]


def _first_of_new(n: Numbers, stored: pl.DataFrame) -> Numbers:
    """Where each number that is not stored comes first."""
    new = np.flatnonzero(~places(np.sort(numbers(stored["n"])), n)[1])
    order = new[np.argsort(n[new], kind="stable")]
    return order[starts(n[order])]


def _counts(wanted: Numbers, values: Numbers) -> Numbers:
    """How often each of the wanted numbers is among the values, which are some of them."""
    known = distinct(wanted)
    counts = np.bincount(np.searchsorted(known, values), minlength=len(known))
    return counts[np.searchsorted(known, wanted)]


def _others(rows: pl.DataFrame, held: pl.DataFrame) -> Numbers:
    """The events (their rows) of rows that are not among those held."""
    return numbers(rows.join(held, on=held.columns, how="anti", nulls_equal=True)["row"])


def _stored(
    connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, name: str, wanted: Numbers
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
