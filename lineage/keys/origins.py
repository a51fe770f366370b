"""Keys of origins: the partitions of topics, and the files, that events are read from."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray
from lineage.database.relations import execute_with
from lineage.ingest.encode import Origin


class OriginKeys:
    """Gives keys to origins (source, partition), which are few and all in memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        rows = connection.execute("SELECT source, partition, id FROM core.origin").fetchall()
        self._keys: dict[Origin, int] = {
            (source, partition): id_ for source, partition, id_ in rows
        }

    def intern(self, origins: Sequence[Origin]) -> IntArray:
        """Return the keys of origins, inserting those that are new."""
        new = [origin for origin in origins if origin not in self._keys]
        if new:
            keys = range(len(self._keys) + 1, len(self._keys) + len(new) + 1)
            self._keys.update(zip(new, keys, strict=True))
            sources, partitions = zip(*new, strict=True)
            rows = pl.DataFrame({"id": keys, "source": sources, "partition": partitions})
            statement = "INSERT INTO core.origin SELECT id, source, partition FROM new_origin"
            execute_with(self._connection, statement, new_origin=rows)
        return np.array([self._keys[origin] for origin in origins], dtype=np.int64)
