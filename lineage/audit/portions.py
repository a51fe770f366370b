"""Portions: ranges of ids, by which large tables are read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb
import numpy as np

from lineage.arrays import IntArray

# Rows are counted for so many ids together.
_BLOCK_IDS: Final = 256


def portions(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str]], rows_max: int
) -> Iterator[dict[str, int]]:
    """Yield ranges of ids, as `first` and `last`, that together have all ids that are there.

    tables: names in core, and their columns of these ids. rows_max: about how many of their rows a
    range has at most; more where neighbouring ids have more.
    """
    blocks, rows = _blocks(connection, tables)
    start, count = 0, 0
    for place in range(len(blocks)):
        if count and count + rows[place] > rows_max:
            yield _range(blocks[start], blocks[place - 1])
            start, count = place, 0
        count += int(rows[place])
    if len(blocks):
        yield _range(blocks[start], blocks[-1])


def _blocks(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str]]
) -> tuple[IntArray, IntArray]:
    """Return the blocks of ids that have rows, in order, and the number of rows of each."""
    rows_of = " UNION ALL ".join(
        f"SELECT {column} // {_BLOCK_IDS} AS block FROM core.{name}"  # noqa: S608 -- names of ours
        for name, column in tables
    )
    query = f"SELECT block, count(*) AS rows FROM ({rows_of}) GROUP BY block ORDER BY block"  # noqa: S608 -- names of ours
    found = connection.execute(query).fetchnumpy()
    return np.asarray(found["block"], np.int64), np.asarray(found["rows"], np.int64)


def _range(first: np.int64, last: np.int64) -> dict[str, int]:
    return {"first": int(first) * _BLOCK_IDS, "last": (int(last) + 1) * _BLOCK_IDS - 1}
