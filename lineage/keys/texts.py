"""Looks up ids by their keys, and the key of one id."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray, distinct, int_array
from lineage.database.relations import execute_on
from lineage.database.statements import sql

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class IdTexts:
    """The ids of some keys, looked up once; '' for 0, which is no key."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: IntArray) -> None:
        some = distinct(keys[keys > 0])
        rows = ("core.identifier", "id")
        found = execute_on(connection, some, sql("keys/texts"), rows=rows).pl().sort("id")
        self._keys = np.append(0, int_array(found["id"]))
        self._texts = pl.concat([pl.Series("text", [""]), found["text"]])

    def of(self, keys: IntArray) -> pl.Series:
        """Return the ids of keys, all of which are among those looked up."""
        return self._texts.gather(np.searchsorted(self._keys, keys))


def key_of(connection: duckdb.DuckDBPyConnection, id_: str) -> int | None:
    """Return the key of an id, if the store has it."""
    # Only a literal UUID is compared with the zone maps (minimum and maximum) of the row groups.
    condition = f"uuid = UUID '{id_}'" if _UUID.fullmatch(id_) else "text = $id"
    parameters = None if _UUID.fullmatch(id_) else {"id": id_}
    query = f"SELECT id FROM core.identifier WHERE {condition}"  # noqa: S608 -- a UUID at the most
    row = connection.execute(query, parameters).fetchone()
    return None if row is None else int(row[0])
