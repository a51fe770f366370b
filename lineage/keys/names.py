"""From numbers back to ids, and from one id to its number."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray, distinct, int_array
from lineage.database.relations import run_on
from lineage.database.statements import sql

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Names:
    """The ids of some numbers; of 0, which is none, ''."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, wanted: IntArray) -> None:
        some = distinct(wanted[wanted > 0])
        found = (
            run_on(connection, some, sql("keys/names"), rows=("core.identifier", "n"))
            .pl()
            .sort("n")
        )
        self.numbers = np.append(0, int_array(found["n"]))
        self.ids = pl.concat([pl.Series("id", [""]), found["id"]])

    def of(self, wanted: IntArray) -> pl.Series:
        """The ids of these numbers, which are among those asked about."""
        return self.ids.gather(np.searchsorted(self.numbers, wanted))


def number_of(connection: duckdb.DuckDBPyConnection, id_: str) -> int | None:
    """The number of an id, if the store has it."""
    # As a literal, a UUID is held against the minimum and maximum of the row groups.
    condition = f"uuid = UUID '{id_}'" if _UUID.fullmatch(id_) else "text = $id"
    parameters = None if _UUID.fullmatch(id_) else {"id": id_}
    query = f"SELECT n FROM core.identifier WHERE {condition}"  # noqa: S608 -- a UUID at the most
    row = connection.execute(query, parameters).fetchone()
    return None if row is None else int(row[0])
